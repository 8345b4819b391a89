// The fixed story that the fake server tells, relative to the present moment.
import { emptyModel, generate } from '../../web/app/sieve-rules.js';

export const PASSWORD = 'correct horse battery';
export const now = () => Date.now();

const MINUTE = 60e3;
const HOUR = 60 * MINUTE;
const OPEN = { who_may_send: 'anyone', allowed_senders: [], send_as: null, state: 'active', expires_at: null };
const DAY = 24 * HOUR;
const at = (offset) => new Date(now() + offset).toISOString();

const REFUSES = {
  id: 'connection-refused',
  actor: 'remote_admin',
  certain: true,
  text: 'example.net refuses our connection.',
};
const SLOW = { id: 'slow-down', actor: 'nobody', certain: true };
const SLOW_REPLY = { code: 421, enhanced: '4.7.28', text: '4.7.28 Gmail has detected an unusual rate of mail' };

function queueOf() {
  const rows = [];
  const add = (id, age, sender, addresses, more = {}) => {
    const {
      state = 'deferred',
      explanation = REFUSES,
      reply = null,
      next = 4,
      subject = `Message ${id}`,
      size = 8200,
    } = more;
    rows.push({
      id,
      message_id: `<${id}@example.org>`,
      subject,
      size,
      sender,
      account: sender,
      origin: { listener: 'submissions', ip: '203.0.113.7', session: '9f2c', tls: 'TLSv1.3' },
      accepted_at: at(-age * MINUTE),
      expires_at: at(5 * DAY - age * MINUTE),
      state,
      next_attempt_at: state === 'deferred' ? at(next * MINUTE) : null,
      priority: 0,
      route: null,
      hold: state === 'held' ? { at: at(-26 * MINUTE), by: 'admin@example.org', reason: 'looks like spam' } : null,
      recipients: addresses.map((address, i) => ({
        id: `r${i + 1}`,
        address,
        destination: address.split('@')[1],
        state,
        attempts: state === 'held' ? 0 : 4,
        next_attempt_at: state === 'deferred' ? at(next * MINUTE) : null,
        explanation,
        reply,
        dsn: { notify: ['failure', 'delay'], orcpt: null },
      })),
      version: 7,
    });
  };
  const many = (count, domain) => Array.from({ length: count }, (_, i) => `reader${i + 1}@${domain}`);
  add('q7f3a1', 42, 'notices@example.org', ['maria@example.net']);
  add('q7f3k9', 38, 'alice@example.org', ['joe@example.net'], { subject: 'Invoice 4711', size: 41230 });
  add('q7f3m0', 36, 'news@example.org', many(8, 'example.net'), { subject: 'News of November' });
  add('q7f3p2', 31, 'bob@example.org', ['purchasing@example.net'], { subject: 'Order 2231' });
  add('q7f3q4', 26, 'bob@example.org', many(300, 'example.com'), {
    state: 'held',
    explanation: { id: 'held', actor: 'you', certain: true },
    subject: 'Your parcel could not be handed over',
  });
  add('q7f3r5', 22, 'carol@example.org', ['joe@example.net'], { next: 8 });
  add('q7f3s6', 19, 'ana@example.org', ['support@example.net'], { next: 8 });
  add('q7f3t7', 14, 'invoices@example.org', ['accounts.payable@example.net'], { next: 8 });
  add('q7f3u8', 12, 'news@example.org', ['jana.k@gmail.com', 'leo.m@gmail.com', 'renata.prado@gmail.com'], {
    explanation: SLOW,
    reply: SLOW_REPLY,
    next: 1,
  });
  add('q7f3v9', 11, 'alice@example.org', ['renata.prado@gmail.com'], { explanation: SLOW, reply: SLOW_REPLY, next: 1 });
  add('q7f3w0', 9, 'carol@example.org', ['ana@exemplo.com.br'], {
    state: 'sending',
    explanation: { id: 'sending', actor: 'nobody', certain: true },
  });
  add('q7f3x1', 6, 'dora@example.org', ['maria@example.net'], { next: 5 });
  add('q7f3y2', 4, 'alice@example.org', ['leo@example.net'], { next: 3 });
  add('q7f3z3', 2, 'paulo@example.org', ['jana.k@gmail.com'], { explanation: SLOW, reply: SLOW_REPLY, next: 2 });
  return rows;
}

