// A native modal dialog, and the question that is asked before what cannot be undone.
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { html } from '/app/html.js';
import { number, t } from '/app/i18n.js';
import { Failure } from '/app/parts/page.js';

/** Open while it is there; onClose is called by Esc and by whoever closes it. */
export function Dialog({ title, onClose, className, children }) {
  const ref = useRef(null);
  const id = useId();
  const opener = useRef(null);
  // With the drawing: what is typed next goes into the dialog.
  useLayoutEffect(() => {
    opener.current = document.activeElement;
    ref.current.showModal();
  }, []);
  useEffect(
    () => () => {
      // The dialog is out of the document by now and gives no focus back, so that is done here.
      if (opener.current.isConnected) opener.current.focus();
      else document.querySelector('h1')?.focus({ preventScroll: true });
    },
    [],
  );
  const cancel = (event) => {
    event.preventDefault();
    onClose();
  };
  return html`<dialog ref=${ref} class=${`near${className ? ` ${className}` : ''}`} aria-labelledby=${id} onCancel=${cancel}>
    <h2 id=${id}>${title}</h2>${children}
  </dialog>`;
}

/**
 * Asks before `run`. verb: the words of the button; type: text that must be typed first (null: none);
 * danger: red words; wait: something is still to be said. run() may reject: the dialog then stays and says why.
 */
export function Confirm({ title, verb, keep, type, danger, wait, run, onClose, explain, children }) {
  const [typed, setTyped] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const ready = type === undefined || type === null || typed.trim() === type || typed.trim() === number(Number(type));
  const submit = async (event) => {
    event.preventDefault();
    if (!ready || wait || busy) return;
    setBusy(true);
    try {
      await run();
      onClose();
    } catch (refused) {
      setError(refused);
      setBusy(false);
    }
  };
  return html`<${Dialog} title=${title} onClose=${onClose}>
    <form class="near" onSubmit=${submit}>
      ${children}
      ${
        type !== undefined &&
        type !== null &&
        html`<label class="field">${t('confirm.type', { text: type })}
        <input class="input" autocomplete="off" spellcheck=${false} value=${typed}
          onInput=${(e) => setTyped(e.target.value)} />
      </label>`
      }
      ${error && html`<${Failure} error=${error} lead=${explain?.(error) ?? t('failure.refused')} />`}
      <div class="row">
        <button class="button" type="button" autofocus onClick=${onClose}>${keep ?? t('action.cancel')}</button>
        <button class=${`button ${danger ? 'is-danger' : 'is-primary'}`} disabled=${!ready || wait || busy}>${verb}</button>
      </div>
    </form>
  <//>`;
}
