// A line of one row of numbers: no axes, the figure beside it says the value.
import { html } from '/app/html.js';

/** The path of values in a box of 100 × 32, highest at the top, 2 clear at both edges. */
export function sparkPath(values) {
  const low = Math.min(...values);
  const span = Math.max(...values) - low;
  const x = (i) => ((100 * i) / (values.length - 1)).toFixed(1);
  const y = (value) => (span === 0 ? 31 : 31 - (29 * (value - low)) / span).toFixed(1);
  return values.map((value, i) => `${i === 0 ? 'M' : 'L'}${x(i)} ${y(value)}`).join('');
}

export function Spark({ values }) {
  if (!values || values.length < 2) return null;
  return html`<svg class="spark" viewBox="0 0 100 32" preserveAspectRatio="none" aria-hidden="true">
    <path d=${sparkPath(values)} /></svg>`;
}