const dialogue = () => [
  { t: 12, s: '220 mx1 ready' },
  { t: 13, c: 'EHLO mail.example.org' },
  { t: 41, s: '250-mx1.example.net\n250-SIZE 36700160\n250-STARTTLS\n250 ENHANCEDSTATUSCODES' },
  { t: 42, c: 'STARTTLS' },
  { t: 70, s: '220 2.0.0 go ahead' },
  { t: 128, c: 'EHLO mail.example.org' },
  { t: 156, s: '250 mx1.example.net' },
  { t: 158, c: 'MAIL FROM:<alice@example.org> SIZE=41230' },
  { t: 214, s: '421 4.3.2 mx1.example.net shutting down' },
];

function attemptsOf() {
  const base = {
    recipient: 'r1',
    mx: 'mx1.example.net',
    ip: '192.0.2.10',
    tls: null,
    reply: null,
    session: null,
    dialogue: null,
  };
  const attempt = (number, age, more) => ({
    ...base,
    id: `a${number}`,
    number,
    started_at: at(-age * MINUTE),
    duration_ms: 214,
    phase: 'connect',
    result: 'deferred',
    explanation: REFUSES,
    ...more,
  });
  const greylisted = { code: 451, enhanced: '4.3.2', text: 'please come back later' };
  return new Map([
    [
      'q7f3k9',
      [
        attempt(4, 8, { duration_ms: 200, mx: 'mx2.example.net', ip: '192.0.2.11' }),
        attempt(3, 23, {
          phase: 'mail',
          tls: { version: 'TLSv1.3', verified: 'mta-sts' },
          session: 's77a3',
          dialogue: dialogue(),
          reply: { code: 421, enhanced: '4.3.2', text: 'mx1.example.net shutting down' },
          explanation: { id: 'temporary', actor: 'nobody', certain: true },
        }),
        attempt(2, 33, {
          phase: 'rcpt',
          reply: greylisted,
          explanation: { id: 'greylisted', actor: 'nobody', certain: true },
          tls: { version: 'TLSv1.3', verified: 'none' },
        }),
        attempt(1, 38, {
          phase: 'rcpt',
          reply: greylisted,
          explanation: { id: 'greylisted', actor: 'nobody', certain: true },
          tls: { version: 'TLSv1.3', verified: 'none' },
        }),
      ],
    ],
  ]);
}

function tracesOf(queue) {
  const waiting = queue.map((m) => ({
    id: m.id,
    accepted_at: m.accepted_at,
    outcome: 'waiting',
    direction: 'out',
    sender: m.sender,
    subject: m.subject,
    message_id: m.message_id,
    size: m.size,
    account: m.account,
    ip: '203.0.113.7',
    in_queue: true,
    recipients: m.recipients.map(({ id, address }) => ({ id, address, outcome: 'waiting' })),
    events: [
      {
        at: m.accepted_at,
        kind: 'accepted',
        listener: 'submissions',
        session: '9f2c',
        ip: '203.0.113.7',
        tls: 'TLSv1.3',
        duration_ms: 14,
      },
      ...(m.hold ? [{ at: m.hold.at, kind: 'held', by: m.hold.by, reason: m.hold.reason }] : []),
    ],
  }));
  const done = (id, age, outcome, sender, address, subject, events) => ({
    id,
    accepted_at: at(-age * MINUTE),
    outcome,
    direction: 'out',
    sender,
    subject,
    message_id: `<${id}@example.org>`,
    size: 3120,
    account: sender || null,
    ip: '203.0.113.24',
    in_queue: false,
    recipients: [{ id: 'r1', address, outcome }],
    events: [
      {
        at: at(-age * MINUTE),
        kind: 'accepted',
        listener: sender ? 'submission' : 'local',
        ip: '203.0.113.24',
        tls: 'TLSv1.3',
        duration_ms: 11,
      },
      ...events,
    ],
  });
  return [
    ...waiting,
    ...[
      done('q7f2b4', 61, 'relayed', 'alice@example.org', 'contato@exemplo.com.br', 'Minutes of Monday', [
        { at: at(-60 * MINUTE), kind: 'attempt', attempt: 'a1', result: 'relayed' },
      ]),
      done('q7f2a3', 95, 'bounced', 'dora@example.org', 'nobody@example.com', null, [
        { at: at(-94 * MINUTE), kind: 'bounced', recipient: 'r1' },
      ]),
      done('q7f1z9', 1500, 'removed', 'bob@example.org', 'list@example.com', 'Your parcel could not be handed over', [
        { at: at(-1480 * MINUTE), kind: 'removed', by: 'admin@example.org', reason: 'spam' },
      ]),
      done('q7f1y8', 1510, 'relayed', '', 'dora@example.org', 'Undelivered mail: Offer', [
        { at: at(-1509 * MINUTE), kind: 'attempt', attempt: 'a1', result: 'relayed' },
      ]),
    ],
  ].sort((a, b) => b.accepted_at.localeCompare(a.accepted_at));
}

