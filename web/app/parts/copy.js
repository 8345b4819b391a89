// Copies a text to the clipboard and says so.
import { html } from '/app/html.js';
import { t } from '/app/i18n.js';
import { Icon } from '/app/parts/icon.js';
import { toast } from '/app/parts/toast.js';

/** label: what is copied, for a button that is an icon alone; word: shown words. */
export function Copy({ text, label, word, className = '' }) {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      toast(t('copy.done'));
    } catch {
      toast(t('copy.failed'));
    }
  };
  return html`<button class=${`button ${word ? '' : 'is-icon'} ${className}`} type="button" aria-label=${label}
    onClick=${copy}>
    <${Icon} name="copy" />${word}
  </button>`;
}
