// The log of every write by any door, and the proof that it was not changed.
import { useState } from 'preact/hooks';
import { get } from '/app/api.js';
import { html } from '/app/html.js';
import { needWords, t } from '/app/i18n.js';
import { Filters, filtersOf, withQuery } from '/app/parts/filters.js';
import { Failure, Notice, Time } from '/app/parts/page.js';
import { SettingsHead } from '/app/parts/settings-tabs.js';
import { Empty, Pager, Table, useList } from '/app/parts/table.js';
import { useNow, useQuery } from '/app/query.js';

await needWords('audit');

const NOUNS = ['account', 'alias', 'domain', 'filter', 'message', 'queue', 'setting', 'token'];
const PERIODS = ['-1h', '-24h', '-7d', '-30d'];

const fields = () => [
  { name: 'actor', label: t('audit.actor'), single: true, hint: 'admin@example.org' },
  { name: 'object', label: t('audit.object'), single: true, hint: 'alice@example.org' },
  {
    name: 'action',
    label: t('audit.action'),
    single: true,
    options: NOUNS.map((noun) => [`${noun}.`, t(`audit.noun.${noun}`)]),
  },
  { name: 'since', label: t('audit.since'), single: true, options: PERIODS.map((one) => [one, t(`audit.since.${one}`)]) },
];

const text = (value) => JSON.stringify(value, null, 2);

function Change({ row }) {
  if (row.before === null && row.after === null) return null;
  return html`<details><summary>${t('audit.change')}</summary>
    ${row.before !== null && html`<p class="muted">${t('audit.before')}</p><pre class="wrap">${text(row.before)}</pre>`}
    ${row.after !== null && html`<p class="muted">${t('audit.after')}</p><pre class="wrap">${text(row.after)}</pre>`}
  </details>`;
}

const columns = (now) => [
  { key: 'at', head: t('audit.when'), className: 'nowrap top', cell: (row) => html`<${Time} at=${row.at} now=${now} />` },
  {
    key: 'actor',
    head: t('audit.actor'),
    className: 'top line',
    cell: (row) => html`<span class="mono">${row.actor.name}</span>
      <small class="muted"> ${[row.actor.via, row.actor.ip].filter(Boolean).join(' · ')}</small>`,
  },
  { key: 'action', head: t('audit.action'), className: 'top nowrap', cell: (row) => html`<code>${row.action}</code>` },
  {
    key: 'object',
    head: t('audit.object'),
    className: 'top line wrap',
    cell: (row) => html`<span class="mono">${row.objects.join(', ')}</span><${Change} row=${row} />`,
  },
];

/** Asks until all entries were looked at. */
async function verify() {
  let after = null;
  let rows = 0;
  for (;;) {
    const proof = await get('/audit/verify', { query: { after } });
    rows += proof.rows;
    if (proof.wrong !== null || !proof.more) return { ...proof, rows };
    after = proof.last;
  }
}

/** The button that proves the log, and what came of it. */
function useProof() {
  const [state, setState] = useState({ busy: false, proof: null, error: null });
  const run = async () => {
    setState({ busy: true, proof: null, error: null });
    try {
      setState({ busy: false, proof: await verify(), error: null });
    } catch (error) {
      setState({ busy: false, proof: null, error });
    }
  };
  const { proof } = state;
  const button = html`<button class="button" type="button" disabled=${state.busy} onClick=${run}>${t('audit.verify')}</button>`;
  const result = html`<div role="status">
    ${
      proof !== null &&
      (proof.wrong === null
        ? html`<${Notice} tone="ok" icon="ok" lead=${t('audit.whole', { n: proof.rows })}>
          ${proof.hash !== null && html`<p class="muted">${t('audit.hash')} <code class="break">${proof.hash}</code></p>`}<//>`
        : html`<${Notice} tone="fail" icon="fail" lead=${t('audit.broken', { id: proof.wrong })} />`)
    }
    ${state.error && html`<${Failure} error=${state.error} lead=${t('audit.unreadable')} retry=${run} />`}</div>`;
  return { button, result };
}

export default function Audit({ query }) {
  const now = useNow();
  const proof = useProof();
  const filter = filtersOf(query, fields());
  const cursor = query.get('cursor');
  const list = useQuery(`audit?${query}`, (signal) => get('/audit', { signal, query: { ...filter, cursor } }));
  const rows = list.data?.data ?? null;
  const keys = useList(rows, (row) => row.id);
  const href = (to) => {
    const next = withQuery(query, 'cursor', []);
    if (to) next.set('cursor', to);
    return `/settings/audit${next.size ? `?${next}` : ''}`;
  };
  return html`<${SettingsHead} group="audit" />
    <section class="near">
      <div class="head"><p class="muted">${t('audit.text')}</p>${proof.button}</div>
      ${proof.result}
      <${Filters} fields=${fields()} query=${query} />
      ${list.error && html`<${Failure} error=${list.error} lead=${t('audit.unreadable')} retry=${list.reload} />`}
      ${
        rows?.length === 0 && !list.old
          ? html`<${Empty} title=${t('audit.nothing')} />`
          : (rows !== null || !list.error) &&
            html`<${Table} label=${t('settings.group.audit')} columns=${columns(now)} rows=${rows} keyOf=${(row) => row.id}
              list=${keys} busy=${list.busy} old=${list.old} />`
      }
      <${Pager} next=${list.data?.next} cursor=${cursor} href=${href} />
    </section>`;
}
