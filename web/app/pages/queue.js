// The queue: messages or groups, filters in the URL, actions on one, many or all that match.
import { useEffect, useRef, useState } from 'preact/hooks';
import { get } from '/app/api.js';
import { useEvents } from '/app/events.js';
import { html } from '/app/html.js';
import { clock, duration, needWords, number, t, tx } from '/app/i18n.js';
import { useKeys } from '/app/keys.js';
import { nextWords, useQueueActions } from '/app/parts/actions.js';
import { Filters, filtersOf, withQuery } from '/app/parts/filters.js';
import { MessageState, State } from '/app/parts/icon.js';
import { More } from '/app/parts/menu.js';
import { Age, Failure, Heading } from '/app/parts/page.js';
import { reasonWords, Why } from '/app/parts/reason.js';
import { refreshStatus } from '/app/parts/shell.js';
import { Empty, Pager, Table, useList, useSelection } from '/app/parts/table.js';
import { useNow, useQuery } from '/app/query.js';
import { setQuery } from '/app/router.js';
import { can, store, useStore } from '/app/store.js';

await needWords('holds');

const STATES = ['deferred', 'scheduled', 'sending', 'held', 'removing'];
const REASONS = [
  'connection-refused',
  'connection-timeout',
  'connection-lost',
  'no-route',
  'dns-failed',
  'tls-failed',
  'auth-failed',
  'slow-down',
  'greylisted',
  'mailbox-full',
  'temporary',
  'held',
  'not-tried',
];
const AGES = [60, 300, 1800, 3600, 14400, 86400, 172800];
const GROUPS = ['destination', 'sender', 'reason'];
const FOR_ALL = ['retry', 'release']; // what ?do= asks for all that match

const idOf = (row) => row.id;
const keyOf = (row) => row.key;
const nameOf = (row) => t('queue.row', { from: row.sender || t('queue.null-sender'), to: toWords(row) });

function fields() {
  return [
    { name: 'state', label: t('filter.state'), options: STATES.map((state) => [state, t(`message.state.${state}`)]) },
    { name: 'destination', label: t('filter.destination'), hint: 'example.net' },
    { name: 'sender', label: t('filter.sender'), hint: 'alice@example.org' },
    { name: 'sender_domain', label: t('filter.sender-domain'), hint: 'example.org' },
    { name: 'recipient', label: t('filter.recipient'), hint: 'joe@example.net' },
    { name: 'account', label: t('filter.account'), hint: 'alice@example.org' },
    { name: 'reason', label: t('filter.reason'), options: REASONS.map((reason) => [reason, t(`reason.${reason}`)]) },
    {
      name: 'age_min',
      label: t('filter.older'),
      single: true,
      options: AGES.map((age) => [String(age), duration(age)]),
    },
    { name: 'q', label: t('filter.text'), single: true, hint: t('filter.text-hint') },
  ];
}

function toWords(row) {
  if (row.recipient_count === 1) return row.recipient;
  return row.destination_count === 1
    ? t('queue.to-at', { n: row.recipient_count, destination: row.destination })
    : t('queue.to-many', { n: row.recipient_count });
}

function To({ row }) {
  if (row.recipient_count === 1) return html`<span class="mono" title=${row.recipient}>${row.recipient}</span>`;
  if (row.destination_count > 1) return t('queue.to-many', { n: row.recipient_count });
  return tx('queue.to-at', { n: row.recipient_count, destination: html`<span class="mono">${row.destination}</span>` });
}

function messageColumns(now) {
  return [
    {
      key: 'state',
      head: t('queue.state'),
      className: 'fit top',
      cell: (row) => html`<${MessageState} state=${row.gone ? 'gone' : row.state} />`,
    },
    {
      key: 'from',
      head: t('queue.from'),
      className: 'clip line',
      headClass: 'w22',
      cell: (row) =>
        html`<a class="open mono" href=${`/trace/${row.id}`}
          title=${row.subject ?? undefined}>${row.sender || t('queue.null-sender')}</a>`,
    },
    {
      key: 'to',
      head: t('queue.to'),
      className: 'clip line',
      headClass: 'w22',
      label: t('queue.to-card'),
      cell: (row) => html`<${To} row=${row} />`,
    },
    { key: 'why', head: t('queue.why'), cell: (row) => html`<${Why} ...${row} />` },
    {
      key: 'next',
      head: t('queue.next'),
      className: 'num fit end',
      headClass: 'num',
      label: t('queue.next'),
      cell: (row) => nextWords(row, now),
    },
    {
      key: 'age',
      head: t('queue.age'),
      className: 'num fit end top muted spare',
      headClass: 'num spare',
      sort: 'descending',
      cell: (row) => html`<${Age} since=${row.accepted_at} now=${now} />`,
    },
  ];
}

