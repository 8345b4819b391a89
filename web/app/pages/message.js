// One message: where it is and whose turn it is, then what happened to it, attempt by attempt.
import { useState } from 'preact/hooks';
import { get, segment } from '/app/api.js';
import { useEvents } from '/app/events.js';
import { html } from '/app/html.js';
import { clock, day, duration, milliseconds, needWords, number, shortDay, size, t, tx, utc } from '/app/i18n.js';
import { useKeys } from '/app/keys.js';
import { useQueueActions } from '/app/parts/actions.js';
import { Advice, reasonSentence } from '/app/parts/advice.js';
import { Copy } from '/app/parts/copy.js';
import { Icon, MessageState } from '/app/parts/icon.js';
import { More } from '/app/parts/menu.js';
import { byWhom, Crumb, Fact, Facts, Failure, Heading, Notice, Time } from '/app/parts/page.js';
import { reasonWords, Why } from '/app/parts/reason.js';
import { refreshStatus } from '/app/parts/shell.js';
import { Source } from '/app/parts/source.js';
import { Table, useList } from '/app/parts/table.js';
import { useNow, useQuery } from '/app/query.js';
import { back, navigate } from '/app/router.js';
import { can, useStore } from '/app/store.js';

await needWords('message');

const SHOWN_RECIPIENTS = 20;
const DONE = ['delivered', 'relayed', 'bounced', 'expired', 'removed'];
const OUTCOME = {
  delivered: ['ok', 'ok'],
  relayed: ['ok', 'ok'],
  deferred: ['wait', 'wait'],
  bounced: ['fail', 'fail'],
  refused: ['fail', 'fail'],
};
const PORTS = { smtp: 25, submission: 587, submissions: 465 };

/** The trace, with the queue's view while it waits, and all pages of attempts the first of which is enough. */
async function load(id, signal) {
  const path = segment(id);
  const [trace, message, attempts] = await Promise.all([
    get(`/traces/${path}`, { signal }),
    get(`/queue/messages/${path}`, { signal }).catch((error) => {
      if (error.status === 404) return null;
      throw error;
    }),
    get(`/queue/messages/${path}/attempts`, { signal, query: { limit: 200 } }),
  ]);
  return { trace, message, attempts: attempts.data, moreAttempts: attempts.next };
}

/** Attempts over one connection at one time are one entry: {first, recipients, dialogue, hosts}. */
export function groupAttempts(attempts) {
  const groups = [];
  const bySession = new Map();
  for (const attempt of [...attempts].reverse()) {
    const key = attempt.session ?? `${attempt.recipient} ${attempt.number}`;
    const group = bySession.get(key);
    if (group) {
      group.all.push(attempt);
      group.dialogue ??= attempt.dialogue;
    } else {
      const made = { first: attempt, all: [attempt], dialogue: attempt.dialogue };
      bySession.set(key, made);
      groups.push(made);
    }
  }
  return groups;
}

const worst = (group) =>
  ['bounced', 'deferred', 'relayed', 'delivered'].find((result) => group.all.some((one) => one.result === result));

/** The recipient whose state the message shows. */
function leading(message) {
  return message.recipients.find((one) => one.state === message.state) ?? message.recipients[0];
}

/** The same message, as a question. */
function explainUrl({ sender, recipients, size: bytes, account, ip }) {
  const given = { from: sender, to: recipients[0]?.address, size: bytes > 0 ? String(bytes) : '', account, ip };
  return `/explain?${new URLSearchParams(Object.entries(given).filter(([, value]) => value))}`;
}

/** The domain of the recipient with this id. */
const domainOf = (trace, id) => trace.recipients.find((one) => one.id === id)?.address.split('@').at(-1) ?? '';

