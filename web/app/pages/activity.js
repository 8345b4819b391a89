// Sign-ins of 30 days, good and bad ones: of the own account, or of another.
import { get, segment } from '/app/api.js';
import { html } from '/app/html.js';
import { needWords, t } from '/app/i18n.js';
import { useKeys } from '/app/keys.js';
import { AccountTabs } from '/app/parts/account.js';
import { State } from '/app/parts/icon.js';
import { Crumb, Failure, Heading, Time } from '/app/parts/page.js';
import { Pager, Table, useList } from '/app/parts/table.js';
import { useNow, useQuery } from '/app/query.js';
import { back } from '/app/router.js';

await needWords('activity');

const RESULT = {
  ok: ['plain', 'ok'],
  'wrong-password': ['fail', 'fail'],
  'wrong-code': ['fail', 'fail'],
  'code-missing': ['wait', 'warn'],
};

function columns(now) {
  return [
    {
      key: 'result',
      head: t('activity.result'),
      className: 'line',
      cell: (row) => {
        const [tone, icon] = RESULT[row.result] ?? ['plain', 'dot'];
        return html`<${State} tone=${tone} icon=${icon}>${t(`activity.${row.result}`)}${
          row.count > 1 && html` <span class="num">×${row.count}</span>`
        }<//>${row.new_network && html` <b>${t('activity.new-network')}</b>`}`;
      },
    },
    {
      key: 'protocol',
      head: t('session.where'),
      className: 'line',
      cell: (row) => (row.protocol === 'page' ? t('session.page') : t(`protocol.${row.protocol}`)),
    },
    {
      key: 'ip',
      head: t('session.from'),
      cell: (row) => (row.ip ? html`<span class="mono">${row.ip}</span>` : t('activity.many')),
    },
    { key: 'at', head: t('activity.at'), className: 'nowrap muted', cell: (row) => html`<${Time} at=${row.at} now=${now} />` },
  ];
}

/** address: of another account; absent: the own. */
export default function Activity({ address, query }) {
  const mine = address === undefined;
  const now = useNow();
  const base = mine ? '/me' : `/accounts/${segment(address)}`;
  const cursor = query.get('cursor');
  const list = useQuery(`${base}/activity?${cursor}`, (signal) => get(`${base}/activity`, { signal, query: { cursor } }));
  const rows = list.data?.data ?? null;
  const keys = useList(rows, (row) => `${row.at} ${row.protocol}`);
  useKeys({ Escape: () => !mine && back('/accounts') });
  return html`<div class="near">
      ${!mine && html`<${Crumb} href="/accounts" text=${t('menu.accounts')} />`}
      <${Heading} title=${mine ? t('menu.activity') : address} /><${AccountTabs} base=${base} tab="activity" /></div>
    <section class="near"><h2>${t('activity.title')}</h2><p class="muted">${t('activity.text')}</p>
      ${list.error && html`<${Failure} error=${list.error} lead=${t('activity.unreadable')} retry=${list.reload} />`}
      ${
        rows?.length === 0
          ? html`<p class="muted">${t('activity.nothing')}</p>`
          : (rows !== null || !list.error) &&
            html`<${Table} label=${t('activity.title')} columns=${columns(now)} rows=${rows} list=${keys} busy=${list.busy}
              keyOf=${(row) => `${row.at} ${row.protocol} ${row.result}`} old=${list.old} />`
      }
      <${Pager} next=${list.data?.next} cursor=${cursor}
        href=${(to) => `${base}/activity${to ? `?cursor=${encodeURIComponent(to)}` : ''}`} />
    </section>`;
}
