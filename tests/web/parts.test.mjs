// The page's pure functions, in the browser that runs them: each case is an expression and what it gives.
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { close, startSite } from './site.mjs';

let site;
let page;
before(async () => {
  site = await startSite();
  page = await site.open({ path: '/problems/csrf', signedIn: false });
});
after(async () => {
  await close(page);
  await site.close();
});

/** Calls an exported function of a module of the page. */
const call = (module, name, ...args) =>
  page.evaluate(async ([from, what, values]) => (await import(from))[what](...values), [module, name, args]);

const I18N = '/app/i18n.js';
const cases = [
  ['size in bytes', I18N, 'size', [0], '0 B'],
  ['size, kilobytes', I18N, 'size', [41230], '41 kB'],
  ['size, rounding up to the next unit', I18N, 'size', [999600], '1 MB'],
  ['size, one digit for small ones', I18N, 'size', [3100000000], '3.1 GB'],
  ['used of a limit, in its unit', I18N, 'sizeOf', [3.1e9, 5e9], '3.1 of 5 GB'],
  ['used of a limit, nothing', I18N, 'sizeOf', [0, 5e9], '0 of 5 GB'],
  ['used of a limit, too little for its unit', I18N, 'sizeOf', [1e7, 5e9], '10 MB of 5 GB'],
  ['duration, seconds', I18N, 'duration', [20], '20 s'],
  ['duration, negative', I18N, 'duration', [-5], '0 s'],
  ['duration, minutes', I18N, 'duration', [42 * 60], '42 min'],
  ['duration, hours', I18N, 'duration', [3 * 3600], '3 h'],
  ['duration, days', I18N, 'duration', [2 * 86400], '2 days'],
  ['milliseconds', I18N, 'milliseconds', [214], '214 ms'],
  ['milliseconds, seconds', I18N, 'milliseconds', [1230], '1.2 s'],
  ['language: chosen first', I18N, 'pickLanguage', ['pt-BR', 'en', ['en']], 'pt-BR'],
  ['language: account before browser', I18N, 'pickLanguage', [null, 'pt-BR', ['en-US']], 'pt-BR'],
  ['language: any Portuguese', I18N, 'pickLanguage', [null, null, ['de', 'pt-PT', 'en']], 'pt-BR'],
  ['language: nothing known', I18N, 'pickLanguage', [null, null, ['de']], 'en'],
  ['plural, one', I18N, 't', ['done.delete', { n: 1 }], '1 message is deleted in a minute.'],
  ['plural, many, grouped digits', I18N, 't', ['done.delete', { n: 1234 }], '1,234 messages are deleted in a minute.'],
  [
    'a value with braces stays as it is',
    I18N,
    't',
    ['reason.reply.long', { destination: 'a', reply: '{destination}' }],
    'a answered: {destination}',
  ],
  ['route, exact', '/app/router.js', 'match', ['/queue', '/queue'], {}],
  ['route, slash at the end', '/app/router.js', 'match', ['/queue', '/queue/'], {}],
  [
    'route, parameter decoded',
    '/app/router.js',
    'match',
    ['/accounts/:address', '/accounts/a%2Bb@example.org'],
    { address: 'a+b@example.org' },
  ],
  ['route, empty parameter', '/app/router.js', 'match', ['/accounts/:address', '/accounts/'], null],
  ['route, broken escape', '/app/router.js', 'match', ['/accounts/:address', '/accounts/%E0%A4%A'], null],
  ['query', '/app/api.js', 'query', [{ a: ['1', '2'], b: null, c: 0 }], '?a=1&a=2&c=0'],
  ['query, nothing', '/app/api.js', 'query', [{ b: null }], ''],
  ['path segment', '/app/api.js', 'segment', ['a/b?@example.org'], 'a%2Fb%3F@example.org'],
  ['quota', '/app/parts/account.js', 'quotaBytes', ['5'], 5e9],
  ['quota with a comma', '/app/parts/account.js', 'quotaBytes', [' 0,5 '], 5e8],
  ['quota, none', '/app/parts/account.js', 'quotaBytes', [''], null],
  ['quota, no number', '/app/parts/account.js', 'quotaBytes', ['5 GB'], NaN],
  [
    'members by line, comma, doubled',
    '/app/pages/aliases.js',
    'membersOf',
    ['a@b\n c@d, a@b;e@f\n'],
    ['a@b', 'c@d', 'e@f'],
  ],
  ['sparkline', '/app/parts/spark.js', 'sparkPath', [[0, 10, 5]], 'M0.0 31.0L50.0 2.0L100.0 16.5'],
  ['sparkline, flat', '/app/parts/spark.js', 'sparkPath', [[4, 4]], 'M0.0 31.0L100.0 31.0'],
  [
    'rows: changed in place, gone marked, new counted',
    '/app/pages/queue.js',
    'mergeRows',
    [
      [
        { id: 'a', state: 'deferred' },
        { id: 'b', state: 'deferred' },
      ],
      [
        { id: 'b', state: 'sending' },
        { id: 'c', state: 'scheduled' },
      ],
    ],
    {
      rows: [
        { id: 'a', state: 'deferred', gone: true },
        { id: 'b', state: 'sending' },
      ],
      fresh: 1,
    },
  ],
  [
    'the line that decided: the reply, not what came after it',
    '/app/pages/message.js',
    'decidingLine',
    [[{ c: 'RCPT TO:<a@b>' }, { s: '451 4.7.1 later' }, { s: '554 5.5.1 no recipients' }], { code: 451 }],
    1,
  ],
  ['the line that decided: no reply', '/app/pages/message.js', 'decidingLine', [[{ c: '(x)' }, { s: '220 x' }], null], 1],
];
for (const [name, module, what, args, want] of cases) {
  test(name, async () => {
    assert.deepEqual(await call(module, what, ...args), want);
  });
}

test('attempts over one connection are one entry, oldest first', async () => {
  const attempt = (id, session, dialogue = null) => ({
    id,
    session,
    dialogue,
    recipient: id,
    number: 1,
    result: 'deferred',
  });
  const groups = await call('/app/pages/message.js', 'groupAttempts', [
    attempt('a3', 's2'),
    attempt('a2', 's1', [{ t: 0, s: 'x' }]),
    attempt('a1', 's1'),
  ]);
  assert.deepEqual(
    groups.map((group) => group.all.map((one) => one.id)),
    [['a1', 'a2'], ['a3']],
  );
  assert.deepEqual(groups[0].dialogue, [{ t: 0, s: 'x' }]);
});

test('a clock time has its date only on another day, its year only in another year', async () => {
  const clock = (time) =>
    page.evaluate(
      async (at) => (await import('/app/i18n.js')).clock(at, { now: new Date('2026-11-23T14:28:05Z') }),
      time,
    );
  assert.equal(await clock('2026-11-23T14:32:00Z'), '14:32');
  assert.equal(await clock('2026-11-28T13:50:00Z'), '28 Nov, 13:50');
  assert.equal(await clock('2025-11-28T13:50:00Z'), '28 Nov 2025, 13:50');
});
