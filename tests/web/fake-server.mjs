// A stand-in for the api process: serves web/ with its headers and answers api/openapi.yaml from one fixed
// story. example.net takes no mail, hugo is suspended, ana has not used her link. Only the tests use it.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { activityOf, devicesOf, emptyStory, firstSteps, historyOf, makeStory, now, PASSWORD, sessionsOf, testTrace } from './story.mjs';

const WEB = fileURLToPath(new URL('../../web/', import.meta.url));
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
};
const ADMIN_SCOPES = ['queue', 'domains', 'accounts', 'aliases', 'settings', 'tokens']
  .flatMap((area) => [`${area}:read`, `${area}:write`])
  .concat('trace:read', 'metrics:read', 'audit:read', 'explain:probe', 'mail:content');

/** An answer that is no JSON: the bytes of a message. */
class Source {
  constructor(text) {
    this.text = text;
  }
}

/** The files of web/ by URL path, as the api process reads them at its start. */
function readFiles(directory = '') {
  const files = new Map();
  for (const entry of readdirSync(join(WEB, directory), { withFileTypes: true })) {
    const path = `${directory}/${entry.name}`;
    if (entry.isDirectory()) for (const [key, value] of readFiles(path)) files.set(key, value);
    else files.set(path, readFileSync(join(WEB, path)));
  }
  return files;
}

const hashOf = (bytes) => createHash('sha256').update(bytes).digest('hex').slice(0, 12);

/** index.html as the api process serves it: import map and links with content hashes, and the CSP of just that map. */
export function makeIndex(files) {
  const source = files.get('/index.html').toString();
  const old = /<script type="importmap">([^<]*)<\/script>/.exec(source);
  const hashed = (path) => (files.has(path) ? `${path}?h=${hashOf(files.get(path))}` : path);
  const imports = {};
  for (const [name, path] of Object.entries(JSON.parse(old[1]).imports)) imports[name] = hashed(path);
  for (const path of files.keys()) if (path.startsWith('/app/')) imports[path] = hashed(path);
  const map = JSON.stringify({ imports });
  const mapHash = createHash('sha256').update(map).digest('base64');
  const csp =
    `default-src 'none'; script-src 'self' 'sha256-${mapHash}'; style-src 'self'; img-src 'self' data:; ` +
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; " +
    "require-trusted-types-for 'script'; trusted-types 'none'";
  const html = source
    .replace(old[0], `<script type="importmap">${map}</script>`)
    .replace(/(href|src)="(\/[^"]+)"/g, (whole, name, path) => `${name}="${hashed(path)}"`);
  return { html, csp };
}

class Refusal extends Error {
  constructor(status, type, more = {}) {
    super(type);
    this.status = status;
    this.body = { type: `/problems/${type}`, title: type, status, request_id: '01JD7K2M', ...more };
  }
}
const refuse = (status, type, more) => {
  throw new Refusal(status, type, more);
};
const wrong = (place, code, detail = code) =>
  refuse(422, 'validation', {
    errors: [{ ...(place.startsWith('/') ? { pointer: place } : { parameter: place }), code, detail }],
  });

/** Of whoever asks: here everybody sent what accounts sent, and received the rest. */
function ownTraces(traces, query) {
  const asked = (name, value) => query.getAll(name).length === 0 || query.getAll(name).includes(value);
  return traces
    .map(({ recipients, events, account, direction: _, in_queue: __, ip: ___, ...rest }) => ({
      ...rest,
      way: account ? 'sent' : 'received',
      recipient: recipients[0].address,
      recipient_count: account ? recipients.length : 1,
      mailbox: events.at(-1).mailbox ?? null,
      rule: events.at(-1).rule ?? null,
      reply: events.at(-1).reply ?? null,
    }))
    .filter((row) => asked('way', row.way) && asked('outcome', row.outcome) && (row.subject ?? '').includes(query.get('q') ?? ''));
}

function page(rows, query) {
  const limit = Number(query.get('limit') ?? 50);
  const start = Number(query.get('cursor') ?? 0);
  const next = start + limit < rows.length ? String(start + limit) : null;
  const answer = { data: rows.slice(start, start + limit), next };
  if (query.get('count') === 'true')
    answer.count = { value: Math.min(rows.length, 10000), relation: rows.length > 10000 ? 'at_least' : 'exact' };
  return answer;
}

const addressMatches = (value, filter) => {
  const [a, f] = [value.toLowerCase(), filter.toLowerCase()];
  return a === f || (f.startsWith('@') && a.endsWith(f)) || (f.endsWith('@') && a.startsWith(f));
};

/** The filters of GET /queue/messages as functions of a message; `all` gives the values of a filter. */
function queueFilter(all) {
  const some = (name, test) => {
    const values = all(name);
    return (m) => values.length === 0 || values.some((v) => test(m, v));
  };
  const tests = [
    some('state', (m, v) => m.state === v),
    some('sender', (m, v) => addressMatches(m.sender, v)),
    some('recipient', (m, v) => m.recipients.some((r) => addressMatches(r.address, v))),
    some('destination', (m, v) => m.recipients.some((r) => r.destination === v)),
    some('sender_domain', (m, v) => m.sender.endsWith(`@${v}`)),
    some('account', (m, v) => m.account === v),
    some('reason', (m, v) => m.recipients[0].explanation?.id === v),
    some('age_min', (m, v) => now() - new Date(m.accepted_at) >= Number(v) * 1000),
    some('q', (m, v) =>
      [m.id, m.message_id, m.sender, m.subject, ...m.recipients.map((r) => r.address)].some((text) =>
        text?.toLowerCase().includes(v.toLowerCase()),
      ),
    ),
  ];
  return (m) => tests.every((test) => test(m));
}

function rowOf(m) {
  const { recipients, message_id: _, origin: __, hold: ___, ...rest } = m;
  const [first] = recipients;
  return {
    ...rest,
    recipient: first.address,
    recipient_count: recipients.length,
    destination: first.destination,
    destination_count: new Set(recipients.map((r) => r.destination)).size,
    attempts: first.attempts,
    next_attempt_at: first.next_attempt_at,
    explanation: first.explanation,
    reply: first.reply,
  };
}

function groupsOf(messages, group) {
  const groups = new Map();
  for (const m of messages) {
    const [first] = m.recipients;
    const key = { destination: first.destination, sender: m.sender, reason: first.explanation?.id ?? 'not-tried' }[
      group
    ];
    const g = groups.get(key) ?? {
      key,
      messages: 0,
      recipients: 0,
      waiting: 0,
      held: 0,
      sending: 0,
      oldest_accepted_at: m.accepted_at,
      next_attempt_at: first.next_attempt_at,
      explanation: first.explanation,
    };
    g.messages++;
    g.recipients += m.recipients.length;
    g[m.state === 'held' || m.state === 'sending' ? m.state : 'waiting']++;
    groups.set(key, g);
  }
  return [...groups.values()].sort((a, b) => b.recipients - a.recipients);
}

const SCHEDULE = {
  retry_schedule: '1m 5m 15m 30m 1h 2h 4h',
  expire: '5d',
  delay_notice: '4h',
  editable: true,
  attempts: 36,
  attempt_seconds: [0, 60, 360, 1260],
  delay_notice_seconds: 14400,
  expire_seconds: 432000,
  version: 1,
};