function accountsOf() {
  const account = (local, name, used, limit, age, protocol, more = {}) => ({
    id: `acc_${local}`,
    address: `${local}@example.org`,
    name,
    role: 'account',
    state: 'active',
    suspended: null,
    frozen: null,
    deleted: null,
    language: null,
    quota: { limit: limit && limit * 1e9, message_limit: null, used: used * 1e9, messages: Math.round(used * 3600) },
    delivery: null,
    delivery_user: null,
    forward: [],
    forward_keep: true,
    limits: { recipients_per_hour: null, recipients_per_day: null },
    sent: { last_hour: Math.round(used), last_day: Math.round(used * 9) },
    last_sign_in: age === null ? null : { at: at(-age * MINUTE), protocol, ip: '203.0.113.24' },
    created_at: at(-200 * DAY),
    version: 12,
    ...more,
  });
  return [
    account('admin', 'Admin', 0.01, null, 1, 'page', { role: 'system_admin' }),
    account('alice', 'Alice Souza', 3.1, 5, 2, 'imap'),
    account('ana', 'Ana Reis', 0, 5, null, null, { state: 'invited' }),
    account('bob', 'Bob Lima', 5, 5, 27, 'submission', {
      limits: { recipients_per_hour: null, recipients_per_day: 300 },
      sent: { last_hour: 0, last_day: 300 },
    }),
    account('carol', 'Carol Nunes', 1.8, 5, 6, 'imap', { role: 'domain_admin' }),
    account('diego', 'Diego Martins', 4.5, 5, 60, 'imap'),
    account('dora', 'Dora Campos', 0.4, 5, 5, 'imap'),
    account('elisa', 'Elisa Tavares', 2.2, 5, 1180, 'imap', {
      state: 'frozen',
      frozen: { at: at(-26 * MINUTE), by: 'admin@example.org', reason: 'spam' },
    }),
    account('gita', 'Gita Moraes', 0.3, 5, 9000, 'imap', {
      state: 'deleted',
      deleted: { at: at(-2 * DAY), until: at(5 * DAY) },
    }),
    account('hugo', 'Hugo Prado', 0.9, 5, 150000, 'pop3', {
      state: 'suspended',
      suspended: { at: at(-100 * DAY), by: 'admin@example.org', reason: 'left the company' },
    }),
    account('invoices', 'Invoices (program)', 0.1, 1, 14, 'submission'),
    account('leo', 'Leonardo Alves de Almeida', 2.7, 10, 40, 'imap'),
    account('news', 'Newsletter (program)', 0, 1, 12, 'submission'),
    account('notices', 'Notices (program)', 0, 1, 42, 'submission'),
    account('paulo', 'Paulo Ferreira', 6.8, 10, 2, 'imap'),
  ];
}

/** App passwords and sessions, the same for each account. */
export function devicesOf() {
  return [
    { id: 'p1', name: 'Phone', protocols: ['imap', 'submission'], created_at: at(-90 * DAY), last_used: { at: at(-4 * MINUTE), protocol: 'imap', ip: '203.0.113.24' } },
    { id: 'p2', name: 'Thunderbird at work', protocols: ['imap', 'pop3', 'submission', 'managesieve'], created_at: at(-20 * DAY), last_used: null },
  ];
}
export function sessionsOf() {
  const agent = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0';
  return [
    { id: 'w1', protocol: 'page', ip: '203.0.113.9', started_at: at(-12 * MINUTE), seen_at: at(-MINUTE), user_agent: agent, current: true },
    { id: 'c1', protocol: 'imap', ip: '203.0.113.24', started_at: at(-4 * MINUTE), seen_at: null, user_agent: null, current: false },
    { id: 'c2', protocol: 'submission', ip: '2001:db8::24', started_at: at(-2 * MINUTE), seen_at: null, user_agent: null, current: false },
  ];
}