function Answer({ data, now }) {
  const { trace, message, attempts } = data;
  if (message === null) {
    const outcome = trace.outcome === 'waiting' ? 'removed' : trace.outcome;
    const [tone, icon] = OUTCOME[outcome] ?? ['plain', 'close'];
    const last = trace.events.at(-1);
    const failed = ['bounced', 'refused'].includes(outcome) && attempts.find((one) => one.result === 'bounced');
    const destination = failed && domainOf(trace, failed.recipient);
    const lead = t(`message.answer.${outcome}`, { n: trace.recipients.length });
    return html`<${Notice} answer tone=${tone} icon=${icon} label=${t('message.where')}
      lead=${failed ? `${lead} ${reasonSentence(failed.explanation, destination, failed.reply)}` : lead}>
      ${failed && html`<${Advice} explanation=${failed.explanation} destination=${destination} reply=${failed.reply}
        host=${failed.mx} />`}
      ${last && html`<p>${tx('message.left', { time: html`<${Time} at=${last.at} now=${now} />` })}</p>`}<//>`;
  }
  const first = leading(message);
  const open = message.recipients.filter((one) => !DONE.includes(one.state)).length;
  if (message.state === 'held') {
    const { hold } = message;
    return html`<${Notice} answer tone="held" icon="held" label=${t('message.where')} lead=${
      hold?.at ? t('message.answer.held-since', { time: clock(hold.at, { now }) }) : t('message.answer.held')
    }>
      <p>${t('message.answer.held-text')} ${hold && byWhom(hold)}</p><//>`;
  }
  if (message.state === 'sending') {
    return html`<${Notice} answer tone="plain" icon="send" label=${t('message.where')}
      lead=${t('message.answer.sending', { destination: first.destination })}>
      <p>${t('message.answer.sending-text')}</p><//>`;
  }
  if (message.state === 'removing') {
    const returns = first.explanation?.id === 'bounced-by-admin';
    return html`<${Notice} answer tone="plain" icon="close" label=${t('message.where')}
      lead=${t(returns ? 'message.answer.returning' : 'message.answer.deleting')}>
      <p>${t('message.answer.removing-text')}</p><//>`;
  }
  const stillOpen = message.recipients.length > 1 && t('message.open', { n: open, total: message.recipients.length });
  const expires = t('message.expires', { time: clock(message.expires_at, { now }) });
  const inTime = duration((new Date(first.next_attempt_at) - now) / 1000);
  const next =
    first.next_attempt_at &&
    html`<p><b>${t('message.next', { time: clock(first.next_attempt_at, { now }) })}</b>${' '}
    ${t('message.next-in', { duration: inTime, n: first.attempts + 1 })} ${expires}</p>`;
  const lead =
    message.state === 'scheduled'
      ? t('message.answer.scheduled')
      : t('message.answer.deferred', { why: reasonSentence(first.explanation, first.destination, first.reply) });
  return html`<${Notice} answer tone=${message.state === 'scheduled' ? 'plain' : 'wait'}
    icon=${message.state === 'scheduled' ? 'planned' : 'wait'} label=${t('message.where')} lead=${lead}>
    ${
      message.state === 'deferred' &&
      html`<${Advice} explanation=${first.explanation} destination=${first.destination} reply=${first.reply}
        host=${attempts.find((one) => one.recipient === first.id)?.mx} />`
    }
    ${stillOpen && html`<p>${stillOpen}</p>`}${next}<//>`;
}

/** What decided the attempt: the last line with its reply's code, else the last that the other server said. */
export function decidingLine(lines, reply) {
  const found = reply ? lines.findLastIndex((line) => line.s?.startsWith(String(reply.code))) : -1;
  return found >= 0 ? found : lines.findLastIndex((line) => line.s !== undefined);
}

/** Who said a line: they, we, or nobody: "(connecting to …)" is a note. */
function Speaker({ line }) {
  if (line.s !== undefined) return html`<span title=${t('message.they')}>S</span>`;
  return line.c.startsWith('(') ? html`<span></span>` : html`<span title=${t('message.we')}>C</span>`;
}

function Dialogue({ group, number: n }) {
  const lines = group.dialogue ?? [];
  const tone = OUTCOME[worst(group)]?.[0];
  const deciding = decidingLine(lines, group.first.reply);
  return html`<details class=${`is-${tone}`} open=${lines.length > 0 && lines.length <= 40 && group.open}>
    <summary>${t('message.dialogue')}</summary>
    <ol class="dialogue" tabindex="0" aria-label=${t('message.dialogue-of', { n })}>
      ${lines.map(
        (line, i) => html`<li key=${i}><span title=${t('duration.ms', { n: line.t })}>${line.t}</span>
        <${Speaker} line=${line} />
        ${i === deciding ? html`<b>${line.s}</b>` : (line.s ?? line.c)}</li>`,
      )}
    </ol></details>`;
}