/** The routes: [method, pattern, handler({params, query, body, headers, session})]; what it returns is the answer. */
function makeRoutes(state) {
  const find = (list, key, value) =>
    list.find((one) => one[key].toLowerCase() === value.toLowerCase()) ?? refuse(404, 'not-found');
  const checkVersion = (object, headers) => {
    const wanted = headers['if-match'];
    if (wanted !== undefined && wanted !== `"${object.version}"`) refuse(412, 'stale', { current: object });
  };
  const remove = (list, object) => {
    list.splice(list.indexOf(object), 1);
  };
  const erase = (list, object, query) => {
    if (query.get('purge') === 'true') remove(list, object);
    else if (object.state === 'deleted') refuse(404, 'not-found');
    else {
      const deleted = { at: new Date(now()).toISOString(), until: new Date(now() + 7 * 86400e3).toISOString() };
      change(object, { before: object.state, state: 'deleted', deleted });
    }
  };
  const adminsOf = (name) => {
    find(state.domains, 'name', name);
    return state.admins
      .filter((one) => one.domain === name)
      .map(({ address }) => state.accounts.find((account) => account.address === address))
      .map(({ address, name: person, state: now }) => ({ address, name: person, state: now }));
  };
  const addressesOf = (name) => [
    { address: find(state.accounts, 'address', name).address, main: true },
    ...state.further.filter((one) => one.account === name).map(({ address }) => ({ address, main: false })),
  ];
  const checkLimits = (body) => {
    for (const [name, limit] of Object.entries(body.limits ?? {}))
      if (limit !== null && typeof limit !== 'number') wrong(`/limits/${name}`, 'type');
  };
  const bringBack = (object) => {
    if (object.state !== 'deleted') refuse(404, 'not-found');
    return change(object, { state: object.before ?? 'active', deleted: null });
  };
  const change = (object, body) => {
    Object.assign(object, body);
    object.version++;
    return object;
  };
  const checkPassword = (password, place = '/password') => {
    if (typeof password !== 'string' || password.length < 12) wrong(place, 'too-short');
    if (password.startsWith('password')) wrong(place, 'common-password');
  };
  const localDomain = (address, place) => {
    const name = address.split('@')[1];
    if (!state.domains.some((d) => d.name === name && d.kind === 'local'))
      wrong(place, name ? 'unknown-domain' : 'syntax');
  };
  const taken = (address) => {
    if (state.accounts.some((a) => a.address === address) || state.aliases.some((a) => a.address === address))
      refuse(409, 'exists');
  };
  const checkMembers = (address, members) => {
    if (!Array.isArray(members) || members.length === 0) wrong('/members', 'required');
    members.forEach((member, i) => {
      if (member === address) wrong(`/members/${i}`, 'self');
      if (!member.includes('@')) wrong(`/members/${i}`, 'syntax');
      if (state.aliases.find((a) => a.address === member)?.members.includes(address)) wrong('/members', 'loop');
      if (member.endsWith('@example.org') && ![...state.accounts, ...state.aliases].some((a) => a.address === member))
        wrong(`/members/${i}`, 'unknown-address');
    });
  };
  const session = (address, more = {}) => {
    const account = state.accounts.find((a) => a.address === address);
    const scopes = account.role === 'system_admin' ? ADMIN_SCOPES : [];
    return {
      via: 'page',
      account: { address, name: account.name, language: account.language },
      role: account.role,
      scopes,
      domains: null,
      hostname: 'mail.example.org',
      csrf_token: 'csrf-1',
      expires_at: new Date(Date.now() + 12 * 3600e3).toISOString(),
      password_required: false,
      ...more,
    };
  };
  const addAccount = (address, body) => {
    const account = {
      id: `acc_${state.accounts.length}`,
      address,
      name: body.name ?? '',
      role: 'account',
      state: body.password ? 'active' : 'invited',
      suspended: null,
      frozen: null,
      deleted: null,
      language: null,
      quota: { limit: 5e9, message_limit: null, used: 0, messages: 0 },
      delivery: null,
      delivery_user: null,
      forward: [],
      forward_keep: true,
      limits: { recipients_per_hour: null, recipients_per_day: null },
      sent: { last_hour: 0, last_day: 0 },
      last_sign_in: null,
      created_at: new Date(now()).toISOString(),
      version: 1,
    };
    state.accounts.push(account);
    state.accounts.sort((a, b) => a.address.localeCompare(b.address));
    return account;
  };

  /** A file without quotes: what each line would do, and what is wrong. */
  const checkFile = (text, update) => {
    const [head, ...lines] = text.trim().split(/\r?\n/).map((line) => line.split(','));
    const data = [];
    const errors = [];
    for (const [i, cells] of lines.entries()) {
      const line = i + 2;
      const row = Object.fromEntries(head.map((name, at) => [name, cells[at]]));
      const there = state.accounts.find((a) => a.address === row.address);
      const bad = (cell, code) => errors.push({ line, address: row.address, pointer: cell && `/${cell}`, ...(cell && { cell }), code, detail: code });
      const before = errors.length;
      if (cells.length !== head.length) bad('', 'cells');
      else if (!/^[^@]+@[^@]+$/.test(row.address)) bad('address', 'syntax');
      else if (!row.address.endsWith('@example.org')) bad('address', 'unknown-domain');
      else if (there && !update) bad('address', 'exists');
      if (row.role && !['account', 'domain_admin', 'system_admin'].includes(row.role)) bad('role', 'enum');
      if (errors.length === before) data.push({ row, line, address: row.address, outcome: !there ? 'created' : there.name === row.name ? 'unchanged' : 'updated' });
    }
    return { data, errors };
  };

  const importFile = ({ body, query }) => {
    const { data, errors } = checkFile(body, query.get('update') === 'true');
    const count = (outcome) => data.filter((one) => one.outcome === outcome).length;
    const counts = { created: count('created'), updated: count('updated'), unchanged: count('unchanged') };
    if (query.get('dry_run') === 'true') {
      const failed = new Set(errors.map((error) => error.line)).size;
      return { total: data.length + failed, ...counts, failed, data: data.map(({ row: _, ...one }) => one), errors };
    }
    if (errors.length > 0) refuse(422, 'validation', { errors });
    for (const { row, address, outcome } of data) {
      if (outcome === 'created') addAccount(address, row);
      else Object.assign(find(state.accounts, 'address', address), { name: row.name });
    }
    const times = { created_at: new Date(now()).toISOString(), finished_at: null };
    const about = { id: 'o2', action: 'import', by: 'admin@example.org', state: 'running', total: data.length, done: 0, changed: 0, skipped: 0 };
    state.imported = data;
    state.operation = { ...about, ...times, undo: null, import: { ...counts, failed: 0 } };
    return [202, state.operation];
  };

  const linksOf = ({ body }) => {
    const fresh = state.imported.filter((one) => one.outcome === 'created' && !one.row.password && one.line > body.after);
    const expires_at = new Date(now() + 86400e3).toISOString();
    const data = fresh.slice(0, 2).map(({ line, address, row }) => ({
      line, address, name: row.name ?? '', url: `http://mail.example.org/sign-in#link=${line}-3kQw9xYv7LmT2rNp8sBd5fGh`, expires_at,
    }));
    return { data, next: fresh.length > 2 ? data.at(-1).line : null };
  };

  const me = (s) => state.accounts.find((a) => a.address === s.account.address);
  const changedQueue = (id, to) => state.emit('queue.changed', { id, state: to });

  const act = ({ body }) => {
    const { action, select, max } = body;
    const filter = select.filter ?? {};
    const all = (name) => [filter[name] ?? []].flat().map(String);
    const matched = select.ids
      ? state.queue.filter((m) => select.ids.includes(m.id))
      : state.queue.filter(queueFilter(all));
    if (!select.ids && max === undefined) wrong('/max', 'required');
    if (!select.ids && matched.length > max) refuse(409, 'selection-changed', { matched: matched.length });
    const busy = matched.filter((m) => m.state === 'sending');
    const before = [];
    const hours = /^\+(\d+)h$/.exec(body.at ?? '');
    if (action === 'reschedule' && !hours && Number.isNaN(Date.parse(body.at))) wrong('/at', 'syntax');
    if (action === 'reroute' && body.route !== null && !/^\[?[\w.-]+\]?:\d+$/.test(body.route)) wrong('/route', 'syntax');
    const later = hours ? hours[1] * 3600e3 : 0;
    for (const m of matched) {
      if (m.state === 'sending' || m.state === 'removing') continue;
      const was = structuredClone(m);
      if (action === 'delete' || action === 'bounce') {
        const explanation = { id: `${action === 'delete' ? 'removed' : 'bounced'}-by-admin`, actor: 'you', certain: true };
        Object.assign(m, { state: 'removing' });
        for (const r of m.recipients) Object.assign(r, { state: 'removing', explanation });
      } else if (action === 'hold' && m.state !== 'held')
        Object.assign(m, {
          state: 'held',
          hold: { at: new Date(now()).toISOString(), by: 'admin@example.org', reason: null },
        });
      else if (action === 'release' && m.state === 'held') Object.assign(m, { state: 'scheduled', hold: null });
      else if (action === 'reroute') {
        m.route = body.route;
        for (const r of m.recipients) r.destination = body.route ?? r.address.split('@')[1];
      } else if (!['retry', 'reschedule'].includes(action) || m.state === 'held') continue;
      for (const r of m.recipients)
        r.next_attempt_at = ['held', 'removing'].includes(m.state) ? null : new Date(now() + later).toISOString();
      m.next_attempt_at = m.recipients[0].next_attempt_at;
      before.push(was);
      changedQueue(m.id, m.state);
    }
    const long = matched.length > 1000;
    const undo = before.length > 0 ? { id: `u${++state.undos}`, until: new Date(now() + 60000).toISOString() } : null;
    if (undo) state.undo.unshift({ ...undo, action, by: 'admin@example.org', at: new Date(now()).toISOString(), before });
    if (long) {
      const at = new Date(now()).toISOString();
      const counts = { total: matched.length, done: 0, changed: before.length, skipped: busy.length };
      const about = { id: 'o1', action, by: 'admin@example.org', created_at: at, finished_at: null };
      state.operation = { ...about, state: 'running', ...counts, import: null, undo };
      return [202, state.operation];
    }
    return {
      matched: matched.length,
      changed: before.length,
      undo,
      skipped_count: busy.length,
      skipped: busy.map((m) => ({ id: m.id, type: '/problems/busy' })),
    };
  };

  const takeBack = ({ body }) => {
    const undo = state.undo.find((one) => one.id === body.undo);
    if (!undo) refuse(409, 'undo-expired');
    remove(state.undo, undo);
    for (const was of undo.before) {
      Object.assign(find(state.queue, 'id', was.id), was);
      changedQueue(was.id, was.state);
    }
    return { restored: undo.before.length, skipped: 0 };
  };

  const destination = (name) => {
    const group = groupsOf(state.queue, 'destination').find((one) => one.key === name);
    const paused = state.pauses.get(name) ?? null;
    return {
      name,
      state: paused ? 'paused' : group ? 'failing' : 'active',
      waiting: group?.recipients ?? 0,
      failing: group?.recipients ?? 0,
      held: 0,
      next_attempt_at: group?.next_attempt_at ?? null,
      explanation: group?.explanation ?? null,
      reply: null,
      in_flight: 0,
      max_in_flight: 20,
      paused,
      version: 1,
    };
  };
  const pause = ({ params, body }) => {
    const at = new Date(now()).toISOString();
    if (body.paused === null) state.pauses.delete(params.name);
    else {
      const hours = /^\+(\d+)h$/.exec(body.paused.until ?? '');
      const until = hours ? new Date(now() + hours[1] * 3600e3).toISOString() : null;
      state.pauses.set(params.name, { at, by: 'admin@example.org', until, reason: body.paused.reason ?? null });
    }
    return destination(params.name);
  };

  // Filters: of the account or the domain that the path names, of the server (base '/filters'), or of the caller.
  const filtersOf = (base, params, s) => {
    let whose = '';
    if (params.domain) whose = find(state.domains, 'name', params.domain).name;
    else if (params.address) whose = find(state.accounts, 'address', params.address).address;
    else if (base === '/me/filters') whose = me(s).address;
    if (!state.filters.has(whose)) state.filters.set(whose, []);
    return state.filters.get(whose);
  };
  const samePlace = (list, { place = 'personal' }) => list.filter((one) => one.place === place);
  const compile = (script) => {
    const lines = script.split('\n');
    const at = lines.findIndex((line) => line.includes('nonsense'));
    if (at < 0) return;
    const detail = '"nonsense" is no command';
    const column = Buffer.byteLength(lines[at].slice(0, lines[at].indexOf('nonsense'))) + 1;
    const error = { pointer: '/script', code: 'syntax', detail, line: at + 1, column };
    refuse(422, 'validation', { errors: [error] });
  };
  const strict = (object, headers) => {
    if (!headers['if-match']) refuse(428, 'precondition-required');
    checkVersion(object, headers);
  };
  const trialOf = (script, body) => {
    const text = script ?? 'keep;';
    const line = text.split('\n').findIndex((one) => one.startsWith('if ')) + 1;
    const listed = body.message.includes('list-id');
    return {
      scripts: [{ place: 'personal', name: script === undefined ? 'main' : null, error: null }],
      steps: [
        { kind: 'command', script: 0, line, depth: 0, name: 'if' },
        { kind: 'test', script: 0, line, depth: 0, name: 'header', result: listed },
        ...(listed
          ? [
              { kind: 'command', script: 0, line: line + 2, depth: 0, name: 'fileinto' },
              { kind: 'action', script: 0, line: line + 2, depth: 0, name: 'fileinto', detail: 'Lists/News' },
            ]
          : [{ kind: 'action', script: 0, line: 0, depth: 0, name: '', detail: 'implicit keep' }]),
      ],
      cut: false,
      actions: listed
        ? [
            {
              kind: 'fileinto',
              implicit: false,
              script: 0,
              line: line + 2,
              mailbox: 'INBOX',
              asked: 'Lists/News',
              made: false,
              flags: ['\\Seen'],
              changed: false,
            },
          ]
        : [{ kind: 'keep', implicit: true, mailbox: 'INBOX', made: false, flags: [], changed: false }],
      failed: null,
      cost: 512,
    };
  };
  /** file: what follows the base; those of administrators have a place. */
  const filterRoutes = (base, file) => [
    [
      'GET',
      base,
      ({ params, session: s }) => ({ data: filtersOf(base, params, s).map(({ script: _, ...row }) => row), next: null }),
    ],
    ['GET', base + file, ({ params, session: s }) => find(samePlace(filtersOf(base, params, s), params), 'name', params.name)],
    [
      'PUT',
      base + file,
      ({ params, body, headers, session: s }) => {
        const list = filtersOf(base, params, s);
        const present = samePlace(list, params).find((one) => one.name === params.name);
        if (present && headers['if-none-match']) refuse(409, 'exists');
        if (present) strict(present, headers);
        compile(body.script);
        if (present) return change(present, { script: body.script, size: body.script.length });
        const made = {
          name: params.name,
          place: params.place ?? 'personal',
          active: false,
          size: body.script.length,
          script: body.script,
          changed_at: new Date(now()).toISOString(),
          version: 1,
        };
        list.push(made);
        return [201, made];
      },
    ],
    [
      'PATCH',
      base + file,
      ({ params, body, headers, session: s }) => {
        const list = samePlace(filtersOf(base, params, s), params);
        const filter = find(list, 'name', params.name);
        strict(filter, headers);
        if (body.name !== undefined && list.some((one) => one !== filter && one.name === body.name)) refuse(409, 'exists');
        if (body.active && filter.place === 'personal') for (const one of list) one.active = false;
        return change(filter, body);
      },
    ],
    [
      'DELETE',
      base + file,
      ({ params, headers, session: s }) => {
        const list = filtersOf(base, params, s);
        const filter = find(samePlace(list, params), 'name', params.name);
        strict(filter, headers);
        remove(list, filter);
      },
    ],
  ];
  const trialRoute = (base) => [
    'POST',
    `${base}/test`,
    ({ body }) => {
      if (body.message === '') wrong('/message', 'too-short');
      if (body.from && !body.from.includes('@')) wrong('/from', 'syntax');
      if (body.script !== undefined) compile(body.script);
      return trialOf(body.script, body);
    },
  ];

  // Devices, sessions and two-step sign-in; 123456 is always the right code.
  const keep = (map, make, params, s) => {
    const { address } = params.address ? find(state.accounts, 'address', params.address) : me(s);
    if (!map.has(address)) map.set(address, make());
    return map.get(address);
  };
  const totpOff = () => ({ enabled: false, since: null, recovery_codes_left: 0 });
  const checkCode = (body) => {
    if (body.code !== '123456') wrong('/code', 'wrong-code');
  };
  const proven = () => {
    if (state.stale) refuse(403, 'reauthentication-required');
  };
  const source = ({ params, query }) => {
    const message = find(state.queue, 'id', params.id);
    const header = `From: ${message.sender}\r\nSubject: ${message.subject}\r\nX-Evil: <img src=x onerror=alert(1)>\r\n\r\n`;
    if (query.get('part') === 'headers') return new Source(header);
    if (!query.get('reason')) refuse(400, 'invalid-parameter', { errors: [{ parameter: 'reason', code: 'required', detail: 'It is missing.' }] });
    proven();
    return new Source(`${header}<b>hello</b>\r\n`);
  };
  const personRoutes = (base) => [
    ['GET', `${base}/app-passwords`, ({ params, session: s }) => ({ data: keep(state.devices, devicesOf, params, s), next: null })],
    [
      'POST',
      `${base}/app-passwords`,
      ({ params, body, session: s }) => {
        proven();
        if (!body.name) wrong('/name', 'required');
        const made = { id: `p${Date.now()}`, name: body.name, protocols: body.protocols, created_at: new Date(now()).toISOString(), last_used: null };
        keep(state.devices, devicesOf, params, s).push(made);
        return [201, { ...made, password: 'mbkuo-ezrty-wqhjn-xcvpl' }];
      },
    ],
    [
      'DELETE',
      `${base}/app-passwords/:id`,
      ({ params, session: s }) => {
        const list = keep(state.devices, devicesOf, params, s);
        remove(list, find(list, 'id', params.id));
      },
    ],
    ['GET', `${base}/sessions`, ({ params, session: s }) => ({ data: keep(state.sessions, sessionsOf, params, s), next: null })],
    [
      'DELETE',
      `${base}/sessions`,
      ({ params, session: s }) => {
        const list = keep(state.sessions, sessionsOf, params, s);
        list.splice(0, list.length, ...list.filter((one) => one.current));
      },
    ],
    [
      'DELETE',
      `${base}/sessions/:id`,
      ({ params, session: s }) => {
        const list = keep(state.sessions, sessionsOf, params, s);
        remove(list, find(list, 'id', params.id));
      },
    ],
    ['GET', `${base}/activity`, ({ query }) => page(activityOf(), query)],
    ['GET', `${base}/totp`, ({ params, session: s }) => keep(state.totp, totpOff, params, s)],
    [
      'DELETE',
      `${base}/totp`,
      ({ params, session: s }) => {
        proven();
        Object.assign(keep(state.totp, totpOff, params, s), totpOff());
      },
    ],
  ];

  return [
    ...personRoutes('/accounts/:address'),
    ...personRoutes('/me'),
    [
      'POST',
      '/me/totp',
      ({ session: s }) => {
        proven();
        if (keep(state.totp, totpOff, {}, s).enabled) refuse(409, 'exists');
        const secret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
        const issuer = 'mail.example.org';
        return [201, { secret, uri: `otpauth://totp/${issuer}:${encodeURIComponent(s.account.address)}?secret=${secret}&issuer=${issuer}` }];
      },
    ],
    [
      'PUT',
      '/me/totp',
      ({ body, session: s }) => {
        checkCode(body);
        Object.assign(keep(state.totp, totpOff, {}, s), { enabled: true, since: new Date(now()).toISOString(), recovery_codes_left: 10 });
        return { recovery_codes: Array.from({ length: 10 }, (_, i) => `abcd-efgh-ijk${'lmnopqrstu'[i]}`) };
      },
    ],
    [
      'POST',
      '/session/totp',
      ({ body }) => {
        if (!state.waiting) refuse(401, 'unauthenticated');
        if (body.code !== '123456') refuse(401, 'wrong-code');
        state.session = session(state.waiting);
        state.waiting = null;
        return state.session;
      },
    ],
    [
      'POST',
      '/session/reauth',
      ({ body, session: s }) => {
        if (body.password !== PASSWORD) wrong('/password', 'wrong-password');
        if (state.totp.get(s.account.address)?.enabled) {
          if (!body.code) wrong('/code', 'required');
          checkCode(body);
        }
        state.stale = false;
        return s;
      },
    ],
    [
      'PUT',
      '/accounts/:address/freeze',
      ({ params, body }) => {
        const account = find(state.accounts, 'address', params.address);
        return change(account, {
          state: account.state === 'suspended' ? 'suspended' : 'frozen',
          frozen: { at: new Date(now()).toISOString(), by: 'admin@example.org', reason: body.reason },
        });
      },
    ],
    [
      'DELETE',
      '/accounts/:address/freeze',
      ({ params }) => {
        change(find(state.accounts, 'address', params.address), { state: 'active', frozen: null });
      },
    ],
    ...filterRoutes('/accounts/:address/filters', '/:name'),
    ...filterRoutes('/me/filters', '/:name'),
    trialRoute('/accounts/:address/filters'),
    trialRoute('/me/filters'),
    ...filterRoutes('/domains/:domain/filters', '/:place/:name'),
    ...filterRoutes('/filters', '/:place/:name'),
    ['GET', '/session', ({ session: s }) => s],
    [
      'POST',
      '/session',
      ({ body }) => {
        const account = state.accounts.find((a) => a.address === body.address);
        if (!account || account.state === 'suspended' || body.password !== PASSWORD) refuse(401, 'wrong-credentials');
        if (state.totp.get(account.address)?.enabled) {
          state.waiting = account.address;
          return { next: 'totp' };
        }
        state.session = session(account.address);
        return state.session;
      },
    ],
    [
      'DELETE',
      '/session',
      () => {
        state.session = null;
      },
    ],
    [
      'POST',
      '/session/link',
      ({ body }) => {
        if (!state.links.delete(body.token)) refuse(410, 'link-used');
        state.session = session(state.accounts.find((one) => one.role === 'system_admin').address, { password_required: true });
        return state.session;
      },
    ],
    ['GET', '/me', ({ session: s }) => me(s)],
    [
      'PUT',
      '/me/password',
      ({ body, session: s }) => {
        if (!s.password_required && body.current !== PASSWORD) wrong('/current', 'wrong-password');
        checkPassword(body.password);
        s.password_required = false;
      },
    ],
    [
      'GET',
      '/status',
      () => {
        const status = state.status();
        return { ...status, ...firstSteps(state, status) };
      },
    ],
    [
      'GET',
      '/status/history',
      ({ query }) => {
        const range = query.get('range') ?? '24h';
        if (!state.history.has(range)) state.history.set(range, historyOf(range, state.quiet));
        return state.history.get(range);
      },
    ],
    [
      'GET',
      '/queue/messages',
      ({ query }) => {
        const rows = state.queue.filter(queueFilter((name) => query.getAll(name)));
        const group = query.get('group');
        const measured_at = new Date(now()).toISOString();
        return group ? { group, measured_at, data: groupsOf(rows, group), next: null } : page(rows.map(rowOf), query);
      },
    ],
    ['GET', '/queue/messages/:id', ({ params }) => find(state.queue, 'id', params.id)],
    ['GET', '/queue/messages/:id/attempts', ({ params, query }) => page(state.attempts.get(params.id) ?? [], query)],
    ['GET', '/queue/messages/:id/recipients', ({ params, query }) => page(find(state.queue, 'id', params.id).recipients, query)],
    [
      'GET',
      '/queue/messages/:id/recipients/:rid',
      ({ params }) => find(find(state.queue, 'id', params.id).recipients, 'id', params.rid),
    ],
    ['GET', '/client-setup', () => state.setup],
    ['GET', '/queue/messages/:id/source', source],
    ['POST', '/queue/actions', act],
    ['PATCH', '/queue/messages/:id', ({ params, body }) => change(find(state.queue, 'id', params.id), body)],
    [
      'GET',
      '/queue/destinations',
      ({ query }) => {
        const names = new Set([...groupsOf(state.queue, 'destination').map((one) => one.key), ...state.pauses.keys()]);
        const all = [...names].sort().map(destination);
        return page(query.get('paused') === 'true' ? all.filter((one) => one.paused) : all, query);
      },
    ],
    ['GET', '/queue/destinations/:name', ({ params }) => destination(params.name)],
    ['PATCH', '/queue/destinations/:name', pause],
    [
      'GET',
      '/operations/:id',
      () => {
        const one = state.operation;
        one.done = Math.min(one.total, one.done + (one.import ? 3 : 700));
        if (one.done === one.total) Object.assign(one, { state: 'done', finished_at: new Date(now()).toISOString() });
        return one;
      },
    ],
    [
      'DELETE',
      '/operations/:id',
      () => {
        Object.assign(state.operation, { state: 'cancelled', finished_at: new Date(now()).toISOString() });
        return undefined;
      },
    ],
    ['GET', '/operations/:id/lines', ({ query }) => page(state.importNotes ?? [], query)],
    ['POST', '/operations/:id/links', linksOf],
    ['POST', '/import', importFile],
    [
      'POST',
      '/export',
      ({ body }) => {
        const rows = state.accounts.filter((a) => a.state !== 'deleted' && (!body.q || `${a.address} ${a.name}`.toLowerCase().includes(body.q)));
        return [200, new File('text/csv; charset=utf-8', ['address,name', ...rows.map((a) => `${a.address},${a.name}`)].join('\r\n'))];
      },
    ],
    ['GET', '/queue/holds', ({ query }) => page(state.holds, query)],
    [
      'POST',
      '/queue/holds',
      ({ body }) => {
        if (body.sender && !body.sender.includes('@')) wrong('/sender', 'syntax');
        const none = { sender: null, sender_domain: null, destination: null, until: null, reason: null };
        const made = { created_at: new Date(now()).toISOString(), created_by: 'admin@example.org' };
        state.holds.push({ ...none, ...body, until: null, ...made, id: `h${state.holds.length + 1}` });
        return [201, state.holds.at(-1)];
      },
    ],
    ['GET', '/queue/holds/:id', ({ params }) => find(state.holds, 'id', params.id)],
    [
      'DELETE',
      '/queue/holds/:id',
      ({ params }) => {
        remove(state.holds, find(state.holds, 'id', params.id));
        return undefined;
      },
    ],
    ['GET', '/queue/schedule', () => SCHEDULE],
    ['PUT', '/queue/schedule', () => SCHEDULE],
    ['GET', '/queue/undo', () => ({ data: state.undo.map(({ before, ...one }) => ({ ...one, changed: before.length })), next: null })],
    ['POST', '/queue/undo', takeBack],
    ['POST', '/explain/delivery', ({ body }) => explainDelivery(body)],
    [
      'POST',
      '/explain/reply',
      ({ body }) => ({
        explanation: { id: 'unknown-recipient', actor: 'you', certain: true, text: 'Not known.', steps: 'Check it.' },
        known: /5\.1\.1/.test(body.text),
      }),
    ],
    [
      'GET',
      '/traces',
      ({ query }) => {
        const all = (name) => query.getAll(name);
        const q = query.get('q')?.toLowerCase();
        return page(
          state.traces
            .filter(
              (tr) =>
                (all('outcome').length === 0 || all('outcome').includes(tr.outcome)) &&
                (all('sender').length === 0 || all('sender').some((v) => addressMatches(tr.sender, v))) &&
                (all('account').length === 0 || all('account').includes(tr.account)) &&
                (!q ||
                  [tr.id, tr.sender, tr.subject, tr.message_id, ...tr.recipients.map((r) => r.address)].some((text) =>
                    text?.toLowerCase().includes(q),
                  )),
            )
            .map(({ recipients, events: _, in_queue: __, ip: ___, ...rest }) => ({
              ...rest,
              recipient: recipients[0].address,
              recipient_count: recipients.length,
            })),
          query,
        );
      },
    ],
    ['GET', '/me/traces', ({ query }) => page(ownTraces(state.traces, query), query)],
    ['GET', '/me/traces/:id', ({ params }) => find(state.traces, 'id', params.id)],
    [
      'GET',
      '/traces/:id',
      ({ params }) => ({
        ...find(state.traces, 'id', params.id),
        in_queue: state.queue.some((m) => m.id === params.id),
      }),
    ],
    [
      'GET',
      '/domains',
      ({ query }) =>
        page(
          state.domains
            .filter((d) => !query.has('kind') || query.getAll('kind').includes(d.kind))
            .filter((d) => (query.has('state') ? query.getAll('state').includes(d.state) : d.state !== 'deleted'))
            .filter((d) => d.name.includes(query.get('q') ?? '')),
          query,
        ),
    ],
    ['GET', '/domains/:name', ({ params }) => find(state.domains, 'name', params.name)],
    [
      'PUT',
      '/domains/:name',
      ({ params, body }) => {
        if (!/^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(params.name)) wrong('domain', 'syntax');
        if (state.domains.some((d) => d.name === params.name)) refuse(409, 'exists');
        const domain = {
          id: `dom_${state.domains.length}`,
          name: params.name,
          kind: 'local',
          route: null,
          state: 'active',
          alias_of: null,
          catch_all: null,
          subaddress: '+',
          delivery: 'store',
          delivery_user: null,
          language: null,
          quota: { limit: null, used: null },
          limits: { recipients_per_hour: null, recipients_per_day: null },
          accounts: 0,
          aliases: 0,
          deleted: null,
          created_at: new Date(now()).toISOString(),
          version: 1,
          ...body,
        };
        state.domains.push(domain);
        state.domains.sort((a, b) => a.name.localeCompare(b.name));
        return [201, domain];
      },
    ],
    [
      'PATCH',
      '/domains/:name',
      ({ params, body, headers }) => {
        const domain = find(state.domains, 'name', params.name);
        checkVersion(domain, headers);
        if (body.route && !/:\d+$/.test(body.route)) wrong('/route', 'syntax');
        if (body.quota && body.quota.limit !== null && typeof body.quota.limit !== 'number')
          wrong('/quota/limit', 'type');
        checkLimits(body);
        return change(domain, {
          ...body,
          quota: { ...domain.quota, ...body.quota },
          limits: { ...domain.limits, ...body.limits },
        });
      },
    ],
    [
      'DELETE',
      '/domains/:name',
      ({ params, query, headers }) => {
        const domain = find(state.domains, 'name', params.name);
        checkVersion(domain, headers);
        if (domain.accounts + domain.aliases > 0 && query.get('force') !== 'true')
          refuse(409, 'not-empty', { accounts: domain.accounts, aliases: domain.aliases });
        erase(state.domains, domain, query);
      },
    ],
    ['GET', '/domains/:name/admins', ({ params, query }) => page(adminsOf(params.name), query)],
    [
      'PUT',
      '/domains/:name/admins/:address',
      ({ params }) => {
        const account = find(state.accounts, 'address', params.address);
        if (account.role === 'system_admin') wrong('account', 'system-admin');
        const known = adminsOf(params.name).some((one) => one.address === account.address);
        if (!known) state.admins.push({ domain: params.name, address: account.address });
        account.role = 'domain_admin';
        return [known ? 200 : 201, adminsOf(params.name).find((one) => one.address === account.address)];
      },
    ],
    [
      'DELETE',
      '/domains/:name/admins/:address',
      ({ params }) => {
        const { domain, address } = { domain: params.name, address: params.address };
        remove(state.admins, state.admins.find((one) => one.domain === domain && one.address === address) ?? refuse(404, 'not-found'));
      },
    ],
    ['POST', '/domains/:name/restore', ({ params }) => bringBack(find(state.domains, 'name', params.name))],
    [
      'GET',
      '/accounts',
      ({ query }) =>
        page(
          state.accounts.filter(
            (a) =>
              (query.has('state') ? query.getAll('state').includes(a.state) : a.state !== 'deleted') &&
              (!query.has('domain') || query.getAll('domain').some((d) => a.address.endsWith(`@${d}`))) &&
              `${a.address} ${a.name}`.toLowerCase().includes((query.get('q') ?? '').toLowerCase()),
          ),
          query,
        ),
    ],
    ['GET', '/accounts/:address', ({ params }) => find(state.accounts, 'address', params.address)],
    ['GET', '/accounts/:address/addresses', ({ params }) => ({ data: addressesOf(params.address), next: null })],
    [
      'PUT',
      '/accounts/:address/addresses/:further',
      ({ params }) => {
        const known = addressesOf(params.address).find((one) => one.address === params.further);
        if (known) return known;
        localDomain(params.further, 'further');
        taken(params.further);
        state.further.push({ account: params.address, address: params.further });
        return [201, { address: params.further, main: false }];
      },
    ],
    [
      'DELETE',
      '/accounts/:address/addresses/:further',
      ({ params }) => {
        if (params.address === params.further) wrong('further', 'main-address');
        remove(state.further, find(state.further, 'address', params.further));
      },
    ],
    [
      'GET',
      '/accounts/:address/usage',
      ({ params }) => {
        const { quota, limits, sent } = find(state.accounts, 'address', params.address);
        return { quota, limits, sent: { ...sent, hours: Array.from({ length: 24 }, (_, i) => (i === 23 ? sent.last_hour : 0)) } };
      },
    ],
    [
      'PUT',
      '/accounts/:address',
      ({ params, body }) => {
        localDomain(params.address, 'address');
        taken(params.address);
        if (body.password !== undefined) checkPassword(body.password);
        return [201, addAccount(params.address, body)];
      },
    ],
    [
      'PATCH',
      '/accounts/:address',
      ({ params, body, headers }) => {
        const account = find(state.accounts, 'address', params.address);
        checkVersion(account, headers);
        if (body.quota && body.quota.limit !== null && typeof body.quota.limit !== 'number')
          wrong('/quota/limit', 'type');
        if (account.role === 'system_admin' && body.role && body.role !== 'system_admin') refuse(409, 'last-admin');
        checkLimits(body);
        return change(account, {
          ...body,
          quota: { ...account.quota, ...body.quota },
          limits: { ...account.limits, ...body.limits },
        });
      },
    ],
    [
      'DELETE',
      '/accounts/:address',
      ({ params, query }) => {
        const account = find(state.accounts, 'address', params.address);
        if (account.role === 'system_admin') refuse(409, 'last-admin');
        erase(state.accounts, account, query);
      },
    ],
    ['POST', '/accounts/:address/restore', ({ params }) => bringBack(find(state.accounts, 'address', params.address))],
    [
      'PUT',
      '/accounts/:address/password',
      ({ params, body }) => {
        checkPassword(body.password);
        find(state.accounts, 'address', params.address).state = 'active';
      },
    ],
    [
      'POST',
      '/accounts/:address/link',
      ({ params }) => [
        201,
        {
          url: `http://mail.example.org/sign-in#link=${find(state.accounts, 'address', params.address).id}-3kQw9xYv7LmT2rNp8sBd5fGh`,
          expires_at: new Date(now() + 86400e3).toISOString(),
          purpose: 'set-up',
        },
      ],
    ],
    [
      'POST',
      '/accounts/:address/test-message',
      ({ params }) => {
        const { address: to } = find(state.accounts, 'address', params.address);
        const outcome = state.testOutcome;
        if (outcome === 'refused') return { to, accepted: false, trace: null, code: 452, text: 'The mailbox is full' };
        const trace = `test${state.traces.length}`;
        state.traces.unshift(testTrace(trace, to, outcome));
        return { to, accepted: true, trace, code: 250, text: `Ok: queued as ${trace}` };
      },
    ],
    [
      'PUT',
      '/accounts/:address/suspend',
      ({ params, body }) => {
        const account = find(state.accounts, 'address', params.address);
        if (account.role === 'system_admin') refuse(409, 'last-admin');
        return change(account, {
          state: 'suspended',
          suspended: { at: new Date(now()).toISOString(), by: 'admin@example.org', reason: body.reason },
        });
      },
    ],
    [
      'DELETE',
      '/accounts/:address/suspend',
      ({ params }) => {
        change(find(state.accounts, 'address', params.address), { state: 'active', suspended: null });
      },
    ],
    [
      'GET',
      '/aliases',
      ({ query }) =>
        page(
          state.aliases.filter(
            (a) =>
              (!query.has('member') || a.members.includes(query.get('member'))) &&
              `${a.address} ${a.members}`.includes(query.get('q') ?? ''),
          ),
          query,
        ),
    ],
    ['GET', '/aliases/:address', ({ params }) => find(state.aliases, 'address', params.address)],
    [
      'PUT',
      '/aliases/:address',
      ({ params, body }) => {
        localDomain(params.address, 'address');
        taken(params.address);
        checkMembers(params.address, body.members);
        const alias = {
          address: params.address,
          members: body.members,
          who_may_send: body.who_may_send ?? 'anyone',
          allowed_senders: body.allowed_senders ?? [],
          send_as: body.send_as ?? null,
          state: body.state ?? 'active',
          expires_at: body.expires_at ?? null,
          created_at: new Date(now()).toISOString(),
          version: 1,
        };
        state.aliases.push(alias);
        state.aliases.sort((a, b) => a.address.localeCompare(b.address));
        return [201, alias];
      },
    ],
    [
      'PATCH',
      '/aliases/:address',
      ({ params, body, headers }) => {
        const alias = find(state.aliases, 'address', params.address);
        checkVersion(alias, headers);
        if (body.members) checkMembers(params.address, body.members);
        return change(alias, body);
      },
    ],
    [
      'DELETE',
      '/aliases/:address',
      ({ params }) => {
        remove(state.aliases, find(state.aliases, 'address', params.address));
      },
    ],
    ['GET', '/settings', () => ({ data: state.settings, next: null })],
    ['GET', '/settings/:key', ({ params }) => find(state.settings, 'key', params.key)],
    [
      'PUT',
      '/settings/:key',
      ({ params, body, headers }) => {
        const setting = find(state.settings, 'key', params.key);
        if (!headers['if-match']) refuse(428, 'precondition-required');
        if (!setting.editable) refuse(409, 'read-only');
        checkVersion(setting, headers);
        if (setting.type.startsWith('duration') && !/^(\d+[smhd] ?)+$/.test(body.value))
          wrong('/value', 'syntax', `"${body.value}" is not a duration such as 5m`);
        return change(setting, { value: body.value, source: 'page' });
      },
    ],
    [
      'DELETE',
      '/settings/:key',
      ({ params, headers }) => {
        const setting = find(state.settings, 'key', params.key);
        checkVersion(setting, headers);
        return change(setting, { value: setting.default, source: 'default' });
      },
    ],
    ['GET', '/domains/:domain/dns', ({ params }) => state.dns(find(state.domains, 'name', params.domain))],
    ['POST', '/domains/:domain/dns/check', ({ params }) => state.dns(find(state.domains, 'name', params.domain))],
    [
      'GET',
      '/search',
      ({ query }) => {
        const q = query.get('q').toLowerCase();
        const kinds = query.getAll('kind');
        const of = (kind, rows, id, title) =>
          (kinds.length === 0 || kinds.includes(kind) ? rows : [])
            .filter((row) => `${row[id]} ${row[title] ?? ''}`.toLowerCase().includes(q))
            .slice(0, 8)
            .map((row) => ({ kind, id: row[id], title: String(row[title] ?? '') }));
        return {
          data: [
            ...of('account', state.accounts, 'address', 'name'),
            ...of('domain', state.domains, 'name'),
            ...of('alias', state.aliases, 'address'),
            ...of('message', state.queue.filter((m) => q.split(/[^\w]/).includes(m.id)).map((m) => ({ ...m, title: q })), 'id', 'title'),
          ],
        };
      },
    ],
    ['GET', '/audit', ({ query }) => page(state.audit, query)],
    ['GET', '/audit/verify', () => ({ rows: state.audit.length, last: state.audit[0].id, hash: state.audit[0].hash, wrong: null, more: false })],
    ['GET', '/tokens', ({ query }) => page(state.tokens, query)],
    [
      'POST',
      '/tokens',
      ({ body }) => {
        if (!body.name) wrong('/name', 'required');
        if (!body.scopes?.length) wrong('/scopes', 'required');
        const token = {
          id: `tok_${state.tokens.length}`,
          role: 'system_admin',
          domains: null,
          cidrs: null,
          created_at: new Date(now()).toISOString(),
          created_by: 'admin@example.org',
          last_used_at: null,
          ...body,
        };
        state.tokens.unshift(token);
        return [201, { ...token, token: 'cor_k7q_Zx81mQv5nB2sT9wLr4yKc7hJ' }];
      },
    ],
    [
      'DELETE',
      '/tokens/:id',
      ({ params }) => {
        remove(state.tokens, find(state.tokens, 'id', params.id));
      },
    ],
  ];
}