export function activityOf() {
  const row = (age, result, protocol, ip, count = 1, isNew = false) => ({
    at: at(-age * MINUTE),
    first_at: at(-age * MINUTE),
    count,
    result,
    protocol,
    ip,
    network: ip && ip.replace(/\.\d+$/, '.0/24'),
    new_network: isNew,
  });
  return [
    row(4, 'ok', 'imap', '203.0.113.24', 6),
    row(12, 'ok', 'submission', '198.51.100.9', 1, true),
    row(15, 'wrong-password', 'submission', null, 41),
    row(95, 'code-missing', 'page', '192.0.2.77'),
    row(96, 'ok', 'page', '203.0.113.9'),
  ];
}

/** Filters by account, domain, and '' for the server. */
function filtersOf() {
  const filter = (name, active, script, place = 'personal') => ({
    name,
    place,
    active,
    size: script.length,
    script,
    changed_at: at(-3 * DAY),
    version: 4,
  });
  const lists = [
    'require ["fileinto", "imap4flags"];',
    '',
    '# News and lists',
    'if header :contains "list-id" "news.example.net" {',
    '  addflag "\\\\Seen";',
    '  fileinto "Lists/News";',
    '} elsif address :domain "from" "partner.example" {',
    '  fileinto "Partner";',
    '}',
    '',
  ].join('\n');
  const away = 'require "vacation";\nvacation :days 3 "I am away until Monday; Carol Nunes has my desk until then.";\n';
  const spam = 'require "fileinto";\nif header "x-spam-flag" "YES" { fileinto "Junk"; stop; }\n';
  const condition = (field, op, value, header = '') => ({ field, header, op, value });
  const rules = generate({
    vacation: { ...emptyModel().vacation, on: true, text: 'I am away until Monday.', from: '2026-12-20', until: '2027-01-03' },
    rules: [
      {
        match: 'any',
        conditions: [condition('list', 'is', 'news.example.net'), condition('header', 'contains', 'yes', 'X-Spam-Flag')],
        actions: [
          { do: 'read', value: '' },
          { do: 'move', value: 'Lists/News' },
        ],
      },
      { match: 'all', conditions: [condition('size', 'contains', '5')], actions: [{ do: 'forward', value: 'bob@example.org' }] },
    ],
  });
  return new Map([
    ['alice@example.org', [filter('away', false, away), filter('main', true, lists)]],
    ['carol@example.org', [filter('rules', true, rules), filter('rules by hand', false, `${rules}keep;\n`)]],
    ['example.org', [filter('legal hold', true, 'require "copy";\nredirect :copy "archive@example.org";\n', 'before')]],
    ['', [filter('spam', true, spam, 'before'), filter('company', false, 'keep;\n', 'after'), filter('lists', false, lists, 'global')]],
  ]);
}

