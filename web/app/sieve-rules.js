// Rules of a form as a Sieve script (RFC 5228), and back. Pure: no page, no words, no requests.
//
// A model is {vacation: {on, subject, text, from, until, zone, days}, rules: [{match, conditions: [{field, header, op,
// value}], actions: [{do, value}]}]}; every leaf but `on` is a string. The script begins with the model as JSON, in comments
// of one line each. It is read back from those alone, and only while they give the very same script: what was written by
// hand is never lost to the form.
const MARK = '# correio-rules: ';
const NOTE = '# From the form on the page "Filters". Once changed by hand, it is a text there.';

export const FIELDS = ['from', 'to', 'subject', 'list', 'header', 'size'];
export const OPS = ['contains', 'is', 'not-contains'];
export const ACTIONS = ['move', 'copy', 'read', 'star', 'forward', 'discard', 'stop'];
export const MAX = { rules: 100, conditions: 20, actions: 8, forwards: 4 }; // one run sends on to 4 at most: docs/sieve.md
const MAX_VALUE = 500;
const MAX_TEXT = 10000;
const MAX_MB = 1000;
const MAX_DAYS = 30;
const TAKES_VALUE = ['move', 'copy', 'forward'];

export const takesValue = (action) => TAKES_VALUE.includes(action.do);
export const newCondition = () => ({ field: 'from', header: '', op: 'contains', value: '' });
export const newAction = () => ({ do: 'move', value: '' });
export const newRule = () => ({ match: 'all', conditions: [newCondition()], actions: [newAction()] });
export const emptyModel = () => ({
  vacation: { on: false, subject: '', text: '', from: '', until: '', zone: '+0000', days: '7' },
  rules: [],
});

/** The offset of a clock in minutes west of UTC (as Date says it) as a Sieve zone: 180 is -0300. */
export function zoneOf(minutes) {
  const two = (n) => String(n).padStart(2, '0');
  const size = Math.abs(minutes);
  return (minutes > 0 ? '-' : '+') + two(Math.floor(size / 60)) + two(size % 60);
}

// What is wrong with a model

const isDay = (text) =>
  /^\d{4}-\d{2}-\d{2}$/.test(text) &&
  new Date(`${text}T00:00:00Z`).getTime() > 0 &&
  new Date(`${text}T00:00:00Z`).toISOString().startsWith(text);
const isNumber = (text, max) => /^[1-9]\d{0,3}$/.test(text) && Number(text) <= max;
const isAddress = (text) => /^[^\s@<>()[\],;:\\"]+@[^\s@<>()[\],;:\\"]+$/.test(text);
const isHeaderName = (text) => /^[!-9;-~]{1,100}$/.test(text); // RFC 5322, 2.2

/** A text on one line that says something; what is wrong with it, or null. */
function lineError(text) {
  if (text.trim() === '') return 'required';
  if (text.length > MAX_VALUE) return 'too-long';
  return /[\p{Cc}\p{Cs}\u2028\u2029]/u.test(text) ? 'syntax' : null;
}

function numberError(text, max) {
  if (text.trim() === '') return 'required';
  if (isNumber(text.trim(), max)) return null;
  return Number(text) > max ? 'maximum' : 'minimum';
}

function valueError({ field, value }) {
  return field === 'size' ? numberError(value, MAX_MB) : lineError(value);
}

function actionError(action) {
  const wrong = takesValue(action) ? lineError(action.value) : null;
  return wrong ?? (action.do === 'forward' && !isAddress(action.value.trim()) ? 'syntax' : null);
}

function textError(text) {
  if (text.length > MAX_TEXT) return 'too-long';
  return /[^\P{Cc}\n\r\t]|\p{Cs}/u.test(text) ? 'syntax' : null;
}