function matchPath(pattern, path) {
  const want = pattern.split('/');
  const have = path.split('/');
  if (want.length !== have.length) return null;
  const params = {};
  for (let i = 0; i < want.length; i++) {
    if (want[i].startsWith(':')) params[want[i].slice(1)] = decodeURIComponent(have[i]);
    else if (want[i] !== have[i]) return null;
  }
  return params;
}

async function readBody(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  if (request.headers['content-type'] === 'text/csv') return text;
  return text === '' ? undefined : JSON.parse(text);
}

/** An answer that is no JSON. */
class File {
  constructor(type, text) {
    Object.assign(this, { type, text });
  }
}

/**
 * Starts it on a free port of 127.0.0.1. Gives {url, state, close, reset, signIn, fail, emit, cut, requests}:
 * fail('GET /status', 503, 'database-unavailable') makes the next such requests fail until reset(); cut()
 * ends all event streams and refuses new ones until mend().
 */
const TRIAL = {
  scripts: [{ place: 'personal', name: 'main', error: null }],
  steps: [{ kind: 'action', script: 0, line: 0, depth: 0, name: '', detail: 'implicit keep' }],
  cut: false,
  actions: [{ kind: 'keep', implicit: true, mailbox: 'INBOX', made: false, flags: [], changed: false }],
  failed: null,
  cost: 12,
};