function settingsOf() {
  const setting = (key, type, value, fallback, source = value === fallback ? 'default' : 'page', more = {}) => ({
    key,
    type,
    value,
    default: fallback,
    source,
    editable: source === 'default' || source === 'page',
    applies: 'now',
    changed: null,
    version: source === 'page' ? 1 : 0,
    ...more,
  });
  return [
    setting('auth.app_passwords_with_totp', 'boolean', 'true', 'true'),
    setting('accounts.keep_deleted', 'duration', '7d', '7d'),
    setting('accounts.notify_owner', 'boolean', 'true', 'true'),
    setting('accounts.recipients_per_day', 'integer', '1000', '0'),
    setting('accounts.recipients_per_hour', 'integer', '0', '0'),
    setting('auth.cleartext', 'string', 'loopback', 'loopback'),
    setting('queue.delay_notice', 'duration', '4h', '4h'),
    setting('queue.expire', 'duration', '3d', '5d'),
    setting('queue.retry_schedule', 'duration_list', '1m 5m 15m 1h 4h', '1m 5m 15m 1h 4h'),
    setting('trace.keep', 'duration', '30d', '30d'),
    setting('trace.keep_refused', 'duration', '7d', '7d'),
    setting('quota.apart', 'boolean', 'false', 'false'),
    setting('quota.full_reply', 'choice', '452', '452', 'default', { choices: ['452', '552'] }),
    setting('quota.grace', 'size', '0', '0'),
    setting('relay.routes', 'routes', '', ''),
    setting('server.first_steps', 'boolean', 'true', 'true'),
    setting('server.hostname', 'string', 'mail.example.org', 'localhost', 'file', { applies: 'restart' }),
    setting('server.language', 'choice', 'en', 'en', 'default', { choices: ['en', 'pt-BR'] }),
    setting('smtp.auth_on_25', 'boolean', 'false', 'false'),
    setting('smtp.max_message_size', 'size', '25 MiB', '50 MiB', 'environment'),
    setting('smtp.max_messages', 'integer', '0', '0'),
    setting('smtp.max_recipient_domains', 'integer', '0', '0'),
    setting('smtp.max_recipients', 'integer', '100', '100'),
    setting('smtp.max_transaction_size', 'size', '256 MiB', '256 MiB'),
    setting('smtp.relay_networks', 'networks', '', ''),
    setting('smtp.sender_check', 'choice', 'header', 'header', 'default', { choices: ['header', 'envelope', 'off'] }),
  ];
}

/** Sixty whole numbers around `base`, the same at every run. */
function wave(base, swing, seed) {
  return Array.from({ length: 60 }, (_, i) =>
    Math.max(0, Math.round(base + swing * Math.sin((i + seed) / 5) + (swing / 2) * Math.sin((i * seed) % 7))),
  );
}