/** What filters a group stands for, on top of those in force; in the URL and here the null sender is <>. */
function groupFilter(filter, group, row) {
  return { ...filter, [group]: [row.key || '<>'] };
}

/** The filters as the API wants them: there the null sender is empty. */
function apiFilter(filter) {
  return filter.sender ? { ...filter, sender: filter.sender.map((one) => (one === '<>' ? '' : one)) } : filter;
}

/** "Paused until 14:32", before the reason. */
function Paused({ paused, now }) {
  const words = paused.until ? t('pause.is-until', { time: clock(paused.until, { now }) }) : t('pause.is');
  return html`<${State} tone="held" icon="held">${words}<//> ${paused.reason && html`<span
    class="muted">${paused.reason}</span>`}`;
}

function groupColumns(group, filter, now, act, pause) {
  const filterUrl = (row) => {
    const params = new URLSearchParams();
    for (const [name, values] of Object.entries(groupFilter(filter, group, row)))
      for (const value of values) params.append(name, value);
    return `/queue?${params}`;
  };
  const word = (row) => (group === 'reason' ? reasonWords({ id: row.key }) : row.key || t('queue.null-sender'));
  const run = (action, row) => act(action, { filter: apiFilter(groupFilter(filter, group, row)), count: row.messages });
  const button = (row) => {
    const action = row.waiting > 0 && !row.paused ? 'retry' : row.held > 0 ? 'release' : null;
    return html`${
      action &&
      html`<button class="button is-quiet" type="button" onClick=${() => run(action, row)}>
      ${t(`action.${action}`)}<span
        class="hidden"> ${t('queue.group-hidden', { n: row.messages, what: word(row) })}</span></button>`
    }${
      pause &&
      html`<button class="button is-quiet" type="button" onClick=${() => pause(row)}>
      ${t(row.paused ? 'action.resume' : 'action.pause')}<span class="hidden"> ${word(row)}</span></button>`
    }`;
  };
  return [
    {
      key: 'key',
      head: t(`queue.${group}`),
      className: 'line',
      cell: (row) =>
        html`<a class=${`open${group === 'reason' ? '' : ' mono'}`} href=${filterUrl(row)}>${word(row)}</a>`,
    },
    group !== 'reason' && {
      key: 'why',
      head: t('queue.why'),
      className: 'line',
      cell: (row) =>
        row.paused
          ? html`<${Paused} paused=${row.paused} now=${now} />`
          : html`<${Why} explanation=${row.explanation} />`,
    },
    {
      key: 'messages',
      head: t('queue.messages'),
      className: 'num',
      label: t('queue.messages'),
      cell: (row) => number(row.messages),
    },
    {
      key: 'recipients',
      head: t('queue.recipients'),
      className: 'num spare',
      label: t('queue.recipients'),
      cell: (row) => number(row.recipients),
    },
    {
      key: 'held',
      head: t('overview.held'),
      className: 'num',
      label: t('overview.held'),
      cell: (row) => number(row.held),
    },
    {
      key: 'oldest',
      head: t('queue.oldest'),
      className: 'num',
      label: t('queue.oldest'),
      cell: (row) => (row.oldest_accepted_at ? html`<${Age} since=${row.oldest_accepted_at} now=${now} />` : '–'),
    },
    {
      key: 'next',
      head: t('queue.next'),
      className: 'num',
      label: t('queue.next'),
      cell: (row) => (row.next_attempt_at && !row.paused ? clock(row.next_attempt_at, { now }) : '–'),
    },
    can('queue:write') && { key: 'act', head: t('table.actions'), hide: true, className: 'act fit end', cell: button },
  ].filter(Boolean);
}