function tlsWords(tls) {
  if (tls === null || tls === undefined) return t('message.no-tls');
  const version = (tls.version ?? tls).replace(/^TLSv/, 'TLS ');
  if (tls.verified === 'none') return t('message.tls-unverified', { version });
  const by = tls.verified === 'ca' ? t('message.tls-by-ca') : tls.verified;
  return tls.verified ? t('message.tls-verified', { version, by }) : version;
}

function AttemptEntry({ group, since, event }) {
  const { first } = group;
  const result = worst(group);
  const [tone, icon] = OUTCOME[result];
  const where = first.mx && html`<code>${first.mx}</code>${first.ip !== first.mx && html` ${first.ip}`}`;
  const facts = [
    first.duration_ms !== null && milliseconds(first.duration_ms),
    !['dns', 'connect'].includes(first.phase) && tlsWords(first.tls),
  ]
    .filter(Boolean)
    .join(', ');
  const reply =
    first.reply &&
    html`<br /><code>${first.reply.code}${first.reply.enhanced && ` ${first.reply.enhanced}`} ${first.reply.text}</code>`;
  const title = t('message.attempt', { number: number(first.number) });
  const what =
    result === 'relayed' || result === 'delivered'
      ? t(`message.result.${result}`)
      : reasonWords(first.explanation, first.reply);
  return html`<li class=${`is-${tone}`}><${EntryTime} at=${first.started_at} day=${since} /><${Icon} name=${icon} /><div>
    <b>${title}</b> ${what}${group.all.length > 1 && html` <span
      class="muted">${t('message.for-recipients', { n: group.all.length })}</span>`}<br />
    ${event?.mailbox && html`${t('message.stored', { mailbox: event.mailbox })} `}
    ${event?.rule && html`${t('message.by-rule', { rule: event.rule })} `}
    <span class="muted">${where}${where && facts && ', '}${facts}</span>${reply}
    ${group.dialogue && html`<${Dialogue} group=${group} number=${number(first.number)} />`}</div></li>`;
}

/** The clock time, to the second for what has happened; a day's name where it is another day than the message's. */
function EntryTime({ at, day: first, later }) {
  const other = new Date(at).toDateString() !== new Date(first).toDateString();
  const time = clock(at, { seconds: !later && !other, now: new Date(at) });
  return html`<time class="muted" datetime=${at} title=${utc(at)}>${other && html`${shortDay(at)} `}${time}</time>`;
}

const EVENT_TONE = {
  held: ['held', 'held'],
  bounced: ['fail', 'fail'],
  expired: ['fail', 'fail'],
  delay_notice: ['wait', 'warn'],
  removed: ['plain', 'close'],
  deleting: ['plain', 'close'],
  returning: ['plain', 'close'],
};

function EventEntry({ event, trace }) {
  if (event.kind === 'accepted') {
    const port = PORTS[event.listener];
    const from = trace.account ? t('message.accepted-from', { account: trace.account }) : t('message.accepted');
    const facts = [
      event.ip && t('message.from-ip', { ip: event.ip }),
      port && t('message.on-port', { port: String(port) }),
      event.tls && tlsWords(event.tls),
      event.duration_ms !== undefined && t('message.after', { duration: milliseconds(event.duration_ms) }),
      event.session && t('message.session', { session: event.session }),
    ]
      .filter(Boolean)
      .join(', ');
    return html`<li class="is-ok"><${EntryTime} at=${event.at} day=${trace.accepted_at} /><${Icon} name="ok" /><div>
      <b>${from}</b><br />
      <span class="muted">${facts}</span></div></li>`;
  }
  const [tone, icon] = EVENT_TONE[event.kind] ?? ['plain', 'dot'];
  const by = byWhom(event);
  const to = {
    rescheduled: () => t('message.event.rescheduled-to', { time: clock(event.to) }),
    rerouted: () => event.to && t('message.event.rerouted-to', { route: event.to }),
    changed: () => event.to,
  }[event.kind]?.();
  return html`<li class=${`is-${tone}`}><${EntryTime} at=${event.at} day=${trace.accepted_at} /><${Icon} name=${icon} />
    <div>
    <b>${t(`message.event.${event.kind}`)}</b>${to && ` ${to}`}${by && html`<br /><span class="muted">${by}</span>`}</div></li>`;
}

