// Short messages after an action: announced politely, gone after 10 s unless pointed at or focused.
import { useEffect, useRef, useState } from 'preact/hooks';
import { html } from '/app/html.js';
import { t } from '/app/i18n.js';
import { Icon } from '/app/parts/icon.js';

const SHOWN_MS = 10000;
let show = () => {};
let last = 0;

/** action: {word, run}, a button in it (Undo); run may reject. */
export function toast(text, action = null) {
  show({ id: ++last, text, action });
}

export function Toasts() {
  const [message, setMessage] = useState(null);
  const keep = useRef(false);
  show = setMessage;
  useEffect(() => {
    if (message === null) return undefined;
    const timer = setInterval(() => {
      if (!keep.current) setMessage(null);
    }, SHOWN_MS);
    return () => clearInterval(timer);
  }, [message?.id]);
  const hold = (on) => () => {
    keep.current = on;
  };
  return html`<div role="status">${
    message &&
    html`<div class="toast"
      onMouseEnter=${hold(true)} onMouseLeave=${hold(false)} onFocusIn=${hold(true)} onFocusOut=${hold(false)}>
    <span>${message.text}</span>
    ${
      message.action &&
      html`<button class="button" type="button" onClick=${async () => {
        keep.current = false;
        setMessage(null);
        try {
          await message.action.run();
        } catch {
          toast(t('failure.refused'));
        }
      }}>${message.action.word}</button>`
    }
    <button class="button is-icon" type="button" aria-label=${t('action.close')}
      onClick=${() => {
        keep.current = false;
        setMessage(null);
      }}><${Icon} name="close" /></button>
  </div>`
  }</div>`;
}
