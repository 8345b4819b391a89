// A text of numbered lines, with the place of an error in it.
import { useEffect, useId, useRef } from 'preact/hooks';
import { html } from '/app/html.js';
import { described, Frame } from '/app/parts/form.js';

/** Where line and column (bytes, from 1) are in the text, as an index of JavaScript's. */
export function indexOf(text, line, column) {
  const lines = text.split('\n');
  const before = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  const bytes = new TextEncoder().encode(lines[line - 1] ?? '').slice(0, column - 1);
  return before + new TextDecoder().decode(bytes).length;
}

/** at: {line, column} of the error, which is then shown and gets the cursor; null: none. Other names as in TextArea. */
export function Code({ label, hint, error, at, value, rows = 16, ...rest }) {
  const id = useId();
  const area = useRef(null);
  const gutter = useRef(null);
  const scroll = () => {
    gutter.current.scrollTop = area.current.scrollTop;
  };
  useEffect(() => {
    if (!at) return;
    const place = indexOf(value, at.line, at.column);
    const height = area.current.scrollHeight / (value.split('\n').length || 1);
    area.current.focus();
    area.current.setSelectionRange(place, place);
    area.current.scrollTop = Math.max(0, (at.line - rows / 2) * height);
    scroll();
  }, [at]);
  const lines = value.split('\n').map(
    (_, i) => html`<span key=${i} class=${at?.line === i + 1 ? 'is-wrong' : undefined}>${i + 1}</span>`,
  );
  return html`<${Frame} id=${id} label=${label} hint=${hint} error=${error}>
    <div class="code"><div class="gutter" ref=${gutter} aria-hidden="true">${lines}</div>
      <textarea class="input mono" ref=${area} spellcheck=${false} autocapitalize="none" wrap="off" rows=${rows}
        ...${described(id, hint, error)} value=${value} onScroll=${scroll} ...${rest} /></div>
  <//>`;
}