function Summary() {
  const queue = useStore((s) => s.status?.queue);
  const now = useNow();
  if (!queue) return null;
  const oldest = queue.oldest_accepted_at
    ? t('queue.summary-oldest', { duration: duration((now - new Date(queue.oldest_accepted_at)) / 1000) })
    : '';
  return html`<p
    class="muted">${t('queue.summary', { waiting: queue.waiting, held: queue.held, sending: queue.sending })} ${oldest}</p>`;
}

function LiveButton() {
  const live = useStore((s) => s.live);
  const link = useStore((s) => s.link);
  const tone = live && link === 'live' ? 'ok' : live && link === 'lost' ? 'wait' : 'plain';
  return html`<button type="button" class="button" aria-pressed=${String(live)}
    onClick=${() => store.set({ live: !live })}>
    <${State} tone=${tone} icon="dot">${t('live.live')}<//></button>`;
}

/** Rows of a newer answer without moving the old ones: changed in place, gone ones marked, new ones counted. */
export function mergeRows(shown, fresh) {
  const byId = new Map(fresh.map((row) => [row.id, row]));
  const rows = shown.map((row) => byId.get(row.id) ?? { ...row, gone: true });
  const known = new Set(shown.map(idOf));
  return { rows, fresh: fresh.filter((row) => !known.has(row.id)).length };
}

/** True when nobody is looking at a row closely: then the list may be drawn anew. */
function untouched(area, selection) {
  return (
    matchMedia('(hover: hover)').matches &&
    selection.count === 0 &&
    !area.matches(':hover') &&
    !area.contains(document.activeElement)
  );
}

function Bulk({ selection, rows, count, filter, act }) {
  const total = selection.everything ? count.value : selection.count;
  const run = (action) =>
    act(
      action,
      selection.everything
        ? { filter: apiFilter(filter), count: total, ask: true }
        : { rows: rows.filter((row) => selection.has(row.id)) },
    );
  const whole = useStore((st) => st.session?.domains === null); // a route is nothing for who sees some domains
  const able = (name) =>
    selection.everything ||
    rows.some((row) => selection.has(row.id) && (name === 'release') === (row.state === 'held'));
  useKeys({ r: () => run('retry'), h: () => run('hold'), Escape: selection.clear });
  const all =
    selection.page && !selection.everything && count && count.relation === 'exact' && count.value > selection.count;
  return html`<div class="bulk" role="group" aria-label=${t('queue.selected')}>
    <b>${t('queue.n-selected', { n: total })}</b>
    ${all && html`<button class="button is-quiet" type="button"
      onClick=${selection.chooseEverything}>${t('queue.select-all', { n: count.value })}</button>`}
    ${selection.page && count?.relation === 'at_least' && html`
      <span class="muted">${t('queue.too-many', { n: count.value })}</span>`}
    <button class="button is-quiet" type="button" onClick=${selection.clear}>${t('queue.unselect')}</button>
    <span class="row push only-wide">
      ${
        able('retry') &&
        html`<button class="button is-primary" type="button"
          onClick=${() => run('retry')}>${t('action.retry')} <kbd>r</kbd></button>
        <button class="button" type="button" onClick=${() => run('hold')}>${t('action.hold')}</button>`
      }
      ${able('release') && html`<button class="button" type="button"
        onClick=${() => run('release')}>${t('action.release')}</button>`}
      ${able('retry') && html`<button class="button" type="button"
        onClick=${() => run('reschedule')}>${t('action.reschedule')}</button>`}
      ${whole && html`<button class="button" type="button" onClick=${() => run('reroute')}>${t('action.reroute')}</button>`}
      <button class="button" type="button" onClick=${() => run('bounce')}>${t('action.bounce')}</button>
      <button class="button is-danger" type="button" onClick=${() => run('delete')}>${t('action.delete')}</button>
    </span>
    <span class="only-small bulk-small">
      ${
        able('retry')
          ? html`<button class="button is-primary" type="button"
            onClick=${() => run('retry')}>${t('confirm.retry.verb', { n: total })}</button>`
          : html`<button class="button is-primary" type="button"
            onClick=${() => run('release')}>${t('confirm.release.verb', { n: total })}</button>`
      }
      <${More} label=${t('action.more')} word=${t('menu.more')} items=${[
        able('retry') && { word: t('action.hold'), run: () => run('hold') },
        able('retry') && able('release') && { word: t('action.release'), run: () => run('release') },
        able('retry') && { word: t('action.reschedule'), run: () => run('reschedule') },
        whole && { word: t('action.reroute'), run: () => run('reroute') },
        { word: t('action.bounce'), run: () => run('bounce') },
        { word: t('action.delete'), run: () => run('delete'), danger: true },
      ]} />
    </span>
  </div>`;
}

