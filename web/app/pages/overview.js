// Overview: one sentence that says whether mail flows, then what needs somebody, then the figures.
import { useEffect, useState } from 'preact/hooks';
import { html } from '/app/html.js';
import { ago, clock, day, duration, has, milliseconds, number, size, t } from '/app/i18n.js';
import { useQueueActions } from '/app/parts/actions.js';
import { Icon, State } from '/app/parts/icon.js';
import { Age, Fact, Facts, Failure, Heading, LiveMark, Notice, Time } from '/app/parts/page.js';
import { actorSentence, reasonWords, Why } from '/app/parts/reason.js';
import { refreshStatus } from '/app/parts/shell.js';
import { Spark } from '/app/parts/spark.js';
import { Table, useList } from '/app/parts/table.js';
import { useNow, useQuery, useSlow } from '/app/query.js';
import { can, useStore } from '/app/store.js';

const loadHistory = () => import('/app/parts/history.js');
const loadChecklist = () => import('/app/parts/checklist.js');

const queueOf = (destination) => `/queue?destination=${encodeURIComponent(destination)}`;

function verdict(status) {
  if (status.verdict === 'down') return t('overview.down');
  const n = status.problems.length;
  return n === 0 ? t('overview.ok') : t('overview.attention', { n });
}

/** What a problem says: {lead, text, action}. Unknown ids say what can be said. */
function problemWords(problem, now) {
  const since = problem.since ? duration((now - new Date(problem.since)) / 1000) : null;
  if (problem.id === 'destination-failing') {
    const next = problem.next_attempt_at && t('overview.next', { time: clock(problem.next_attempt_at, { now }) });
    return {
      lead: t('overview.destination', { n: problem.waiting, destination: problem.destination, duration: since }),
      text: [
        problem.explanation && t('by.reason', { reason: reasonWords(problem.explanation) }),
        actorSentence(problem.explanation, problem.destination),
        next,
      ]
        .filter(Boolean)
        .join(' '),
      action: html`<a class="button"
        href=${queueOf(problem.destination)}>${t('overview.show', { n: problem.waiting })}</a>`,
    };
  }
  const key = `overview.problem.${problem.id}`;
  const args = {
    duration: since,
    settings: (problem.settings ?? []).join(', '),
    until: problem.until && day(problem.until),
  };
  if (!has(key)) return { lead: problem.id, text: '', action: null };
  const oldest = problem.id === 'queue-old' && html`<a class="button" href="/queue">${t('overview.show-queue')}</a>`;
  return { lead: t(key, args), text: t(`${key}.text`, args), action: oldest };
}

function Problems({ problems, now }) {
  if (problems.length === 0) return null;
  const [first, ...others] = problems;
  const words = problemWords(first, now);
  return html`<${Notice} tone=${first.severity === 'error' ? 'fail' : 'wait'}
    icon=${first.severity === 'error' ? 'fail' : 'warn'}
      label=${t('overview.problems')} lead=${words.lead} actions=${words.action}><p>${words.text}</p><//>
    ${
      others.length > 0 &&
      html`<ul>${others.map((problem, i) => {
        const other = problemWords(problem, now);
        const tone = problem.severity === 'error' ? 'fail' : 'wait';
        return html`<li key=${i} class=${`check is-${tone}`}><${Icon} name=${tone === 'fail' ? 'fail' : 'warn'} />
          <span>${other.lead}</span>${other.action}</li>`;
      })}</ul>`
    }`;
}

/** Up to four: what is measured, and the queue's own counts for the rest. */
function figures(status, now) {
  const { rates = {}, series = {}, queue } = status;
  const rate = (name) =>
    rates[name] !== undefined && { name, value: rates[name], unit: t('overview.per-minute'), line: series[name] };
  const oldest =
    queue.oldest_accepted_at && html`${t('overview.oldest')} <${Age} since=${queue.oldest_accepted_at} now=${now} />`;
  const waiting = { name: 'waiting', value: queue.waiting, unit: oldest, line: series.waiting, href: '/queue' };
  const list = [
    rate('accepted'),
    rate('delivered'),
    waiting,
    rate('refused'),
    { name: 'sending', value: queue.sending, href: '/queue?state=sending' },
    { name: 'held', value: queue.held, href: '/queue?state=held' },
  ];
  return list.filter(Boolean).slice(0, 4);
}

function Figures({ status, now }) {
  return html`<section class="figures" aria-label=${t('overview.figures')}>
    ${figures(status, now).map(
      (figure) => html`<div key=${figure.name}>
      <span class="muted">${figure.href ? html`<a class="open"
        href=${figure.href}>${t(`overview.${figure.name}`)}</a>` : t(`overview.${figure.name}`)}</span>
      <b class="num">${number(figure.value)} <small>${figure.unit}</small></b>
      <${Spark} values=${figure.line} /></div>`,
    )}
  </section>`;
}

const DATABASE = { durable: ['ok', 'ok'], unsafe: ['fail', 'fail'], unavailable: ['fail', 'fail'] };

