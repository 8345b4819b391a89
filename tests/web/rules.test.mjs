// The rules of the form as Sieve, and back: each kind, what is refused, and texts that want to get out of their string.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ACTIONS, emptyModel, FIELDS, generate, MAX, OPS, parse, validate, zoneOf } from '../../web/app/sieve-rules.js';

const rule = (conditions, actions, match = 'all') => ({
  match,
  conditions: conditions.map(([field, op, value, header = '']) => ({ field, header, op, value })),
  actions: actions.map(([what, value = '']) => ({ do: what, value })),
});
const model = (rules, vacation = {}) => ({ vacation: { ...emptyModel().vacation, ...vacation }, rules });
/** The script behind its comments. */
const code = (made) => generate(made).replace(/^#.*\n/gm, '');
const one = (field, op, value, header) => code(model([rule([[field, op, value, header]], [['stop']])]));
const away = (vacation) => code(model([], { on: true, text: 'Away.', ...vacation }));

const cases = [
  ['from, contains', one('from', 'contains', 'joe'), '\nif header :contains "from" "joe" {\n    stop;\n}\n'],
  ['from, is an address', one('from', 'is', 'joe@example.net'), '\nif address :is "from" "joe@example.net" {\n    stop;\n}\n'],
  ['to, not', one('to', 'not-contains', 'x'), '\nif not header :contains ["to", "cc"] "x" {\n    stop;\n}\n'],
  ['subject, is', one('subject', 'is', 'Hi'), '\nif header :is "subject" "Hi" {\n    stop;\n}\n'],
  ['list, is: with or without brackets', one('list', 'is', '<a.example>'), one('list', 'is', 'a.example')],
  ['list, is', one('list', 'is', 'a.example'), '\nif header :contains "list-id" "<a.example>" {\n    stop;\n}\n'],
  ['size', one('size', 'contains', '5'), '\nif size :over 5M {\n    stop;\n}\n'],
  ['a header', one('header', 'contains', 'yes', 'X-Spam'), '\nif header :contains "X-Spam" "yes" {\n    stop;\n}\n'],
  [
    'letters with accents, in either case',
    one('subject', 'contains', 'Ação'),
    'require ["comparator-i;unicode-casemap"];\n\nif header :contains :comparator "i;unicode-casemap" "subject" "Ação" {\n    stop;\n}\n',
  ],
  [
    'any of, all actions: flags first, stop last, extensions once',
    code(
      model([
        rule(
          [
            ['from', 'contains', 'a'],
            ['subject', 'contains', 'b'],
          ],
          [['stop'], ['move', 'Lists'], ['copy', 'All'], ['forward', 'bob@example.org'], ['discard'], ['star'], ['read']],
          'any',
        ),
      ]),
    ),
    `require ["copy", "fileinto", "imap4flags", "mailbox"];

if anyof (
    header :contains "from" "a",
    header :contains "subject" "b"
) {
    fileinto :create "Lists";
    fileinto :copy :create "All";
    redirect :copy "bob@example.org";
    discard;
    stop;
}
`.replace('{\n    fileinto', '{\n    addflag "\\\\Flagged";\n    addflag "\\\\Seen";\n    fileinto'),
  ],
  ['every message', code(model([rule([], [['discard']])])), '\nif true {\n    discard;\n}\n'],
  ['an answer', away({}), 'require ["vacation"];\n\nvacation :days 7 "Away.";\n'],
  ['an answer with a subject', away({ subject: 'Out', days: '1' }), 'require ["vacation"];\n\nvacation :days 1 :subject "Out" "Away.";\n'],
  [
    'an answer between two days',
    away({ from: '2026-12-20', until: '2027-01-03', zone: '-0300' }),
    `require ["date", "relational", "vacation"];

if allof (
    currentdate :zone "-0300" :value "ge" "date" "2026-12-20",
    currentdate :zone "-0300" :value "le" "date" "2027-01-03"
) {
    vacation :days 7 "Away.";
}
`,
  ],
  [
    'an answer until a day',
    away({ until: '2027-01-03' }),
    'require ["date", "relational", "vacation"];\n\nif currentdate :zone "+0000" :value "le" "date" "2027-01-03" {\n    vacation :days 7 "Away.";\n}\n',
  ],
  ['an answer that is off', code(model([], { text: 'Away.' })), ''],
  ['nothing', code(emptyModel()), ''],
  ['zones', [180, -330, 0, -60].map(zoneOf), ['-0300', '+0530', '+0000', '+0100']],
];
for (const [name, got, want] of cases) test(`script: ${name}`, () => assert.deepEqual(got, want));

test('the answer comes before the rules, rules in their order', () => {
  const made = code(model([rule([], [['stop']]), rule([], [['discard']])], { on: true, text: 'x' }));
  assert.deepEqual(made.match(/vacation :|stop|discard/g), ['vacation :', 'stop', 'discard']);
});

/** Texts that want to end the string, the comment or the line; and such as are only unusual. */
const HOSTILE = [
  '"; discard; #',
  '\\"; discard; #',
  '\\',
  '\\\\"',
  '*/ discard; /*',
  '# correio-rules: {}',
  '${hex:22} ${unicode:22}',
  '</script><img src=x onerror=alert(1)>',
  '{n} {{x}} %s %00',
  'Ação ☃ 😀 \u202e\u0301',
  '.',
  'text:',
  '__proto__',
];

/** A reader of quoted strings as RFC 5228, 2.4.2 has them: the strings of a script, and what is around them. */
function read(script) {
  const strings = [];
  const rest = script.replace(/"((?:[^"\\]|\\[^])*)"/g, (_, inner) => {
    strings.push(inner.replace(/\\([^])/g, '$1'));
    return '""';
  });
  return { strings, rest };
}