function Nothing({ filtered }) {
  const traces = can('trace:read') && html`<a class="button" href="/trace">${t('queue.show-traces')}</a>`;
  if (filtered)
    return html`<${Empty} title=${t('queue.no-match')} actions=${html`
      <a class="button" href="/queue">${t('filter.clear')}</a>`}>${t('queue.no-match-text')}<//>`;
  return html`<${Empty} title=${t('queue.nothing')} actions=${traces}>${t('queue.nothing-text')}<//>`;
}

function Messages({ query, filter }) {
  const now = useNow();
  const scope = new URLSearchParams([...query].filter(([name]) => name !== 'cursor')).toString();
  const cursor = query.get('cursor');
  const load = (signal) => get('/queue/messages', { signal, query: { ...apiFilter(filter), cursor, count: true } });
  const list = useQuery(`queue?${query}`, load);
  const [pending, setPending] = useState(null); // a newer answer that would move rows
  const area = useRef(null);

  const rows = list.data?.data ?? null;
  const selection = useSelection(rows, idOf, scope);
  const keys = useList(rows, idOf, selection);
  useEffect(() => setPending(null), [list.key]);

  const apply = () => {
    list.put(pending.answer);
    setPending(null);
  };
  const refresh = (shown, answer) => {
    if (shown === null || shown.data.length === 0 || untouched(area.current, selection)) {
      setPending(null);
      return answer;
    }
    const merged = mergeRows(shown.data, answer.data);
    const moved = merged.fresh > 0 || merged.rows.some((row) => row.gone);
    setPending(moved ? { answer, fresh: merged.fresh } : null);
    return { ...shown, data: merged.rows, count: answer.count };
  };
  useEvents(['queue.changed'], () => list.refresh(refresh));
  const { act, dialog } = useQueueActions(async () => {
    selection.clear();
    setPending(null);
    await Promise.allSettled([list.reload(), refreshStatus()]);
  });
  const asked = FOR_ALL.includes(query.get('do')) && can('queue:write') ? query.get('do') : null;
  useEffect(() => {
    if (asked === null || rows === null || list.old) return;
    const { value, relation } = list.data.count;
    setQuery(withQuery(query, 'do', []), { replace: true });
    if (value > 0 && relation === 'exact') act(asked, { filter: apiFilter(filter), count: value, ask: true });
  }, [asked, list.data, list.old]);

  if (list.error && rows === null)
    return html`<${Failure} error=${list.error} lead=${t('queue.unreadable')} retry=${list.reload} />`;
  const href = (to) => {
    const next = withQuery(query, 'cursor', to ? [to] : []);
    if (to) next.set('cursor', to);
    return `/queue${next.size ? `?${next}` : ''}`;
  };
  return html`<section ref=${area} aria-label=${t('queue.section')}>
    ${list.error && html`<${Failure} error=${list.error} lead=${t('queue.unreadable')} retry=${list.reload} />`}
    ${
      rows?.length === 0 && !list.old
        ? html`<${Nothing} filtered=${Object.keys(filter).length > 0} />`
        : html`<${Table} label=${t('queue.section')} columns=${messageColumns(now)} rows=${rows} keyOf=${idOf}
          list=${keys}
          selection=${can('queue:write') ? selection : undefined} name=${nameOf} busy=${list.busy} old=${list.old} />`
    }
    ${pending && html`<p class="news"><button class="button" type="button" onClick=${apply}>
      ${pending.fresh > 0 ? t('queue.new', { n: pending.fresh }) : t('queue.changes')}</button></p>`}
    ${rows && selection.count > 0 && html`<${Bulk} selection=${selection} rows=${rows} count=${list.data.count}
      filter=${filter} act=${act} />`}
    <${Pager} next=${list.data?.next} cursor=${cursor} href=${href} word=${t('queue.newer')} />
    ${dialog}
  </section>`;
}

