// A text of numbered lines, with the place of an error in it.
import { useEffect, useId, useRef } from 'preact/hooks';
import { html } from '/app/html.js';
import { described, Frame } from '/app/parts/form.js';

/** The API counts bytes; gives the error with its column in characters of the text's line. */
export function inCharacters(text, error) {
  const line = new TextEncoder().encode(text.split('\n')[error.line - 1] ?? '');
  return { ...error, column: new TextDecoder().decode(line.slice(0, error.column - 1)).length + 1 };
}

/** at: {line, column} of the error, in characters, which is then shown and gets the cursor; null: none. Other names as in TextArea. */
export function Code({ label, hint, error, at, value, rows = 16, ...rest }) {
  const id = useId();
  const area = useRef(null);
  const gutter = useRef(null);
  const scroll = () => {
    gutter.current.scrollTop = area.current.scrollTop;
  };
  useEffect(() => {
    if (!at) return;
    const lines = value.split('\n');
    const place = lines.slice(0, at.line - 1).reduce((sum, line) => sum + line.length + 1, at.column - 1);
    const height = area.current.scrollHeight / lines.length;
    area.current.focus();
    area.current.setSelectionRange(place, place);
    area.current.scrollTop = Math.max(0, (at.line - rows / 2) * height);
    scroll();
  }, [at]);
  const numbers = value.split('\n').map(
    (_, i) => html`<span key=${i} class=${at?.line === i + 1 ? 'is-wrong' : undefined}>${i + 1}</span>`,
  );
  return html`<${Frame} id=${id} label=${label} hint=${hint} error=${error}>
    <div class="code"><div class="gutter" ref=${gutter} aria-hidden="true">${numbers}</div>
      <textarea class="input mono" ref=${area} spellcheck=${false} autocapitalize="none" wrap="off" rows=${rows}
        ...${described(id, hint, error)} value=${value} onScroll=${scroll} ...${rest} /></div>
  <//>`;
}