for (const text of HOSTILE) {
  test(`hostile: ${JSON.stringify(text)}`, () => {
    const made = model(
      [rule([['subject', 'is', text], ['header', 'contains', text, 'X-A']], [['move', text], ['copy', text]])],
      { on: true, subject: text, text: `${text}\n.\n${text}\n# correio-rules: {"vacation":1}` },
    );
    const script = generate(made);
    const plain = structuredClone(made);
    for (const part of [...plain.rules[0].conditions, ...plain.rules[0].actions]) part.value = /^[\0-\x7f]*$/.test(text) ? 'x' : 'á';
    Object.assign(plain.vacation, { subject: 'x', text: 'x' });
    const body = (whole) => read(whole.replace(/^#.*\n/gm, (line) => (line.startsWith('# correio-rules: {"') ? '' : line)));
    const [got, want] = [body(script), body(generate(plain))];
    assert.equal(got.rest, want.rest, 'only strings differ');
    assert.equal(got.strings.filter((string) => string === text).length, 5);
    const head = script.split('\n').slice(0, 2);
    assert.ok(head.every((line) => /^# correio-rules: [ -~]+$/.test(line)), 'a comment is one line of ASCII');
    assert.deepEqual(parse(script), made);
    assert.deepEqual(parse(script.replaceAll('\n', '\r\n')), made, 'as ManageSieve gives it');
  });
}

test('every field, comparison and action comes back as it was', () => {
  const rules = FIELDS.flatMap((field) =>
    OPS.map((op) =>
      rule([[field, field === 'size' ? 'contains' : op, field === 'size' ? '12' : 'x y', field === 'header' ? 'X-A' : '']], [['stop']]),
    ),
  );
  for (const what of ACTIONS)
    rules.push(rule([], [[what, { move: 'A/B', copy: 'A', forward: 'b@example.org' }[what] ?? '']], 'any'));
  const made = model(rules, { text: 'a\n\tb', from: '2026-12-20', zone: '+0530' });
  assert.deepEqual(parse(generate(made)), made);
});

test('blanks around a value and what its kind does not use are left out', () => {
  const made = model([rule([['from', 'contains', '  joe ', 'X-Left']], [['stop', 'left'], ['move', ' A ']])]);
  const [{ conditions, actions }] = parse(generate(made)).rules;
  assert.deepEqual(conditions, [{ field: 'from', header: '', op: 'contains', value: 'joe' }]);
  assert.deepEqual(actions, [{ do: 'stop', value: '' }, { do: 'move', value: 'A' }]);
});

const R = '/rules/0';
const wrongCondition = (field, value, header) => model([rule([[field, 'contains', value, header]], [['stop']])]);
const wrongAction = (what, value) => model([rule([], [[what, value]])]);
const refused = [
  ['an empty value', wrongCondition('subject', ' '), { [`${R}/conditions/0/value`]: 'required' }],
  ['a line break in a value', wrongCondition('subject', 'a\r\nb'), { [`${R}/conditions/0/value`]: 'syntax' }],
  ['a NUL', wrongCondition('subject', 'a\0b'), { [`${R}/conditions/0/value`]: 'syntax' }],
  ['half a character', wrongCondition('subject', 'a\ud800'), { [`${R}/conditions/0/value`]: 'syntax' }],
  ['a line separator', wrongCondition('subject', 'a\u2028b'), { [`${R}/conditions/0/value`]: 'syntax' }],
  ['a long value', wrongCondition('subject', 'a'.repeat(501)), { [`${R}/conditions/0/value`]: 'too-long' }],
  ['no header', wrongCondition('header', 'x', ''), { [`${R}/conditions/0/header`]: 'required' }],
  ['a header with a colon', wrongCondition('header', 'x', 'X:'), { [`${R}/conditions/0/header`]: 'syntax' }],
  ['a header with an accent', wrongCondition('header', 'x', 'é'), { [`${R}/conditions/0/header`]: 'syntax' }],
  ['no size', wrongCondition('size', ''), { [`${R}/conditions/0/value`]: 'required' }],
  ['size 0', wrongCondition('size', '0'), { [`${R}/conditions/0/value`]: 'minimum' }],
  ['size in words', wrongCondition('size', '5M; discard'), { [`${R}/conditions/0/value`]: 'minimum' }],
  ['a huge size', wrongCondition('size', '99999'), { [`${R}/conditions/0/value`]: 'maximum' }],
  ['an unknown field', wrongCondition('constructor', 'x'), { [`${R}/conditions/0/field`]: 'enum' }],
  ['no folder', wrongAction('move', ''), { [`${R}/actions/0/value`]: 'required' }],
  ['a line break in a folder', wrongAction('copy', 'a\nb'), { [`${R}/actions/0/value`]: 'syntax' }],
  ['no address', wrongAction('forward', 'bob'), { [`${R}/actions/0/value`]: 'syntax' }],
  ['two addresses', wrongAction('forward', 'a@example.org, b@example.org'), { [`${R}/actions/0/value`]: 'syntax' }],
  ['an unknown action', wrongAction('pipe', ''), { [`${R}/actions/0/do`]: 'enum' }],
  ['no action', model([rule([], [])]), { [`${R}/actions`]: 'required' }],
  ['neither all nor any', model([rule([], [['stop']], 'none')]), { [`${R}/match`]: 'enum' }],
  ['too many rules', model(Array(MAX.rules + 1).fill(rule([], [['stop']]))), { '/rules': 'too-many' }],
  ['five forwards', model(Array(5).fill(rule([], [['forward', 'a@example.org']]))), { '/rules/4/actions/0/value': 'too-many' }],
  ['an answer without words', model([], { on: true }), { '/vacation/text': 'required' }],
  ['a bell in an answer', model([], { text: 'a\x07' }), { '/vacation/text': 'syntax' }],
  ['a long answer', model([], { text: 'a'.repeat(10001) }), { '/vacation/text': 'too-long' }],
  ['a line break in the subject', model([], { subject: 'a\r\nBcc: x' }), { '/vacation/subject': 'syntax' }],
  ['a day that is none', model([], { from: '2026-02-30' }), { '/vacation/from': 'syntax' }],
  ['a day with more', model([], { until: '2026-02-20" "' }), { '/vacation/until': 'syntax' }],
  ['an end before its start', model([], { from: '2026-02-20', until: '2026-02-19' }), { '/vacation/until': 'before-start' }],
  ['a zone that is none', model([], { zone: '"; stop' }), { '/vacation/zone': 'syntax' }],
  ['0 days', model([], { days: '0' }), { '/vacation/days': 'minimum' }],
  ['31 days', model([], { days: '31' }), { '/vacation/days': 'maximum' }],
];
for (const [name, made, want] of refused) {
  test(`refused: ${name}`, () => {
    assert.deepEqual(validate(made), want);
    assert.throws(() => generate(made));
  });
}

test('all that is wrong is said at once', () => {
  const made = model([rule([['from', 'contains', '']], [['move']]), rule([], [['forward', 'x']])], { on: true });
  assert.equal(Object.keys(validate(made)).length, 4);
});

const good = generate(model([rule([['from', 'is', 'a@example.org']], [['move', 'A']])], { on: true, text: 'x' }));
const others = [
  ['a script of a person', 'require "fileinto";\nfileinto "A";\n'],
  ['nothing', ''],
  ['one line, without its end', good.split('\n')[0]],
  ['another folder', good.replace('create "A"', 'create "B"')],
  ['another comment', good.replace('"value":"A"', '"value":"B"')],
  ['a command more', `${good}discard;\n`],
  ['a blank more', `${good} `],
  ['a line before it', `\n${good}`],
  ['a rule less in the comments', good.split('\n').toSpliced(1, 1).join('\n')],
  ['no JSON', good.replace('{', '[')],
  ['JSON of another shape', '# correio-rules: 1\n# correio-rules: null\n'],
  ['a member more', good.replace('{"match"', '{"x":1,"match"')],
  ['a list instead of a text', good.replace('"from":""', '"from":[""]')],
  ['deep JSON', `# correio-rules: ${'['.repeat(100000)}\n`],
  ['the prototype', good.replace('{"match"', '{"__proto__":{"a":1},"match"')],
];
for (const [name, script] of others) test(`opens as text: ${name}`, () => assert.equal(parse(script), null));