/** The groups; those by destination with its pause, and paused destinations without mail at the end. */
async function loadGroups(group, filter, whole, signal) {
  const paused =
    group === 'destination' && whole
      ? get('/queue/destinations', { signal, query: { paused: true, limit: 200 } })
      : Promise.resolve({ data: [] });
  const [groups, pauses] = await Promise.all([
    get('/queue/messages', { signal, query: { ...apiFilter(filter), group, limit: 200 } }),
    paused,
  ]);
  const byName = new Map(pauses.data.map((one) => [one.name, one.paused]));
  const data = groups.data.map((row) => ({ ...row, paused: byName.get(row.key) ?? null }));
  const known = new Set(data.map(keyOf));
  const none = { messages: 0, recipients: 0, waiting: 0, held: 0, sending: 0, oldest_accepted_at: null, next_attempt_at: null };
  if (Object.keys(filter).length === 0)
    for (const [key, pause] of byName) if (!known.has(key)) data.push({ ...none, key, explanation: null, paused: pause });
  return { ...groups, data };
}

function Groups({ group, filter, query }) {
  const now = useNow();
  const whole = useStore((s) => s.session?.domains === null);
  const list = useQuery(`groups?${query}`, (signal) => loadGroups(group, filter, whole, signal));
  const [pausing, setPausing] = useState(null); // {name, Pause}
  const rows = list.data?.data ?? null;
  const keys = useList(rows, keyOf);
  const area = useRef(null);
  useEvents(['queue.changed'], () => {
    if (!area.current?.matches(':hover')) list.reload();
  });
  const { act, dialog } = useQueueActions(() => Promise.allSettled([list.reload(), refreshStatus()]));
  const pause = async (row) => {
    const { Pause, resume } = await import('/app/parts/pause.js');
    if (row.paused) await resume(row.key, list.reload);
    else setPausing({ name: row.key, Pause });
  };
  const mayPause = group === 'destination' && whole && can('queue:write') ? pause : null;
  if (list.error && rows === null)
    return html`<${Failure} error=${list.error} lead=${t('queue.unreadable')} retry=${list.reload} />`;
  return html`<section ref=${area} aria-label=${t('queue.groups')}>
    ${
      rows?.length === 0 && !list.old
        ? html`<${Nothing} filtered=${Object.keys(filter).length > 0} />`
        : html`<${Table} label=${t('queue.groups')} columns=${groupColumns(group, filter, now, act, mayPause)} rows=${rows}
          keyOf=${keyOf} list=${keys} busy=${list.busy} old=${list.old} />`
    }
    ${pausing && html`<${pausing.Pause} name=${pausing.name} onDone=${list.reload} onClose=${() => setPausing(null)} />`}
    ${dialog}
  </section>`;
}

export default function Queue({ query }) {
  const all = fields();
  const filter = filtersOf(query, all);
  const asked = query.get('group');
  const group = GROUPS.includes(asked) ? asked : null;
  const chosen = Object.values(filter).flat().length;
  const [open, setOpen] = useState(false);
  const setGroup = (event) =>
    setQuery(withQuery(query, 'group', event.target.value === '' ? [] : [event.target.value]));
  return html`<div class="near">
    <div class="head"><${Heading} title=${t('menu.queue')} /><${Summary} />
      <a class="push" href="/queue/holds">${t('holds.title')}</a></div>
    <div class="row only-small">
      <button class="button" type="button" aria-expanded=${String(open)}
        onClick=${() => setOpen(!open)}>${t('filter.filters')} ${chosen > 0 && html`
        <span class="count">${chosen}</span>`}</button>
      <${LiveButton} />
    </div>
    <div class=${open ? undefined : 'only-wide block'}>
      <${Filters} fields=${all} query=${query}>
        <label class="row"><span class="muted">${t('queue.group-by')}</span>
          <select class="button" value=${group ?? ''} onInput=${setGroup}>
            ${['', ...GROUPS].map((name) => html`<option key=${name} value=${name}
              selected=${name === (group ?? '')}>${t(name === '' ? 'queue.group.nothing' : `queue.group.${name}`)}</option>`)}
          </select></label>
        <span class="only-wide"><${LiveButton} /></span>
      <//>
    </div>
    ${
      group === null
        ? html`<${Messages} query=${query} filter=${filter} />`
        : html`<${Groups} key=${group} group=${group} filter=${filter} query=${query} />`
    }
  </div>`;
}
