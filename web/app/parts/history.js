// Overview's chart: what became of mail over time. Loaded when the rest of the page stands.
import { useEffect, useMemo } from 'preact/hooks';
import { get } from '/app/api.js';
import { html } from '/app/html.js';
import { t } from '/app/i18n.js';
import { Chart } from '/app/parts/chart.js';
import { Failure } from '/app/parts/page.js';
import { useQuery } from '/app/query.js';

const RANGES = ['1h', '24h', '7d', '30d'];
const AGAIN_MS = 60000; // a minute is the shortest step
const LINES = [
  { name: 'accepted', colour: 'accent', tone: 'is-main' },
  { name: 'delivered', colour: 'ok', tone: 'is-ok' },
  { name: 'deferred', colour: 'wait', tone: 'is-wait' },
  { name: 'refused', colour: 'fail', tone: 'is-fail' },
];

function Drawing({ history, range, table }) {
  const { step_seconds: step } = history;
  const times = useMemo(() => {
    const from = Date.parse(history.from) / 1000;
    return history.accepted.map((_, i) => from + i * step);
  }, [history]);
  const lines = LINES.map((line) => ({ ...line, words: t(`chart.${line.name}`), values: history[line.name] }));
  return html`<${Chart} label=${t(`chart.range.${range}`)} times=${times} lines=${lines}
      unfinished=${range !== '1h'} table=${table} empty=${t('chart.nothing')}>
    <p>${t(`chart.step.${range}`)} ${t('chart.what')}</p><//>`;
}

export default function History({ query }) {
  const range = RANGES.includes(query.get('range')) ? query.get('range') : '24h';
  const table = query.get('as') === 'table';
  const path = `/status/history?range=${range}`;
  const answer = useQuery(path, (signal) => get('/status/history', { signal, query: { range } }));
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') answer.refresh((_, fresh) => fresh);
    }, AGAIN_MS);
    return () => clearInterval(timer);
  }, []);
  const href = (more) => {
    const next = new URLSearchParams({ range, as: table ? 'table' : 'chart', ...more });
    if (next.get('as') === 'chart') next.delete('as');
    return `/?${next}`;
  };
  return html`<div class="head"><h2>${t(`chart.range.${range}`)}</h2>
      <div class="row"><nav class="seg" aria-label=${t('chart.range')}>${RANGES.map(
        (one) => html`<a key=${one} href=${href({ range: one })} aria-current=${one === range ? 'true' : undefined}>${t(
          `chart.short.${one}`,
        )}</a>`,
      )}</nav>
      <a class="button is-quiet" href=${href({ as: table ? 'chart' : 'table' })}>${t(table ? 'chart.as-chart' : 'chart.as-table')}</a></div></div>
    ${answer.error && html`<${Failure} error=${answer.error} lead=${t('chart.unreadable')} retry=${answer.reload} />`}
    ${
      answer.data !== null
        ? html`<${Drawing} history=${answer.data} range=${answer.data.range} table=${table} />`
        : !answer.error && html`<div aria-busy="true"></div>`
    }`;
}
