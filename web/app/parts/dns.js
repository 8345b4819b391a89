// The DNS records of a domain: what is wanted against what its name servers answer, asked again until it is right.
import { useEffect, useRef, useState } from 'preact/hooks';
import { get, request, segment } from '/app/api.js';
import { html } from '/app/html.js';
import { needWords, t } from '/app/i18n.js';
import { Copy } from '/app/parts/copy.js';
import { State } from '/app/parts/icon.js';
import { Failure, Time } from '/app/parts/page.js';
import { Table, useList } from '/app/parts/table.js';
import { useNow, useQuery } from '/app/query.js';

await needWords('dns');

const AGAIN_MS = 30000;
const TONE = { found: ['ok', 'ok'], missing: ['fail', 'fail'], different: ['fail', 'warn'], optional: ['plain', 'dot'], unknown: ['plain', 'wait'] };

function Record({ row }) {
  const found = row.found.filter((one) => one !== row.value);
  return html`<code class="break">${row.line ?? `${row.name}. ${row.type} ${row.value ?? ''}`}</code>
    ${
      row.state === 'different' &&
      html`<br /><small class="muted">${t('dns.found')} <code class="break">${found.join(', ')}</code></small>`
    }
    ${row.state !== 'found' && row.line === null && html`<br /><small class="muted">${t(`dns.help.${row.purpose}`)}</small>`}`;
}

const columns = () => [
  {
    key: 'state',
    head: t('dns.state'),
    className: 'fit top',
    cell: (row) => html`<${State} tone=${TONE[row.state][0]} icon=${TONE[row.state][1]}>${t(`dns.state.${row.state}`)}<//>`,
  },
  {
    key: 'purpose',
    head: t('dns.record'),
    className: 'fit top',
    cell: (row) => html`<b>${t(`dns.purpose.${row.purpose}`)}</b> <span class="muted">${row.type}</span>`,
  },
  { key: 'value', head: t('dns.value'), className: 'line', cell: (row) => html`<${Record} row=${row} />` },
  {
    key: 'act',
    head: t('table.actions'),
    hide: true,
    className: 'act fit end top',
    cell: (row) =>
      row.line !== null &&
      row.state !== 'found' &&
      html`<${Copy} text=${row.line} word=${t('action.copy')} label=${t('dns.copy', { record: t(`dns.purpose.${row.purpose}`) })}
        className="is-quiet" />`,
  },
];

/** Asks at once when nobody did yet, and every 30 s while something is wrong and the page is looked at. */
function useCheck(path, onCheck) {
  const dns = useQuery(path, (signal) => get(path, { signal }));
  const [state, setState] = useState({ busy: false, error: null });
  const latest = useRef(null);
  latest.current = dns.data;
  const check = async () => {
    setState({ busy: true, error: null });
    try {
      await request('POST', `${path}/check`);
      onCheck?.(await dns.reload());
      setState({ busy: false, error: null });
    } catch (error) {
      setState({ busy: false, error });
    }
  };
  const never = dns.data?.checked_at === null;
  useEffect(() => {
    if (never) check();
  }, [never]);
  useEffect(() => {
    const timer = setInterval(() => {
      const now = latest.current;
      if (now !== null && now.right < now.wanted && document.visibilityState === 'visible') check();
    }, AGAIN_MS);
    return () => clearInterval(timer);
  }, [path]);
  return { dns, ...state, check };
}

/** onCheck: called with the answer when it was looked up anew. */
export function Dns({ domain, onCheck }) {
  const { dns, busy, error, check } = useCheck(`/domains/${segment(domain.name)}/dns`, onCheck);
  const now = useNow();
  const data = dns.data;
  const rows = data?.records ?? null;
  const list = useList(rows, (row) => row.purpose + row.name);
  const failure = error ?? dns.error;
  const zone = rows?.filter((row) => row.line !== null).map((row) => `${row.line}\n`);
  return html`<section class="near">
    <div class="head"><h2>${t('dns.title')}</h2>
      <p class="muted row" role="status">${
        data !== null &&
        data.checked_at !== null &&
        html`<span>${t(data.right === data.wanted ? 'dns.all-right' : 'dns.right', { n: data.right, of: data.wanted })}</span>
          <span>${t('dns.checked')} <${Time} at=${data.checked_at} relative now=${now} /></span>`
      }</p></div>
    <p class="muted">${t(`dns.text.${domain.kind}`)}</p>
    ${failure && html`<${Failure} error=${failure} lead=${t('dns.unreadable')} retry=${check} />`}
    ${
      rows !== null &&
      html`<${Table} label=${t('dns.title')} columns=${columns()} rows=${rows} keyOf=${(row) => row.purpose + row.name} list=${list} />`
    }
    ${
      rows !== null &&
      html`<div class="row"><${Copy} text=${zone.join('')} word=${t('dns.copy-zone')} />
      <button class="button" type="button" disabled=${busy} onClick=${check}>${t('dns.check')}</button></div>`
    }
  </section>`;
}
