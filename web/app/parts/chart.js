// Lines over time: uPlot draws them on a canvas, which says nothing to a screen reader. So the chart is a figure with
// a legend in words, arrow keys move its cursor and say the values there, and the same numbers stand in a table.
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { html } from '/app/html.js';
import { clock, needWords, number, shortDay, t } from '/app/i18n.js';
import { Time } from '/app/parts/page.js';
import { useStore } from '/app/store.js';

const HEIGHT = 224; // as .chart-box
const DASHES = [[], [8, 3], [2, 3], [10, 3, 2, 3]]; // colour alone does not tell lines apart
const WHOLE = [1, 2, 5].flatMap((n) => Array.from({ length: 9 }, (_, i) => n * 10 ** i)).sort((a, b) => a - b);
const LEAPS = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity };

function loadStyle(href) {
  const link = document.createElement('link');
  Object.assign(link, { rel: 'stylesheet', href });
  return new Promise((resolve, reject) => {
    link.onload = resolve;
    link.onerror = reject;
    document.head.append(link);
  });
}
await Promise.all([needWords('chart'), loadStyle('/vendor/uplot.css'), loadStyle('/css/chart.css')]);

/** A colour of css/tokens.css as it is now; where the system has colours of its own, its text colour. */
function token(name) {
  if (matchMedia('(forced-colors: active)').matches) return 'CanvasText';
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Calls `changed` when the theme is another one: the choice of the page, or the system's. */
function watchTheme(changed) {
  const chosen = new MutationObserver(changed);
  const system = ['(prefers-color-scheme: dark)', '(forced-colors: active)'].map((query) => matchMedia(query));
  chosen.observe(document.documentElement, { attributeFilter: ['data-theme'] });
  for (const query of system) query.addEventListener('change', changed);
  return () => {
    chosen.disconnect();
    for (const query of system) query.removeEventListener('change', changed);
  };
}

/** Times of the axis: the day at midnight, else the clock. */
function tick(seconds) {
  const date = new Date(seconds * 1000);
  return date.getHours() === 0 && date.getMinutes() === 0 ? shortDay(date) : clock(date, { now: date });
}

function options(lines, width, onCursor) {
  const font = `12px ${token('sans')}`;
  const axis = {
    font,
    stroke: () => token('muted'),
    grid: { stroke: () => token('hairline'), width: 1 },
    ticks: { stroke: () => token('hairline'), width: 1, size: 4 },
  };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false } },
    scales: { y: { range: (_, __, max) => [0, Math.max(4, max * 1.05)] } },
    axes: [
      { ...axis, size: 32, space: 64, values: (_, splits) => splits.map(tick) },
      { ...axis, incrs: WHOLE, size: 56, values: (_, splits) => splits.map(number) },
    ],
    series: [
      {},
      ...lines.map(({ colour }, i) => ({ stroke: () => token(colour), width: 2, dash: DASHES[i], points: { show: false } })),
    ],
    hooks: { setCursor: [(u) => onCursor(u.cursor.idx ?? null)] },
  };
}

/** The canvas, and how the keyboard moves over it. Gives {box, onKeyDown}. */
function useCanvas(times, lines, onCursor) {
  const box = useRef(null);
  const plot = useRef(null);
  const language = useStore((s) => s.language);
  const data = [times, ...lines.map((line) => line.values)];
  const latest = useRef(null);
  latest.current = data;

  useEffect(() => {
    const u = new uPlot(options(lines, box.current.clientWidth, onCursor), latest.current, box.current);
    plot.current = u;
    const size = new ResizeObserver(([{ contentRect }]) => {
      if (contentRect.width > 0) u.setSize({ width: contentRect.width, height: HEIGHT });
    });
    size.observe(box.current);
    const unwatch = watchTheme(() => u.redraw());
    return () => {
      unwatch();
      size.disconnect();
      u.destroy();
      plot.current = null;
    };
  }, [language]);
  useEffect(() => plot.current?.setData(latest.current), [times, ...lines.map((line) => line.values)]);

  const onKeyDown = (event) => {
    const u = plot.current;
    if (event.key === 'Escape' && u.cursor.idx !== null) {
      event.stopPropagation();
      u.setCursor({ left: -10, top: -10 });
      return;
    }
    const leap = LEAPS[event.key];
    if (leap === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const last = times.length - 1;
    const from = u.cursor.idx ?? (leap < 0 ? last + 1 : last - 1);
    const to = Math.max(0, Math.min(last, from + leap));
    u.setCursor({ left: u.valToPos(times[to], 'x'), top: 0 });
  };
  return { box, onKeyDown };
}

function Legend({ lines }) {
  return html`<ul class="row">${lines.map(
    ({ name, words, tone }, i) => html`<li key=${name}><svg class=${`keyline ${tone}`} viewBox="0 0 24 8"
      aria-hidden="true"><path d="M0 4h24" stroke-dasharray=${DASHES[i].join(' ') || undefined} /></svg>${words}</li>`,
  )}</ul>`;
}

function Numbers({ label, times, lines, unfinished }) {
  const rows = times.map((_, i) => times.length - 1 - i); // the newest first
  return html`<div class="chart-table" role="region" aria-label=${label} tabindex="0">
    <table>
      <thead><tr><th scope="col">${t('chart.time')}</th>${lines.map(
        ({ name, words }) => html`<th key=${name} scope="col" class="num">${words}</th>`,
      )}</tr></thead>
      <tbody>${rows.map(
        (i) => html`<tr key=${times[i]}><th scope="row"><${Time} at=${new Date(times[i] * 1000).toISOString()} />${
          unfinished && i === times.length - 1 && html` <small class="muted">${t('chart.so-far')}</small>`
        }</th>${lines.map(({ name, values }) => html`<td key=${name} class="num">${number(values[i])}</td>`)}</tr>`,
      )}</tbody>
    </table></div>`;
}

/**
 * label: what it shows. times: seconds since 1970, where the steps begin. lines, at most 4: {name, words, colour (of
 * tokens.css), tone (the class with that colour), values}. unfinished: the last step goes on. table: as a table.
 * empty: what to say when all is 0. children: stands under the drawing.
 */
export function Chart({ label, times, lines, unfinished, table, empty, children }) {
  const [at, setAt] = useState(null);
  const { box, onKeyDown } = useCanvas(times, lines, setAt);
  const here = at !== null && at < times.length;
  const nothing = lines.every((line) => line.values.every((n) => n === 0));
  const values = here && lines.map(({ words, values }) => `${words} ${number(values[at])}`).join(' · ');
  return html`<figure class="chart near">
    <${Legend} lines=${lines} />
    <div class="chart-box" ref=${box} role="application" tabindex="0" aria-label=${t('chart.label', { label })}
      aria-describedby="chart-keys" onKeyDown=${onKeyDown} hidden=${table}></div>
    ${table && html`<${Numbers} label=${label} times=${times} lines=${lines} unfinished=${unfinished} />`}
    <figcaption class="small muted">
      ${nothing && html`<p><b>${empty}</b></p>`}
      ${
        !table &&
        html`<p role="status" class="num">${
          here
            ? html`<${Time} at=${new Date(times[at] * 1000).toISOString()} /> · ${values}${
                unfinished && at === times.length - 1 && ` · ${t('chart.so-far')}`
              }`
            : html`<span id="chart-keys">${t('chart.keys')}</span>`
        }</p>`
      }
      ${children}
    </figcaption>
  </figure>`;
}