function vacationErrors(vacation, say) {
  const { on, subject, text, from, until, zone, days } = vacation;
  if (typeof on !== 'boolean') say('/vacation/on', 'type');
  if (subject.trim() !== '') say('/vacation/subject', lineError(subject));
  say('/vacation/text', on && text.trim() === '' ? 'required' : textError(text));
  for (const [name, date] of [
    ['from', from],
    ['until', until],
  ])
    if (date !== '' && !isDay(date)) say(`/vacation/${name}`, 'syntax');
  if (from !== '' && until !== '' && until < from) say('/vacation/until', 'before-start');
  if (!/^[+-](0\d|1[0-4])[0-5]\d$/.test(zone)) say('/vacation/zone', 'syntax');
  say('/vacation/days', numberError(days, MAX_DAYS));
}

/** {pointer: code} of everything that is wrong with a model; the codes are those of the API's errors. Empty: nothing. */
export function validate({ vacation, rules }) {
  const errors = {};
  const say = (pointer, code) => {
    if (code !== null) errors[pointer] ??= code;
  };
  let forwards = 0;
  vacationErrors(vacation, say);
  if (rules.length > MAX.rules) say('/rules', 'too-many');
  rules.forEach(({ match, conditions, actions }, i) => {
    const rule = `/rules/${i}`;
    if (match !== 'all' && match !== 'any') say(`${rule}/match`, 'enum');
    if (conditions.length > MAX.conditions) say(`${rule}/conditions`, 'too-many');
    if (actions.length > MAX.actions) say(`${rule}/actions`, 'too-many');
    if (actions.length === 0) say(`${rule}/actions`, 'required');
    conditions.forEach((condition, k) => {
      const at = `${rule}/conditions/${k}`;
      if (!FIELDS.includes(condition.field)) say(`${at}/field`, 'enum');
      if (!OPS.includes(condition.op)) say(`${at}/op`, 'enum');
      if (condition.field === 'header' && !isHeaderName(condition.header.trim()))
        say(`${at}/header`, condition.header.trim() === '' ? 'required' : 'syntax');
      say(`${at}/value`, valueError(condition));
    });
    actions.forEach((action, k) => {
      if (!ACTIONS.includes(action.do)) say(`${rule}/actions/${k}/do`, 'enum');
      say(`${rule}/actions/${k}/value`, actionError(action));
      if (action.do === 'forward' && ++forwards > MAX.forwards) say(`${rule}/actions/${k}/value`, 'too-many');
    });
  });
  return errors;
}

// The script

/** A quoted string (RFC 5228, 2.4.2); it may go over lines. */
const quoted = (text) => `"${text.replace(/["\\]/g, '\\$&')}"`;
const lines = (text) => text.replace(/\r\n?/g, '\n');
const isAscii = (text) => /^[\0-\x7f]*$/.test(text);

/** The same model with nothing else in it, in one order, without what its kind does not use. */
function canonical({ vacation: v, rules }) {
  const condition = ({ field, header, op, value }) => ({
    field,
    header: field === 'header' ? header.trim() : '',
    op: field === 'size' ? 'contains' : op,
    value: value.trim(),
  });
  return {
    vacation: {
      on: v.on,
      subject: v.subject.trim(),
      text: lines(v.text),
      from: v.from.trim(),
      until: v.until.trim(),
      zone: v.zone.trim(),
      days: v.days.trim(),
    },
    rules: rules.map(({ match, conditions, actions }) => ({
      match,
      conditions: conditions.map(condition),
      actions: actions.map((action) => ({ do: action.do, value: takesValue(action) ? action.value.trim() : '' })),
    })),
  };
}

