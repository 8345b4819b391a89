// The catalogues are complete: no key is missing, unused, or has other placeholders in another language.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

const WEB = fileURLToPath(new URL('../../web/', import.meta.url));
const read = (code) => JSON.parse(readFileSync(`${WEB}i18n/${code}.json`, 'utf8'));
/** Catalogues that are loaded when a page needs them; their keys begin with their name. */
const FURTHER = readdirSync(`${WEB}i18n`)
  .map((name) => /^(.+)\.en\.json$/.exec(name)?.[1])
  .filter(Boolean);
const all = (code) =>
  Object.assign(
    read(code),
    ...FURTHER.map((name) =>
      Object.fromEntries(Object.entries(read(`${name}.${code}`)).map(([key, text]) => [`${name}.${key}`, text])),
    ),
  );
const en = all('en');
const pt = all('pt-BR');
const sources = readdirSync(`${WEB}app`, { recursive: true })
  .filter((name) => name.endsWith('.js'))
  .map((name) => ({ name, text: readFileSync(`${WEB}app/${name}`, 'utf8') }));
const allText = sources.map((source) => source.text).join('\n');

/** Keys in quotes as t('a.b') or as data ('a.b' in a table), and patterns of those that are put together. */
const literals = new Set([...allText.matchAll(/'([a-z][\w-]*(?:\.[\w-]+)*)'/g)].map((found) => found[1]));
const calls = [...allText.matchAll(/\bt[x]?\('([^']+)'/g)].map((found) => found[1]);
const patterns = [...allText.matchAll(/`([\w.-]*\$\{[^`]*)`/g)]
  .map((found) => found[1].replace(/\$\{[^}]*\}/g, '\u0000'))
  .filter((pattern) => /^[\w.\u0000-]+$/.test(pattern) && pattern.includes('.') && !pattern.startsWith('\u0000.\u0000'))
  .map((pattern) => new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('\u0000', '[\\w.-]+')}$`));

const forms = (entry) => (typeof entry === 'string' ? { other: entry } : entry);
const placeholders = (text) => [...new Set([...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1]))].sort();

test('every key that the page asks for is there', () => {
  assert.ok(calls.length > 200, 'the search for calls finds them');
  assert.deepEqual(
    calls.filter((key) => !(key in en)),
    [],
  );
});

test('every key is used', () => {
  const unused = Object.keys(en).filter((key) => !literals.has(key) && !patterns.some((pattern) => pattern.test(key)));
  assert.deepEqual(unused, []);
});

test('both languages have the same keys', () => {
  assert.deepEqual(Object.keys(pt).sort(), Object.keys(en).sort());
});

test('both languages have the same placeholders, in every plural form', () => {
  for (const key of Object.keys(en)) {
    const wanted = placeholders(forms(en[key]).other);
    for (const [form, text] of [...Object.entries(forms(en[key])), ...Object.entries(forms(pt[key]))]) {
      const has = placeholders(text);
      const allowed = form === 'one' ? wanted.filter((name) => name !== 'n' || has.includes('n')) : wanted; // "One thing needs you."
      assert.deepEqual(has, allowed, `${key} (${form})`);
    }
  }
});

test('plurals have the forms that their language needs, texts are no markup', () => {
  for (const [catalogue, code] of [
    [en, 'en'],
    [pt, 'pt-BR'],
  ]) {
    for (const [key, entry] of Object.entries(catalogue)) {
      if (typeof entry !== 'string') assert.ok('one' in entry && 'other' in entry, `${code} ${key}`);
      for (const text of Object.values(forms(entry))) {
        assert.ok(text.trim() !== '', `${code} ${key} is empty`);
        assert.ok(!/<\/?[a-z]/.test(text), `${code} ${key} has markup`);
        assert.ok(!/!|Oops/.test(text), `${code} ${key} shouts`);
      }
    }
  }
});

test('what the contract can say has words', () => {
  const contract = readFileSync(fileURLToPath(new URL('../../api/openapi.yaml', import.meta.url)), 'utf8');
  const listed = (from, to) =>
    contract.slice(contract.indexOf(from), contract.indexOf(to, contract.indexOf(from))).match(/[a-z]+(?:-[a-z]+)*/g);
  const problems = listed('/problems/` and one of: ', 'examples:').slice(4);
  const codes = listed('            required, type, enum', 'detail:');
  assert.ok(problems.includes('selection-changed') && codes.includes('common-password'));
  assert.deepEqual(
    problems.filter((name) => !(`problem.${name}` in en)),
    [],
  );
  assert.deepEqual(
    codes.filter((code) => !(`invalid.${code}` in en)),
    [],
  );
});

test('advice has the same words in both languages', () => {
  const advice = { en: read('advice.en'), pt: read('advice.pt-BR') };
  const reason = { en: read('reason.en'), pt: read('reason.pt-BR') };
  const ids = Object.keys(reason.en);
  const keys = Object.keys(advice.en);
  assert.deepEqual(ids, [...ids].sort());
  assert.deepEqual(Object.keys(reason.pt), ids);
  assert.deepEqual(
    keys,
    ids.flatMap((id) => [`${id}.do`, `${id}.text`]).sort(),
  );
  assert.deepEqual(Object.keys(advice.pt), keys);
  for (const text of [...Object.values(reason.en), ...Object.values(reason.pt)]) assert.match(text, /^[^<>!{}]+[^.]$/);
  for (const key of keys) {
    for (const text of [advice.en[key], advice.pt[key]]) {
      assert.ok(text.trim() !== '' && !/[<>!]|\\u/.test(text), key);
      assert.ok(text.endsWith('.'), key);
      assert.ok(placeholders(text).every((name) => name === 'destination'), key);
    }
  }
});
