// Trace: every message that is or was in the queue, found by sender, recipient, subject, Message-ID or id.
import { useState } from 'preact/hooks';
import { get } from '/app/api.js';
import { useEvents } from '/app/events.js';
import { html } from '/app/html.js';
import { t } from '/app/i18n.js';
import { useKeys } from '/app/keys.js';
import { Filters, filtersOf, withQuery } from '/app/parts/filters.js';
import { Icon, MessageState } from '/app/parts/icon.js';
import { Failure, Heading, Time } from '/app/parts/page.js';
import { Empty, Pager, Table, useList } from '/app/parts/table.js';
import { useNow, useQuery } from '/app/query.js';
import { setQuery } from '/app/router.js';

const OUTCOMES = ['waiting', 'delivered', 'relayed', 'bounced', 'removed', 'refused'];
const SPANS = ['1h', '24h', '7d', '30d'];

const idOf = (row) => row.id;

function fields() {
  return [
    {
      name: 'outcome',
      label: t('filter.outcome'),
      options: OUTCOMES.map((outcome) => [outcome, t(`message.state.${outcome}`)]),
    },
    { name: 'sender', label: t('filter.sender'), hint: 'alice@example.org' },
    { name: 'recipient', label: t('filter.recipient'), hint: 'joe@example.net' },
    { name: 'subject', label: t('filter.subject'), single: true },
    { name: 'message_id', label: t('filter.message-id'), single: true, hint: '4711@example.org' },
    { name: 'ip', label: t('filter.ip'), hint: '192.0.2.10' },
    { name: 'account', label: t('filter.account'), hint: 'alice@example.org' },
    {
      name: 'direction',
      label: t('filter.direction'),
      options: ['in', 'out', 'local'].map((way) => [way, t(`trace.direction.${way}`)]),
    },
    {
      name: 'since',
      label: t('filter.since'),
      single: true,
      options: SPANS.map((span) => [`-${span}`, t(`filter.since.${span}`)]),
    },
    { name: 'q', label: t('filter.text'), single: true, hint: t('filter.text-hint') },
  ];
}

/** The box that the second of the ten tasks starts with: paste, Enter. */
function Find({ query }) {
  const [text, setText] = useState(query.get('q') ?? '');
  useKeys({ '/': () => document.getElementById('find').focus() });
  const submit = (event) => {
    event.preventDefault();
    const words = text.trim();
    setQuery(withQuery(query, 'q', words === '' ? [] : [words]));
  };
  return html`<form class="row find" role="search" aria-label=${t('trace.find')} onSubmit=${submit}>
    <label class="hidden" for="find">${t('trace.find-label')}</label>
    <input class="button" id="find" type="search" placeholder=${t('trace.find-hint')} autocomplete="off"
      spellcheck=${false}
      value=${text} onInput=${(event) => setText(event.target.value)} />
    <button class="button"><${Icon} name="search" />${t('trace.find')}</button>
  </form>`;
}

function columns(now) {
  return [
    {
      key: 'time',
      head: t('trace.time'),
      className: 'fit end top muted',
      headClass: 'fit',
      cell: (row) => html`<${Time} at=${row.accepted_at} now=${now} />`,
    },
    {
      key: 'outcome',
      head: t('queue.state'),
      className: 'fit top first',
      headClass: 'fit',
      cell: (row) => html`<${MessageState} state=${row.outcome} />`,
    },
    {
      key: 'from',
      head: t('queue.from'),
      className: 'clip line',
      headClass: 'w22',
      cell: (row) =>
        html`<a class="open mono" href=${`/trace/${row.id}`}
          title=${row.sender}>${row.sender || t('queue.null-sender')}</a>`,
    },
    {
      key: 'to',
      head: t('queue.to'),
      className: 'clip line',
      headClass: 'w22',
      label: t('queue.to-card'),
      cell: (row) =>
        row.recipient_count === 1
          ? html`<span class="mono" title=${row.recipient}>${row.recipient}</span>`
          : t('queue.to-many', { n: row.recipient_count }),
    },
    {
      key: 'subject',
      head: t('trace.subject'),
      className: 'line',
      cell: (row) => row.subject ?? html`<span class="muted">${t('trace.no-subject')}</span>`,
    },
  ];
}

/** A page of them. The server ends one after a while, also when it found none; then it is asked for older ones. */
async function search(filter, from, signal) {
  let cursor = from;
  for (;;) {
    const answer = await get('/traces', { signal, query: { ...filter, cursor } });
    if (answer.data.length > 0 || answer.next === null) return answer;
    cursor = answer.next;
  }
}

export default function Traces({ query }) {
  const now = useNow();
  const all = fields();
  const filter = filtersOf(query, all);
  const list = useQuery(`traces?${query}`, (signal) => search(filter, query.get('cursor'), signal));
  const rows = list.data?.data ?? null;
  const keys = useList(rows, idOf);
  // New messages would push the rows down; outcomes of those that are shown may change in place.
  const refresh = (shown, answer) => {
    if (shown === null || shown.data.length === 0) return answer;
    const fresh = new Map(answer.data.map((row) => [row.id, row]));
    return { ...shown, data: shown.data.map((row) => fresh.get(row.id) ?? row) };
  };
  useEvents(['queue.changed'], () => list.refresh(refresh));
  const href = (to) => {
    const next = withQuery(query, 'cursor', []);
    if (to) next.set('cursor', to);
    return `/trace${next.size ? `?${next}` : ''}`;
  };
  const filtered = Object.keys(filter).length > 0;
  return html`<div class="near">
    <div class="head"><${Heading} title=${t('menu.trace')} /><${Find} key=${query.get('q')} query=${query} /></div>
    <${Filters} fields=${all} query=${query} text=${null} />
    ${list.error && html`<${Failure} error=${list.error} lead=${t('trace.unreadable')} retry=${list.reload} />`}
    ${
      rows?.length === 0 && !list.old
        ? html`<${Empty} title=${t(filtered ? 'trace.no-match' : 'trace.nothing')}
          actions=${filtered && html`<a class="button"
            href="/trace">${t('filter.clear')}</a>`}>${t(filtered ? 'trace.no-match-text' : 'trace.nothing-text')}<//>`
        : (rows !== null || !list.error) &&
          html`<${Table} label=${t('trace.section')} columns=${columns(now)} rows=${rows} keyOf=${idOf} list=${keys}
            busy=${list.busy} old=${list.old} />`
    }
    <${Pager} next=${list.data?.next} cursor=${query.get('cursor')} href=${href} word=${t('pager.older')} />
  </div>`;
}