function Timeline({ data }) {
  const { trace, message, attempts, moreAttempts } = data;
  const groups = groupAttempts(attempts);
  const lastTalk = groups.findLast((group) => group.dialogue);
  if (lastTalk) lastTalk.open = true;
  const entries = [
    ...trace.events
      .filter((event) => event.kind !== 'attempt')
      .map((event, i) => ({
        at: event.at,
        node: html`<${EventEntry} key=${`e${i}`} event=${event} trace=${trace} />`,
      })),
    ...groups.map((group) => ({
      at: group.first.started_at,
      node: html`<${AttemptEntry} key=${group.first.id} group=${group} since=${trace.accepted_at}
        event=${trace.events.find((one) => one.attempt === group.first.id)} />`,
    })),
  ].sort((a, b) => a.at.localeCompare(b.at));
  const first = message && leading(message);
  const planned =
    first?.next_attempt_at &&
    html`<li class="is-plain is-later"><${EntryTime} at=${first.next_attempt_at} day=${trace.accepted_at} later />
      <${Icon} name="planned" />
    <div><b>${t('message.attempt', { number: number(first.attempts + 1) })}</b> ${t('message.planned')}</div></li>`;
  const end =
    message &&
    html`<li class="is-plain"><${EntryTime} at=${message.expires_at} day=${trace.accepted_at} later />
    <${Icon} name="planned" /><div class="muted">${t('message.returned')}</div></li>`;
  return html`<section class="near"><h2>${t('message.timeline')} <small
    class="muted">${t('message.your-time', { day: day(trace.accepted_at) })}</small></h2>
    ${moreAttempts && html`<p class="muted">${t('message.older-attempts')}</p>`}
    <ol class="timeline">${entries.map((entry) => entry.node)}${planned}${end}</ol></section>`;
}

function MessageFacts({ data }) {
  const { trace, message } = data;
  const recipients = message?.recipients ?? trace.recipients.map((one) => ({ ...one, state: one.outcome }));
  const origin = message?.origin;
  const ip = trace.ip ?? origin?.ip;
  return html`<section class="near side" aria-label=${t('message.facts')}><h2>${t('message.facts')}</h2><${Facts}>
    <${Fact} name=${t('queue.from')}><span class="mono">${trace.sender || t('queue.null-sender')}</span>
      ${trace.account && ip && html`<br /><span class="muted">${t('message.signed-in', { ip })}</span>`}<//>
    <${Fact} name=${t('queue.to')}>${
      recipients.length === 1
        ? html`<span class="mono">${recipients[0].address}</span><br /><${MessageState} state=${recipients[0].state} />`
        : t('queue.to-many', { n: recipients.length })
    }<//>
    ${message?.route && html`<${Fact} name=${t('message.route')}><span class="mono">${message.route}</span><//>`}
    <${Fact} name=${t('message.size')}>${size(trace.size)}<//>
    ${
      origin &&
      html`<${Fact} name=${t('message.received')}>${
        [
          origin.tls && tlsWords(origin.tls),
          PORTS[origin.listener] && t('message.port', { port: String(PORTS[origin.listener]) }),
        ]
          .filter(Boolean)
          .join(', ') || t('message.made-here')
      }<//>`
    }
    <${Fact} name="Message-ID">${trace.message_id ? html`<span
      class="mono">${trace.message_id.replace(/^<|>$/g, '')}</span>` : '–'}<//>
    <${Fact} name=${t('message.id')}><span class="mono">${trace.id}</span><//>
  <//></section>`;
}

function Recipients({ recipients, now }) {
  const [all, setAll] = useState(false);
  const shown = all ? recipients : recipients.slice(0, SHOWN_RECIPIENTS);
  const list = useList(shown, (row) => row.id);
  const columns = [
    {
      key: 'state',
      head: t('queue.state'),
      className: 'fit top',
      cell: (row) => html`<${MessageState} state=${row.state} />`,
    },
    {
      key: 'address',
      head: t('message.recipient'),
      className: 'line',
      cell: (row) => html`<span class="mono">${row.address}</span>`,
    },
    {
      key: 'why',
      head: t('queue.why'),
      className: 'line',
      cell: (row) => html`<${Why} explanation=${row.explanation} reply=${row.reply} />`,
    },
    {
      key: 'attempts',
      head: t('message.attempts'),
      className: 'num',
      label: t('message.attempts'),
      cell: (row) => number(row.attempts),
    },
    {
      key: 'next',
      head: t('queue.next'),
      className: 'num',
      label: t('queue.next'),
      cell: (row) => (row.next_attempt_at ? clock(row.next_attempt_at, { now }) : '–'),
    },
  ];
  return html`<section><h2>${t('queue.recipients')} <span class="count">${number(recipients.length)}</span></h2>
    <${Table} label=${t('queue.recipients')} columns=${columns} rows=${shown} keyOf=${(row) => row.id} list=${list} />
    ${
      !all &&
      recipients.length > shown.length &&
      html`<p class="pager"><button class="button" type="button" onClick=${() => setAll(true)}>
      ${t('message.all-recipients', { n: recipients.length })}</button></p>`
    }</section>`;
}