function Server({ status, now }) {
  const { database, certificate, disk } = status;
  const days = certificate && Math.floor((new Date(certificate.not_after) - now) / 86400000);
  return html`<section class="near"><h2>${t('overview.server')}</h2><${Facts}>
    <${Fact} name=${t('overview.host')}><span class="mono">${status.hostname}</span><//>
    ${
      database &&
      html`<${Fact} name=${t('overview.database')}>
      <${State} tone=${DATABASE[database.state]?.[0] ?? 'plain'}
        icon=${DATABASE[database.state]?.[1] ?? 'dot'}>${t(`overview.database.${database.state}`)}<//>
      ${database.version && html` <span class="muted">PostgreSQL ${database.version}</span>`}<//>`
    }
    ${status.accept_p95_ms !== undefined && html`<${Fact}
      name=${t('overview.accept')}>${milliseconds(status.accept_p95_ms)} <span
      class="muted">${t('overview.p95')}</span><//>`}
    ${
      certificate &&
      html`<${Fact}
        name=${t('overview.certificate')}>${days < 0 ? t('overview.expired') : t('overview.days-left', { n: days })}
      ${certificate.self_signed && html` <span class="muted">${t('overview.self-signed')}</span>`}<//>`
    }
    ${disk && html`<${Fact}
      name=${t('overview.disk')}>${t('overview.used', { percent: Math.round((100 * disk.used) / disk.total) })} <span
      class="muted">${t('overview.of', { size: size(disk.total) })}</span><//>`}
    <${Fact} name=${t('overview.version')}>${status.version}${status.started_at && html` <span
      class="muted">${t('overview.started', { time: ago(status.started_at, now) })}</span>`}<//>
  <//></section>`;
}

function Destinations({ destinations, now, act }) {
  const list = useList(destinations, (row) => row.destination);
  const retry = (row) => act('retry', { filter: { destination: [row.destination] }, count: row.messages });
  const columns = [
    {
      key: 'destination',
      head: t('queue.destination'),
      cell: (row) => html`<a class="open mono" href=${queueOf(row.destination)}>${row.destination}</a>`,
    },
    {
      key: 'why',
      head: t('queue.why'),
      className: 'line',
      cell: (row) => html`<${State} tone="wait" icon="wait"><span class="wrap"><${Why} ...${row} /></span><//>`,
    },
    {
      key: 'messages',
      head: t('overview.waiting'),
      className: 'num',
      label: t('overview.waiting'),
      cell: (row) => number(row.messages),
    },
    {
      key: 'next',
      head: t('queue.next'),
      className: 'num',
      label: t('queue.next'),
      cell: (row) => (row.next_attempt_at ? html`<${Time} at=${row.next_attempt_at} now=${now} />` : '–'),
    },
  ];
  if (can('queue:write')) {
    columns.push({
      key: 'act',
      head: t('table.actions'),
      hide: true,
      className: 'act fit end',
      cell: (row) => html`<button class="button is-quiet" type="button" onClick=${() => retry(row)}>
      ${t('action.retry')}<span
        class="hidden"> ${t('overview.retry-hidden', { n: row.messages, destination: row.destination })}</span></button>`,
    });
  }
  return html`<section><h2>${t('overview.destinations')}</h2>
    ${
      destinations.length === 0
        ? html`<p class="muted">${t('overview.no-destinations')}</p>`
        : html`<${Table} label=${t('overview.destinations')} columns=${columns} rows=${destinations}
          keyOf=${(row) => row.destination} list=${list} />`
    }
  </section>`;
}

/** A part that is loaded behind the first paint; load: its module, whose default it is. */
function Later({ load, ...props }) {
  const [state, setState] = useState({ part: null, failed: false });
  useEffect(() => {
    const begin = () =>
      load().then(
        (module) => setState({ part: module.default, failed: false }),
        () => setState({ part: null, failed: true }),
      );
    requestAnimationFrame(() => setTimeout(begin));
  }, []);
  if (state.failed) return html`<p class="muted">${t('failure.page')}</p>`;
  return state.part === null ? html`<div aria-busy="true"></div>` : html`<${state.part} ...${props} />`;
}

export default function Overview({ query }) {
  const first = useQuery('status', refreshStatus);
  const status = useStore((s) => s.status);
  const at = useStore((s) => s.statusAt);
  const now = useNow();
  const slow = useSlow(status === null);
  const { act, dialog } = useQueueActions(() => refreshStatus().catch(() => {}));

  if (status === null) {
    if (first.error)
      return html`<${Heading} title=${t('menu.overview')} /><${Failure} error=${first.error}
        lead=${t('overview.unreadable')} retry=${first.reload} />`;
    return (
      slow &&
      html`<div class="near" aria-busy="true"><${Heading} title=${t('menu.overview')}>
        <span class="hidden">${t('menu.overview')}</span><//><svg class="skeleton" width="320"
        aria-hidden="true" /></div>`
    );
  }
  const more = status.checklist_shown && status.checklist.some((step) => !step.done);
  return html`
    <div class="near">
      <div class="head"><${Heading} title=${t('menu.overview')} className="verdict">${verdict(status)}<//>
        <${LiveMark} at=${at} /></div>
      ${first.error && html`<${Failure} error=${first.error} lead=${t('overview.unreadable')} retry=${first.reload} />`}
      <${Problems} problems=${status.problems} now=${now} />
    </div>
    <${Figures} status=${status} now=${now} />
    ${status.database && html`<section class="near history"><${Later} load=${loadHistory} query=${query} /></section>`}
    <div class="split">
      <div class="stack"><${Destinations} destinations=${status.destinations} now=${now} act=${act} />
        ${more && html`<section class="near"><${Later} load=${loadChecklist} steps=${status.checklist} /></section>`}</div>
      <${Server} status=${status} now=${now} />
    </div>
    ${dialog}`;
}