/** An alias of two accounts, one of which is full: what Explain says of it. */
function explainDelivery({ from, to }) {
  const said = (step, verdict, key, args = {}, more = {}) => ({
    step,
    for: null,
    verdict,
    because: key,
    key,
    args,
    setting: null,
    ...more,
  });
  const bob = 'bob@example.org';
  return {
    result: 'partly',
    reply: null,
    recipients: [
      { address: 'alice@example.org', kind: 'mailbox', outcome: 'delivered', mailbox: 'INBOX' },
      { address: bob, kind: 'mailbox', outcome: 'waits', mailbox: 'INBOX' },
      { address: 'joe@example.net', kind: 'remote', outcome: 'returned', mailbox: null },
    ],
    steps: [
      said('size', 'ok', 'size.ok', { size: '1200', limit: '52428800' }, { setting: '/settings/smtp' }),
      said('sender', 'ok', 'sender.ok', { account: from, sender: from }, { setting: `/accounts/${from}` }),
      said('address', 'info', 'address.alias', { address: to, to: bob }, { setting: `/aliases/${to}` }),
      said('quota', 'ok', 'quota.ok', { used: '1300000000', limit: '5000000000' }, { for: 'alice@example.org' }),
      said('filter', 'ok', 'filter.stored', { mailbox: 'INBOX' }, { for: 'alice@example.org', trial: TRIAL }),
      said('quota', 'waits', 'quota.waits', { used: '5000000000', limit: '5000000000' }, { for: bob }),
      said('route', 'refused', 'route.failed', { text: 'the DNS knows no mail server for example.net' }, {
        for: 'joe@example.net',
        explanation: { id: 'dns-no-such-domain', actor: 'you', certain: true, text: 'There is none.', steps: 'Check it.' },
      }),
    ],
  };
}

