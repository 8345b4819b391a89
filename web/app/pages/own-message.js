// One of my messages: to whom it went, and what became of it.
import { get, segment } from '/app/api.js';
import { html } from '/app/html.js';
import { size, t } from '/app/i18n.js';
import { useKeys } from '/app/keys.js';
import { Place } from '/app/pages/mail.js';
import { MessageState } from '/app/parts/icon.js';
import { Crumb, Fact, Facts, Failure, Heading, Time } from '/app/parts/page.js';
import { Table, useList } from '/app/parts/table.js';
import { useNow, useQuery } from '/app/query.js';
import { back } from '/app/router.js';

/** The recipients, each with the last that is known of it. */
function rowsOf(trace) {
  return trace.recipients.map((one) => ({ ...one, ...trace.events.findLast((event) => event.recipient === one.id), id: one.id }));
}

function columns(now) {
  return [
    { key: 'outcome', head: t('queue.state'), className: 'fit top first', headClass: 'fit', cell: (row) => html`<${MessageState} state=${row.outcome} />` },
    { key: 'to', head: t('queue.to'), className: 'line', cell: (row) => html`<span class="mono">${row.address}</span>` },
    { key: 'place', head: t('mail.place'), className: 'line', cell: (row) => html`<${Place} ...${row} />` },
    { key: 'at', head: t('trace.time'), className: 'nowrap muted', cell: (row) => row.at && html`<${Time} at=${row.at} now=${now} />` },
  ];
}

export default function OwnMessage({ id }) {
  const now = useNow();
  const trace = useQuery(`me/traces/${id}`, (signal) => get(`/me/traces/${segment(id)}`, { signal }));
  const rows = trace.data ? rowsOf(trace.data) : null;
  const list = useList(rows, (row) => row.id);
  useKeys({ Escape: () => back('/me/mail') });
  const known = trace.data;
  return html`<div class="near"><${Crumb} href="/me/mail" text=${t('menu.mail')} />
      <${Heading} title=${known ? (known.subject ?? t('trace.no-subject')) : id} /></div>
    ${trace.error && html`<${Failure} error=${trace.error} lead=${t('trace.unreadable')} retry=${trace.reload} />`}
    ${
      known &&
      html`<${Facts}>
        <${Fact} name=${t('queue.from')}><span class="mono">${known.sender || t('queue.null-sender')}</span><//>
        <${Fact} name=${t('trace.time')}><${Time} at=${known.accepted_at} now=${now} /><//>
        ${known.size > 0 && html`<${Fact} name=${t('mail.size')}>${size(known.size)}<//>`}
        ${known.message_id && html`<${Fact} name="Message-ID"><span class="mono">${known.message_id}</span><//>`}
      <//>
      <${Table} label=${t('mail.recipients')} columns=${columns(now)} rows=${rows} keyOf=${(row) => row.id} list=${list}
        busy=${false} old=${trace.old} />`
    }`;
}
