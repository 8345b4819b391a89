// Actions behind "More": a sheet from below on a phone, a small panel on a wide screen.
import { useId } from 'preact/hooks';
import { html } from '/app/html.js';
import { Icon } from '/app/parts/icon.js';

const hide = (event) => event.currentTarget.closest('[popover]').hidePopover();

/** items: {word, run, danger, small} or {word, href}; small: on a phone only; false ones are left out. */
export function More({ label, items, className = '', word }) {
  const id = `menu-${useId()}`;
  const entries = items.filter(Boolean);
  if (entries.length === 0) return null;
  return html`<button class=${`button ${word ? '' : 'is-icon'} ${className}`} type="button" popovertarget=${id}
    aria-label=${word ? undefined : label}>
      ${word ?? html`<${Icon} name="more" />`}</button>
    <div class="sheet" id=${id} popover="auto" role="group" aria-label=${label}>
      ${entries.map((item) =>
        item.href
          ? html`<a class="button" key=${item.word} href=${item.href} onClick=${hide}>${item.word}</a>`
          : html`<button class=${`button${item.danger ? ' is-danger' : ''}${item.small ? ' only-small' : ''}`} type="button" key=${item.word}
            onClick=${(event) => {
              hide(event);
              item.run();
            }}>${item.word}</button>`,
      )}
    </div>`;
}
