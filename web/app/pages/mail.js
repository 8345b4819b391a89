// My mail: what the own account sent and received, and where it is.
import { get } from '/app/api.js';
import { html } from '/app/html.js';
import { needWords, t } from '/app/i18n.js';
import { AccountTabs } from '/app/parts/account.js';
import { Filters, filtersOf, withQuery } from '/app/parts/filters.js';
import { MessageState } from '/app/parts/icon.js';
import { Failure, Heading, Time } from '/app/parts/page.js';
import { Empty, Pager, Table, useList } from '/app/parts/table.js';
import { useNow, useQuery } from '/app/query.js';

await needWords('mail');

const OUTCOMES = ['waiting', 'delivered', 'relayed', 'bounced', 'refused'];
const DONE = ['delivered', 'relayed'];

const idOf = (row) => row.id;

/** Where it went, or what was said instead. */
export function Place({ outcome, mailbox, rule, reply }) {
  if (DONE.includes(outcome) && mailbox) return html`${mailbox}${rule && html` <span class="muted">${rule}</span>`}`;
  return DONE.includes(outcome) || !reply ? '' : html`<span class="mono">${reply}</span>`;
}

function fields() {
  return [
    { name: 'way', label: t('mail.way'), options: ['received', 'sent'].map((way) => [way, t(`mail.${way}`)]) },
    { name: 'outcome', label: t('filter.outcome'), options: OUTCOMES.map((one) => [one, t(`message.state.${one}`)]) },
    { name: 'q', label: t('filter.text'), single: true, hint: t('mail.text-hint') },
  ];
}

function Other({ row }) {
  const received = row.way === 'received';
  const one = received ? row.sender || t('queue.null-sender') : row.recipient;
  const many = !received && row.recipient_count > 1 && t('queue.to-many', { n: row.recipient_count });
  return html`<span class="muted">${t(received ? 'mail.from' : 'mail.to')}</span> <a class="open mono"
    href=${`/me/mail/${row.id}`} title=${one}>${many || one}</a>`;
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
    { key: 'other', head: t('mail.other'), className: 'clip line', headClass: 'w22', cell: (row) => html`<${Other} row=${row} />` },
    {
      key: 'subject',
      head: t('trace.subject'),
      className: 'line',
      cell: (row) => row.subject ?? html`<span class="muted">${t('trace.no-subject')}</span>`,
    },
    { key: 'place', head: t('mail.place'), className: 'line', cell: (row) => html`<${Place} ...${row} />` },
  ];
}

export default function Mail({ query }) {
  const now = useNow();
  const all = fields();
  const filter = filtersOf(query, all);
  const cursor = query.get('cursor');
  const list = useQuery(`me/traces?${query}`, (signal) => get('/me/traces', { signal, query: { ...filter, cursor } }));
  const rows = list.data?.data ?? null;
  const keys = useList(rows, idOf);
  const href = (to) => {
    const next = withQuery(query, 'cursor', []);
    if (to) next.set('cursor', to);
    return `/me/mail${next.size ? `?${next}` : ''}`;
  };
  const filtered = Object.keys(filter).length > 0;
  return html`<div class="near"><${Heading} title=${t('menu.mail')} /><${AccountTabs} base="/me" tab="mail" />
    <${Filters} fields=${all} query=${query} text="q" />
    ${list.error && html`<${Failure} error=${list.error} lead=${t('trace.unreadable')} retry=${list.reload} />`}
    ${
      rows?.length === 0 && !list.old
        ? html`<${Empty} title=${t(filtered ? 'trace.no-match' : 'trace.nothing')}
          actions=${filtered && html`<a class="button" href="/me/mail">${t('filter.clear')}</a>`}>${t(
            filtered ? 'trace.no-match-text' : 'mail.nothing-text',
          )}<//>`
        : (rows !== null || !list.error) &&
          html`<${Table} label=${t('trace.section')} columns=${columns(now)} rows=${rows} keyOf=${idOf} list=${keys}
            busy=${list.busy} old=${list.old} />`
    }
    <${Pager} next=${list.data?.next} cursor=${cursor} href=${href} word=${t('pager.older')} />
  </div>`;
}
