// A one-time link, shown once, to hand over.
import { html } from '/app/html.js';
import { clock, t } from '/app/i18n.js';
import { Copy } from '/app/parts/copy.js';
import { Dialog } from '/app/parts/dialog.js';

export function LinkShown({ address, link, onClose }) {
  return html`<${Dialog} title=${t('link-shown.title', { address })} onClose=${onClose}>
    <p>${t('link-shown.text', { time: clock(link.expires_at) })}</p>
    <p class="secret"><code>${link.url}</code></p>
    <div class="row"><${Copy} text=${link.url} word=${t('link-shown.copy')} className="is-primary" />
      <button class="button" type="button" onClick=${onClose}>${t('action.done')}</button></div>
  <//>`;
}