export function makeStory() {
  const queue = queueOf();
  const domain = (name, more) => ({
    id: `dom_${name.replaceAll('.', '-')}`,
    name,
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
    created_at: at(-200 * DAY),
    version: 4,
    ...more,
  });
  const story = {
    queue,
    attempts: attemptsOf(),
    traces: tracesOf(queue),
    accounts: accountsOf(),
    further: [{ account: 'alice@example.org', address: 'a.souza@example.org' }],
    admins: [{ domain: 'example.org', address: 'carol@example.org' }],
    filters: filtersOf(),
    settings: settingsOf(),
    setup: {
      hostname: 'mail.example.org',
      servers: [
        { protocol: 'imap', port: 993, tls: 'tls' },
        { protocol: 'imap', port: 143, tls: 'starttls' },
        { protocol: 'submission', port: 2587, tls: 'starttls' },
      ],
    },
    domains: [
      domain('example.com', { state: 'disabled' }),
      domain('example.org', { quota: { limit: 100e9, used: 28e9 }, accounts: 14, aliases: 3, language: 'pt-BR' }),
      domain('old.example', { state: 'deleted', deleted: { at: at(-DAY), until: at(6 * DAY) } }),
      domain('partner.example', { kind: 'relay', route: '[mx.partner.example]:25' }),
    ],
    aliases: [
      {
        address: 'office@example.org',
        members: ['alice@example.org', 'bob@example.org', 'carol@example.org', 'diego@example.org', 'dora@example.org'],
        ...OPEN,
        created_at: at(-90 * DAY),
        version: 1,
      },
      { address: 'postmaster@example.org', members: ['admin@example.org'], ...OPEN, created_at: at(-90 * DAY), version: 1 },
      {
        address: 'sales@example.org',
        members: ['alice@example.org', 'partner@example.net'],
        ...OPEN,
        created_at: at(-90 * DAY),
        version: 1,
      },
    ],
    dns(domain) {
      const host = 'mail.example.org';
      const record = (purpose, name, type, value, more = {}) => ({
        purpose,
        name,
        type,
        value,
        line: `${name}. 3600 IN ${type} ${type === 'TXT' ? `"${value}"` : `${value}.`}`,
        optional: false,
        state: 'found',
        found: [value],
        ...more,
      });
      const records = [
        record('mx', domain.name, 'MX', `10 ${host}`),
        record('host', host, 'A', null, { line: null, found: ['203.0.113.5'] }),
        record('ptr', '5.113.0.203.in-addr.arpa', 'PTR', host, { line: null, state: 'different', found: ['static-5.isp.example'] }),
        record('spf', domain.name, 'TXT', 'v=spf1 mx -all', { state: 'different', found: ['v=spf1 include:spf.example -all'] }),
        record('dmarc', `_dmarc.${domain.name}`, 'TXT', 'v=DMARC1; p=none', { state: 'missing', found: [] }),
        record('submissions', `_submissions._tcp.${domain.name}`, 'SRV', `0 1 465 ${host}`, { optional: true }),
        record('imaps', `_imaps._tcp.${domain.name}`, 'SRV', `0 1 993 ${host}`, { optional: true, state: 'optional', found: [] }),
        record('autoconfig', `autoconfig.${domain.name}`, 'CNAME', host, { optional: true, state: 'optional', found: [] }),
      ];
      return { checked_at: at(-20e3), servers: ['ns1.example.org', 'ns2.example.org'], right: 2, wanted: 5, records };
    },
    audit: [
      {
        id: 'ev_902',
        at: at(-5 * MINUTE),
        actor: { kind: 'session', name: 'admin@example.org', via: 'https', ip: '203.0.113.9' },
        action: 'account.update',
        objects: ['bob@example.org'],
        before: { name: 'Bob' },
        after: { name: 'Bob Lima' },
        result: 'ok',
        request_id: '01JD7K2M',
        hash: 'b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9',
      },
      {
        id: 'ev_901',
        at: at(-2 * HOUR),
        actor: { kind: 'local', name: 'local', via: 'socket', uid: 0 },
        action: 'domain.create',
        objects: ['example.org'],
        before: null,
        after: { kind: 'local' },
        result: 'ok',
        request_id: '01JD7K1A',
        hash: '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824',
      },
    ],
    tokens: [
      {
        id: 'tok_k7q',
        name: 'backup script',
        role: 'system_admin',
        scopes: ['accounts:read', 'domains:read'],
        domains: null,
        cidrs: ['10.0.0.0/8'],
        created_at: at(-30 * DAY),
        created_by: 'admin@example.org',
        expires_at: at(335 * DAY),
        last_used_at: at(-5 * HOUR),
      },
      {
        id: 'tok_m2x',
        name: 'monitoring',
        role: 'system_admin',
        scopes: ['metrics:read', 'queue:read'],
        domains: null,
        cidrs: null,
        created_at: at(-355 * DAY),
        created_by: 'admin@example.org',
        expires_at: at(10 * DAY),
        last_used_at: null,
      },
    ],
    status() {
      const count = (...states) => queue.filter((m) => states.includes(m.state)).length;
      const to = (destination) =>
        queue.filter((m) => m.recipients[0].destination === destination && m.state === 'deferred');
      const waiting = queue.filter((m) => m.state === 'deferred' || m.state === 'scheduled');
      const trouble = [
        ['example.net', REFUSES, null, 42],
        ['gmail.com', SLOW, SLOW_REPLY, 12],
      ].filter(([name]) => to(name).length > 0);
      const problems = trouble
        .slice(0, 1)
        .map(([destination, explanation, , age]) => ({
          id: 'destination-failing',
          severity: 'warning',
          since: at(-age * MINUTE),
          destination,
          waiting: to(destination).length,
          next_attempt_at: at(4 * MINUTE),
          explanation,
        }));
      return {
        verdict: problems.length > 0 ? 'attention' : 'ok',
        hostname: 'mail.example.org',
        version: '0.1.0',
        measured_at: at(0),
        started_at: at(-3 * DAY),
        problems,
        queue: {
          messages: queue.length,
          waiting: waiting.length,
          held: count('held'),
          sending: count('sending'),
          oldest_accepted_at: waiting[0]?.accepted_at ?? null,
        },
        rates: { accepted: 41, delivered: 39, deferred: 3, refused: 7 },
        series: {
          step_seconds: 60,
          until: at(0),
          accepted: wave(38, 8, 3),
          delivered: wave(36, 8, 4),
          waiting: wave(9, 4, 2),
          refused: wave(6, 4, 5),
        },
        destinations: trouble.map(([destination, explanation, reply, age]) => ({
          destination,
          messages: to(destination).length,
          since: at(-age * MINUTE),
          next_attempt_at: at(4 * MINUTE),
          explanation,
          reply,
        })),
        database: { state: 'durable', version: '15.14' },
        certificate: { not_after: at(61 * DAY + HOUR), self_signed: true },
        accept_p95_ms: 18,
        disk: { used: 1.42e12, total: 2e12 },
      };
    },
  };
  return story;
}

