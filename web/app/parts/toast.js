// Short messages after an action: announced politely, gone after 10 s unless pointed at or focused.
import { useEffect, useRef, useState } from 'preact/hooks';
import { html } from '/app/html.js';
import { t } from '/app/i18n.js';
import { Icon } from '/app/parts/icon.js';

const SHOWN_S = 10;
let show = () => {};
let last = 0;

/** undo(): takes the action back, and may reject; a button offers it as long as the message is there. */
export function toast(text, undo = null) {
  show({ id: ++last, text, undo });
}

export function Toasts() {
  const [message, setMessage] = useState(null);
  const [left, setLeft] = useState(SHOWN_S);
  const keep = useRef(false);
  show = (fresh) => {
    keep.current = false;
    setLeft(SHOWN_S);
    setMessage(fresh);
  };
  useEffect(() => {
    if (message === null) return undefined;
    const timer = setInterval(() => {
      if (!keep.current) setLeft((s) => s - 1);
    }, 1000);
    return () => clearInterval(timer);
  }, [message?.id]);
  useEffect(() => {
    if (left <= 0) setMessage(null);
  }, [left]);
  const hold = (on) => () => {
    keep.current = on;
  };
  const close = () => setMessage(null);
  const undo = async () => {
    close();
    try {
      await message.undo();
    } catch {
      toast(t('failure.refused'));
    }
  };
  return html`<div role="status">${
    message &&
    html`<div class="toast" key=${message.id}
      onMouseEnter=${hold(true)} onMouseLeave=${hold(false)} onFocusIn=${hold(true)} onFocusOut=${hold(false)}>
    <span>${message.text}</span>
    ${message.undo && html`<button class="button" type="button" onClick=${undo}>${t('action.undo')}
      <span class="num" aria-hidden="true">0:${String(Math.max(left, 0)).padStart(2, '0')}</span></button>`}
    <button class="button is-icon" type="button" aria-label=${t('action.close')}
      onClick=${close}><${Icon} name="close" /></button>
  </div>`
  }</div>`;
}