/** JSON in ASCII: no byte in it ends the line, so nothing ends the comment. */
const comment = (value) =>
  MARK + JSON.stringify(value).replace(/[^ -~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** A test of a condition; `need` takes the extensions it uses. */
function testOf({ field, header, op, value }, need) {
  if (field === 'size') return `size :over ${value}M`;
  const names = { from: '"from"', to: '["to", "cc"]', subject: '"subject"', list: '"list-id"', header: quoted(header) };
  const test = (field === 'from' || field === 'to') && op === 'is' ? 'address' : 'header';
  // A list is its identifier in angle brackets, whatever words stand before it (RFC 2919, 3).
  const isList = field === 'list' && op === 'is';
  const match = op === 'is' && !isList ? ':is' : ':contains';
  const key = isList ? `<${value.replace(/^<|>$/g, '')}>` : value;
  let comparator = '';
  if (!isAscii(key)) {
    need('comparator-i;unicode-casemap'); // the default one takes É and é for different letters
    comparator = ' :comparator "i;unicode-casemap"';
  }
  return `${op === 'not-contains' ? 'not ' : ''}${test} ${match}${comparator} ${names[field]} ${quoted(key)}`;
}

function commandOf({ do: what, value }, need) {
  switch (what) {
    case 'move':
      need('fileinto', 'mailbox');
      return `fileinto :create ${quoted(value)};`;
    case 'copy':
      need('fileinto', 'mailbox', 'copy');
      return `fileinto :copy :create ${quoted(value)};`;
    case 'read':
      need('imap4flags');
      return 'addflag "\\\\Seen";';
    case 'star':
      need('imap4flags');
      return 'addflag "\\\\Flagged";';
    case 'forward':
      need('copy');
      return `redirect :copy ${quoted(value)};`;
    default:
      return `${what};`;
  }
}

/** Flags first, since they are for what is stored after them; the end of the script last. */
const rank = (action) => (action.do === 'read' || action.do === 'star' ? 0 : action.do === 'stop' ? 2 : 1);

const joined = (name, tests) => (tests.length === 1 ? tests[0] : `${name} (\n    ${tests.join(',\n    ')}\n)`);

function ruleOf({ match, conditions, actions }, number, need) {
  const tests = conditions.map((condition) => testOf(condition, need));
  const test = tests.length === 0 ? 'true' : joined(`${match}of`, tests);
  const commands = [...actions].sort((a, b) => rank(a) - rank(b)).map((action) => `    ${commandOf(action, need)}\n`);
  return `\n# Rule ${number}\nif ${test} {\n${commands.join('')}}\n`;
}

function vacationOf({ on, subject, text, from, until, zone, days }, need) {
  if (!on) return '';
  need('vacation');
  const command = `vacation :days ${days}${subject === '' ? '' : ` :subject ${quoted(subject)}`} ${quoted(text)};\n`;
  const tests = [from !== '' && ['ge', from], until !== '' && ['le', until]]
    .filter(Boolean)
    .map(([relation, date]) => `currentdate :zone "${zone}" :value "${relation}" "date" "${date}"`);
  if (tests.length === 0) return `\n# Automatic answer\n${command}`;
  need('date', 'relational');
  return `\n# Automatic answer\nif ${joined('allof', tests)} {\n    ${command}}\n`;
}

/** The script of a model; throws when validate() has something to say. */
export function generate(model) {
  if (Object.keys(validate(model)).length > 0) throw new TypeError('not a valid model');
  const { vacation, rules } = canonical(model);
  const extensions = new Set();
  const need = (...names) => names.forEach((name) => extensions.add(name));
  // The answer comes first: no rule's `stop` is then in its way.
  const body = vacationOf(vacation, need) + rules.map((rule, i) => ruleOf(rule, i + 1, need)).join('');
  const required = [...extensions].sort().map(quoted).join(', ');
  const head = [comment({ vacation }), ...rules.map(comment), NOTE];
  if (required !== '') head.push(`require [${required}];`);
  return `${head.join('\n')}\n${body}`;
}

/** The model of a script that generate() made; null for every other one. */
export function parse(script) {
  const text = lines(script);
  const all = text.split('\n');
  const marked = all.slice(0, all.findIndex((line) => !line.startsWith(MARK))); // a text may have such lines too, below
  if (marked.length === 0) return null;
  try {
    const [{ vacation }, ...rules] = marked.map((line) => JSON.parse(line.slice(MARK.length)));
    const model = { vacation, rules };
    return generate(model) === text ? model : null;
  } catch {
    return null; // no JSON, or JSON of another shape
  }
}