/** The part of GET /status about the first steps, as the server would say it of this state. */
export function firstSteps(state, status) {
  const local = state.domains.filter((one) => one.kind === 'local' && one.state !== 'deleted' && one.name !== 'localhost');
  const first = local.find((one) => one.state === 'active') ?? local[0];
  const dns = first && state.dns(first);
  const domain = first && { domain: first.name };
  return {
    checklist: [
      { id: 'hostname', done: status.hostname.includes('.') },
      { id: 'domain', done: first !== undefined, ...domain },
      { id: 'dns', done: first !== undefined && dns.right === dns.wanted, ...domain },
      { id: 'account', done: state.accounts.some((one) => one.address !== 'admin@localhost') },
      { id: 'certificate', done: !status.certificate.self_signed },
      { id: 'message', done: state.traces.some((one) => ['delivered', 'relayed'].includes(one.outcome)) },
    ],
    checklist_shown: state.settings.find((one) => one.key === 'server.first_steps').value === 'true',
  };
}

/** The story of a server behind its first start: an administrator at localhost, and nothing else. */
export function emptyStory() {
  const story = makeStory();
  const { status } = story;
  const [admin] = story.accounts;
  const hostname = story.settings.find((one) => one.key === 'server.hostname');
  Object.assign(hostname, { value: '', default: '', source: 'default', editable: true, applies: 'now', version: 0 });
  story.queue.length = 0;
  return Object.assign(story, {
    traces: [],
    aliases: [],
    admins: [],
    accounts: [{ ...admin, address: 'admin@localhost', name: 'Administrator', language: null, last_sign_in: null }],
    domains: [{ ...story.domains[0], id: 'dom_localhost', name: 'localhost', state: 'active', accounts: 1 }],
    status: () => ({
      ...status(),
      hostname: hostname.value || 'vm1',
      verdict: 'ok',
      problems: [],
      destinations: [],
    }),
  });
}

/** The trace of a test message. */
export function testTrace(id, to, outcome) {
  const [trace] = tracesOf([]);
  const accepted = { at: at(0), kind: 'accepted', listener: 'local', session: '9f2c', duration_ms: 9 };
  return {
    ...trace,
    id,
    accepted_at: at(0),
    outcome,
    sender: '',
    account: null,
    ip: null,
    subject: 'Test message',
    message_id: `<${id}@example.org>`,
    recipients: [{ id: 'r1', address: to, outcome }],
    events: [outcome === 'delivered' ? { ...accepted, mailbox: 'INBOX' } : accepted],
  };
}

const STEPS = { '1h': [60, 60], '24h': [300, 288], '7d': [3600, 168], '30d': [7200, 360] };

/** GET /status/history: busier by day, a wave of refusals once, and what example.net and gmail.com put off; or no mail at all. */
export function historyOf(range, quiet = false) {
  const [step, points] = STEPS[range];
  const until = (Math.floor(now() / 1000 / step) + (range === '1h' ? 0 : 1)) * step;
  const from = until - step * points;
  const times = Array.from({ length: points }, (_, i) => from + i * step);
  const wave = (t) => 1 + Math.sin(((t / 3600 - 8) * Math.PI) / 12);
  const accepted = times.map((t, i) => (quiet ? 0 : Math.round((step / 60) * (12 * wave(t) + ((i * 7) % 5)))));
  return {
    range,
    step_seconds: step,
    from: new Date(from * 1000).toISOString(),
    until: new Date(until * 1000).toISOString(),
    accepted,
    delivered: accepted.map((n, i) => Math.max(0, n - (i % 3))),
    deferred: times.map((_, i) => (i % 9 === 0 && !quiet ? Math.round(step / 60) : 0)),
    refused: times.map((_, i) =>
      quiet ? 0 : Math.round((step / 60) * (i > points * 0.7 && i < points * 0.75 ? 20 : i % 4 === 0 ? 2 : 0)),
    ),
  };
}