/** The message as a row of the queue, for the shared actions. */
function asRow(message) {
  const open = message.recipients.filter((one) => !DONE.includes(one.state));
  return {
    id: message.id,
    destination: open[0]?.destination ?? '',
    recipient_count: open.length,
    accepted_at: message.accepted_at,
  };
}

function Buttons({ message, act }) {
  const run = (action) => act(action, { rows: [asRow(message)] });
  const held = message.state === 'held';
  const whole = useStore((s) => s.session?.domains === null);
  const open = message.state !== 'removing';
  useKeys({ r: () => open && !held && run('retry'), h: () => open && !held && run('hold') });
  if (!open) return null;
  return html`
    ${
      held
        ? html`<button class="button is-primary" type="button"
          onClick=${() => run('release')}>${t('action.release')}</button>`
        : html`<button class="button is-primary" type="button"
          onClick=${() => run('retry')}>${t('action.retry')} <kbd>r</kbd></button>
          <button class="button" type="button" onClick=${() => run('hold')}>${t('action.hold')}</button>`
    }
    <button class="button only-wide" type="button" onClick=${() => run('bounce')}>${t('action.bounce')}</button>
    <button class="button only-wide is-danger" type="button" onClick=${() => run('delete')}>${t('action.delete')}</button>
    <${More} label=${t('action.more')} items=${[
      !held && { word: t('action.reschedule'), run: () => run('reschedule') },
      whole && { word: t('action.reroute'), run: () => run('reroute') },
      { word: t('action.bounce'), run: () => run('bounce'), small: true },
      { word: t('action.delete'), run: () => run('delete'), danger: true, small: true },
    ]} />`;
}

export default function Message({ id }) {
  const now = useNow();
  const query = useQuery(`message/${id}`, (signal) => load(id, signal));
  useEvents(['queue.changed'], query.reload);
  const explain = () => query.data && navigate(explainUrl(query.data.trace));
  useKeys({ Escape: () => back('/trace'), e: () => can('trace:read') && explain() });
  const { act, dialog } = useQueueActions(() => Promise.allSettled([query.reload(), refreshStatus()]));

  const { data, error } = query;
  if (data === null) {
    if (!error)
      return html`<div aria-busy="true"><${Crumb} href="/trace" text=${t('menu.trace')}>
        <span class="mono">${id}</span><//></div>`;
    const unknown = error.status === 404;
    return html`<div class="near"><${Crumb} href="/trace" text=${t('menu.trace')} /><${Heading} title=${id} />
      ${unknown ? html`<p>${t('message.unknown')}</p>` : html`<${Failure} error=${error} lead=${t('message.unreadable')}
        retry=${query.reload} />`}</div>`;
  }
  const { trace, message } = data;
  return html`
    <div class="near">
      <div class="head">
        <div><${Crumb} href="/trace" text=${t('menu.trace')}><span class="mono">${trace.id}</span><//>
          <${Heading} title=${trace.subject ?? t('trace.no-subject')} /></div>
        <div class="row">${message && can('queue:write') && html`<${Buttons} message=${message} act=${act} />`}
          <a class="button" href=${explainUrl(trace)}>${t('message.explain')} <kbd>e</kbd></a>
          <${Copy} text=${trace.id} label=${t('message.copy-id', { id: trace.id })} /></div>
      </div>
      ${error && html`<${Failure} error=${error} lead=${t('message.unreadable')} retry=${query.reload} />`}
      <${Answer} data=${data} now=${now} />
    </div>
    <div class="split"><${MessageFacts} data=${data} />
      <div class="stack">
        ${message && message.recipients.length > 1 && html`<${Recipients} recipients=${message.recipients} now=${now} />`}
        <${Timeline} data=${data} />
        ${message && html`<${Source} id=${message.id} />`}
      </div></div>
    ${dialog}`;
}