export async function startFakeServer() {
  const files = readFiles();
  const index = makeIndex(files);
  const streams = new Set();
  const control = { failures: new Map(), away: false, requests: [] };
  let state;
  let routes;
  const emit = (event, data) => {
    for (const stream of streams) stream.write(`event: ${event}\nid: 1\ndata: ${JSON.stringify(data)}\n\n`);
  };
  const reset = (story = makeStory()) => {
    state = Object.assign(story, {
      session: null,
      waiting: null,
      stale: false,
      testOutcome: 'delivered',
      quiet: false,
      history: new Map(),
      devices: new Map(),
      sessions: new Map(),
      totp: new Map(),
      links: new Set(['good-link']),
      emit,
      undo: [],
      undos: 0,
      pauses: new Map(),
      holds: [],
    });
    routes = makeRoutes(state);
    control.failures.clear();
    control.away = false;
    control.requests.length = 0;
  };
  reset();

  const handleApi = async (request, url) => {
    const path = url.pathname.slice('/api/v1'.length);
    const name = `${request.method} ${path}`;
    const body = await readBody(request);
    control.requests.push({ name, query: url.search, body, headers: request.headers });
    const failure = control.failures.get(name);
    if (failure) refuse(failure.status, failure.type, failure.more);
    const open = path.startsWith('/session') && request.method !== 'DELETE' ? request.method === 'POST' : false;
    if (!open && state.session === null)
      refuse(401, 'unauthenticated', path === '/session' ? { hostname: 'mail.example.org' } : {});
    if (!open && request.method !== 'GET' && request.headers['x-csrf-token'] !== 'csrf-1') refuse(403, 'csrf');
    for (const [method, pattern, handler] of routes) {
      const params = matchPath(pattern, path);
      if (params === null || method !== request.method) continue;
      const answer = handler({
        params,
        query: url.searchParams,
        body,
        headers: request.headers,
        session: state.session,
      });
      return Array.isArray(answer) ? answer : answer === undefined ? [204, null] : [200, answer];
    }
    return refuse(404, 'not-found');
  };

  const server = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://localhost');
    if (url.pathname === '/api/v1/events') {
      if (control.away || state.session === null) {
        response.writeHead(control.away ? 503 : 401).end();
        return;
      }
      response.writeHead(200, {
        'Content-Type': 'text/event-stream',
        'Cache-Control': 'no-store',
        'X-Accel-Buffering': 'no',
      });
      response.write(`retry: 200\n\nevent: status\ndata: ${JSON.stringify({ waiting: 12, held: 1, sending: 1 })}\n\n`);
      streams.add(response);
      response.on('close', () => streams.delete(response));
      return;
    }
    if (url.pathname.startsWith('/api/v1/')) {
      const headers = { 'Request-Id': '01JD7K2M', 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' };
      try {
        const [status, body] = await handleApi(request, url);
        if (body instanceof Source) {
          response.writeHead(status, { ...headers, 'Content-Type': 'message/rfc822' }).end(body.text);
          return;
        }
        response
          .writeHead(status, { ...headers, ...(body && { 'Content-Type': body instanceof File ? body.type : 'application/json' }) })
          .end(body instanceof File ? body.text : body ? JSON.stringify(body) : undefined);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        response
          .writeHead(error.status, { ...headers, 'Content-Type': 'application/problem+json' })
          .end(JSON.stringify(error.body));
      }
      return;
    }
    const bytes = url.pathname === '/index.html' ? undefined : files.get(url.pathname);
    const shared = {
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Resource-Policy': 'same-origin',
    };
    if (bytes) {
      response
        .writeHead(200, {
          ...shared,
          'Content-Type': TYPES[extname(url.pathname)] ?? 'text/plain',
          'Cache-Control': url.searchParams.has('h') ? 'public, max-age=31536000, immutable' : 'no-cache',
        })
        .end(bytes);
    } else if (
      /\.\w+$/.test(url.pathname) &&
      !url.pathname.includes('@') &&
      /^\/(app|css|i18n|vendor)\//.test(url.pathname)
    ) {
      response.writeHead(404, shared).end();
    } else {
      response
        .writeHead(200, {
          ...shared,
          'Content-Type': TYPES['.html'],
          'Content-Security-Policy': index.csp,
          'Cache-Control': 'no-cache',
        })
        .end(index.html);
    }
  });
  await new Promise((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });

  return {
    url: `http://127.0.0.1:${server.address().port}`,
    get state() {
      return state;
    },
    get streams() {
      return streams.size;
    },
    requests: control.requests,
    reset: () => reset(),
    /** As a server is behind its first start. */
    empty: () => reset(emptyStory()),
    emit,
    signIn(address = state.accounts.find((one) => one.role === 'system_admin').address) {
      routes.find(([method, pattern]) => method === 'POST' && pattern === '/session')[2]({
        body: { address, password: PASSWORD },
      });
    },
    fail(name, status, type, more) {
      control.failures.set(name, { status, type, more });
    },
    heal(name) {
      control.failures.delete(name);
    },
    cut() {
      control.away = true;
      for (const stream of streams) stream.destroy();
    },
    mend() {
      control.away = false;
    },
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
