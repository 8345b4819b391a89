// Sieve scripts: a person's, a domain's and the server's; what they take, refuse and answer; trying them on a message.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { bearer, errorsOf, local, makeToken, makeWorld, nobody, run, signIn } from './server.mjs';

const LIST = '/accounts/{address}/filters';
const ONE = '/accounts/{address}/filters/{name}';
const SERVER = '/filters/{place}/{name}';
const DOMAIN = '/domains/{domain}/filters/{place}/{name}';
const SCRIPT = 'require "fileinto";\r\nif header :contains "subject" "[list]" {\r\n  fileinto "Lists";\r\n}\r\n';

let world;
let mine;
before(async () => {
  world = await makeWorld('filters');
  mine = `/accounts/${world.alice}/filters`;
});
const match = (version) => ({ 'If-Match': `"${version}"` });

test('a script: create, read, replace, activate, rename, remove', async () => {
  assert.deepEqual((await local.call('GET', mine, LIST)).data, []);
  const made = await local.call('PUT', `${mine}/main`, ONE, { status: 201, body: { script: SCRIPT } });
  assert.equal(local.last.headers.location, `/api/v1${mine}/main`);
  assert.equal(local.last.headers.etag, '"1"');
  assert.deepEqual([made.name, made.place, made.active, made.size, made.script, made.version], ['main', 'personal', false, SCRIPT.length, SCRIPT, 1]);
  assert.deepEqual(await local.call('GET', `${mine}/main`, ONE), made);
  await local.call('GET', `${mine}/main`, ONE, { status: 304, headers: { 'If-None-Match': '"1"' } });
  await local.call('PUT', `${mine}/main`, ONE, { status: 428, type: 'precondition-required', body: { script: 'keep;' } });
  await local.call('PUT', `${mine}/main`, ONE, { status: 409, type: 'exists', headers: { 'If-None-Match': '*' }, body: { script: 'keep;' } });
  await local.call('PUT', `${mine}/none`, ONE, { status: 412, type: 'stale', headers: match(1), body: { script: 'keep;' } });
  const replaced = await local.call('PUT', `${mine}/main`, ONE, { headers: match(1), body: { ...made, script: 'keep;' } });
  assert.deepEqual([replaced.size, replaced.version], [5, 2]);
  const stale = await local.call('PUT', `${mine}/main`, ONE, { status: 412, type: 'stale', headers: match(1), body: { script: 'stop;' } });
  assert.deepEqual(stale.current, replaced);
  await local.call('PATCH', `${mine}/main`, ONE, { status: 428, body: { active: true } });
  await local.call('PATCH', `${mine}/main`, ONE, { status: 412, headers: match(1), body: { active: true } });
  assert.equal((await local.call('PATCH', `${mine}/main`, ONE, { headers: match(2), body: { active: true } })).active, true);
  await local.call('PUT', `${mine}/other`, ONE, { status: 201, body: { script: 'keep;' } });
  await local.call('PATCH', `${mine}/other`, ONE, { status: 409, type: 'exists', headers: match(1), body: { name: 'main' } });
  const other = await local.call('PATCH', `${mine}/other`, ONE, { headers: match(1), body: { name: 'f\u00e9rias "1"', active: true } });
  assert.deepEqual([other.name, other.active], ['f\u00e9rias "1"', true]);
  const { data } = await local.call('GET', mine, LIST);
  assert.deepEqual(data.map((f) => [f.name, f.active, f.script]), [['f\u00e9rias "1"', true, undefined], ['main', false, undefined]]);
  await local.call('DELETE', `${mine}/main`, ONE, { status: 428 });
  await local.call('DELETE', `${mine}/main`, ONE, { status: 412, type: 'stale', headers: match(1) });
  await local.call('DELETE', `${mine}/${encodeURIComponent('f\u00e9rias "1"')}`, ONE, { status: 204, headers: match(other.version) });
  await local.call('DELETE', `${mine}/main`, ONE, { status: 204, headers: { 'If-Match': '*' } });
  await local.call('GET', `${mine}/main`, ONE, { status: 404, type: 'not-found' });
  await local.call('PATCH', `${mine}/main`, ONE, { status: 404, headers: match(1), body: { active: true } });
});

test('a script that does not compile is not stored, and the place of the error is told', async () => {
  const problem = await local.call('PUT', `${mine}/bad`, ONE, { status: 422, type: 'validation', body: { script: 'keep;\nif header "x" {\n' } });
  const [error] = problem.errors;
  assert.deepEqual([error.pointer, error.code, error.line], ['/script', 'syntax', 2]);
  assert.ok(error.column >= 1 && error.detail.length > 5);
  const deep = await local.call('PUT', `${mine}/bad`, ONE, { status: 422, body: { script: 'if true {'.repeat(40) + '}'.repeat(40) } });
  assert.equal(deep.errors[0].code, 'limit');
  await local.call('GET', `${mine}/bad`, ONE, { status: 404 });
});

test('bodies and names that are refused', async () => {
  const put = async (body) => errorsOf(await local.call('PUT', `${mine}/x`, ONE, { status: 422, body }));
  assert.deepEqual(await put({}), { '/script': 'required' });
  assert.deepEqual(await put({ script: '' }), { '/script': 'too-short' });
  assert.deepEqual(await put({ script: 'keep;\u0000' }), { '/script': 'syntax' });
  assert.deepEqual(await put({ script: 'keep;', active: true, skript: 1 }), { '/active': 'read-only', '/skript': 'unknown-field' });
  await local.call('PUT', `${mine}/${'x'.repeat(513)}`, ONE, { status: 422, body: { script: 'keep;' } });
  await local.call('PUT', `${mine}/a%01b`, ONE, { status: 422, body: { script: 'keep;' } });
  await local.call('PUT', `${mine}/x`, ONE, { status: 413, body: { script: `#${'x'.repeat(1 << 20)}` } });
  await local.call('PUT', `${mine}/x`, ONE, { status: 201, body: { script: 'keep;' } });
  const patch = async (body) => errorsOf(await local.call('PATCH', `${mine}/x`, ONE, { status: 422, headers: match(1), body }));
  assert.deepEqual(await patch({ active: 1, name: '' }), { '/active': 'type', '/name': 'too-short' });
  assert.deepEqual(await patch({ name: 'a\u2028b' }), { '/name': 'syntax' });
  assert.deepEqual(await patch({ script: 'stop;' }), { '/script': 'read-only' });
  await local.call('GET', `${mine}?limit=2`, LIST, { status: 400 });
  await local.call('PUT', '/accounts/nobody@nowhere.example/filters/x', ONE, { status: 404, body: { script: 'keep;' } });
});

test('one hundred scripts, and no more', async () => {
  const url = `/accounts/${world.bob}/filters`;
  for (let i = 0; i < 100; i++) await local.call('PUT', `${url}/s${i}`, ONE, { status: 201, body: { script: 'keep;' } });
  assert.deepEqual(errorsOf(await local.call('PUT', `${url}/more`, ONE, { status: 422, body: { script: 'keep;' } })), { name: 'too-many' });
});

test('an administrator\'s scripts: of the server and of a domain, by place', async () => {
  const name = `r${run}`;
  const made = await local.call('PUT', `/filters/before/${name}`, SERVER, { status: 201, body: { script: 'keep;' } });
  assert.equal(made.place, 'before');
  await local.call('PUT', `/filters/after/${name}`, SERVER, { status: 201, body: { script: 'keep;' } });
  await local.call('PUT', `/filters/global/${name}`, SERVER, { status: 201, body: { script: 'keep;' } });
  assert.equal((await local.call('PATCH', `/filters/before/${name}`, SERVER, { headers: match(1), body: { active: true } })).active, true);
  assert.equal((await local.call('PATCH', `/filters/after/${name}`, SERVER, { headers: match(1), body: { active: true } })).active, true);
  assert.deepEqual(errorsOf(await local.call('PATCH', `/filters/global/${name}`, SERVER, { status: 422, headers: match(1), body: { active: true } })), { '/active': 'never-runs' });
  const mineOf = async (url, path) => (await local.call('GET', url, path)).data.filter((f) => f.name === name).map((f) => [f.place, f.active]);
  assert.deepEqual(await mineOf('/filters', '/filters'), [['before', true], ['after', true], ['global', false]]);
  for (const place of ['before', 'after', 'global']) await local.call('DELETE', `/filters/${place}/${name}`, SERVER, { status: 204, headers: { 'If-Match': '*' } });
  assert.deepEqual(await mineOf('/filters', '/filters'), []);

  const url = `/domains/${world.domain}/filters`;
  await local.call('PUT', `${url}/imap/${name}`, DOMAIN, { status: 201, body: { script: 'keep;' } });
  assert.deepEqual(await mineOf(url, '/domains/{domain}/filters'), [['imap', false]]);
  await local.call('GET', `/domains/${world.other}/filters/imap/${name}`, DOMAIN, { status: 404 });
  await local.call('DELETE', `${url}/imap/${name}`, DOMAIN, { status: 204, headers: match(1) });
  for (const place of ['personal', 'nowhere']) await local.call('PUT', `/filters/${place}/${name}`, SERVER, { status: 404, body: { script: 'keep;' } });
  await local.call('GET', '/domains/none.example/filters', '/domains/{domain}/filters', { status: 404 });
});

test('who may: no sign-in, a scope that is not enough, another tenant, a person', async () => {
  await nobody.call('GET', mine, LIST, { status: 401 });
  const reader = bearer(await makeToken(['accounts:read']));
  await reader.call('GET', mine, LIST);
  await reader.call('PUT', `${mine}/y`, ONE, { status: 403, type: 'insufficient-scope', body: { script: 'keep;' } });
  await reader.call('GET', '/filters', '/filters', { status: 403 });
  await reader.call('GET', '/me/filters', '/me/filters', { status: 404 });
  const office = await signIn(world.office);
  for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
    const body = { PUT: { script: 'keep;' }, PATCH: { active: true } }[method];
    await office.call(method, `${mine}/x`, ONE, { status: 404, type: 'not-found', headers: { 'If-Match': '*' }, body });
  }
  await office.call('GET', `/domains/${world.domain}/filters`, '/domains/{domain}/filters', { status: 404 });
  await office.call('GET', `/domains/${world.other}/filters`, '/domains/{domain}/filters');
  await office.call('PUT', `/domains/${world.other}/filters/before/x`, DOMAIN, { status: 403, body: { script: 'keep;' } });
  await office.call('PUT', `/accounts/${world.far}/filters/x`, ONE, { status: 201, body: { script: 'keep;' } });
});

test('a person writes the own scripts and sees no others', async () => {
  const alice = await signIn(world.alice);
  const M = '/me/filters/{name}';
  await alice.call('PUT', '/me/filters/own', M, { status: 201, body: { script: SCRIPT } });
  const problem = await alice.call('PUT', '/me/filters/own', M, { status: 422, headers: match(1), body: { script: 'nonsense' } });
  assert.equal(problem.errors[0].line, 1);
  assert.equal((await alice.call('PATCH', '/me/filters/own', M, { headers: match(1), body: { active: true } })).active, true);
  assert.ok((await local.call('GET', mine, LIST)).data.some((f) => f.name === 'own' && f.active));
  await alice.call('GET', mine, LIST, { status: 403 });
  await alice.call('DELETE', '/me/filters/own', M, { status: 204, headers: match(2) });
});

const MESSAGE = 'From: Joe <joe@example.net>\nTo: me\nSubject: [list] hello\n\nbody\n';
const TEST = '/accounts/{address}/filters/test';

test('a trial: each test with its line and result, each action, and nothing is delivered', async () => {
  const url = `/accounts/${world.alice}/filters/test`;
  const trial = await local.call('POST', url, TEST, { body: { script: SCRIPT, message: MESSAGE, from: 'joe@example.net' } });
  assert.deepEqual(trial.scripts, [{ place: 'personal', name: null, error: null }]);
  assert.deepEqual(trial.steps.filter((s) => s.kind === 'test').map((s) => [s.name, s.line, s.result]), [['header', 2, true]]);
  assert.ok(trial.steps.some((s) => s.kind === 'action' && s.name === 'fileinto' && s.line === 3 && s.detail === 'Lists'));
  assert.deepEqual(trial.actions.map((a) => [a.kind, a.asked, a.mailbox, a.made, a.line]), [['fileinto', 'Lists', 'INBOX', false, 3]]);
  assert.deepEqual([trial.failed, trial.cut], [null, false]);
  const other = await local.call('POST', url, TEST, { body: { script: SCRIPT, message: MESSAGE.replace('[list]', 'x') } });
  assert.deepEqual(other.actions.map((a) => [a.kind, a.implicit, a.mailbox]), [['keep', true, 'INBOX']]);
  const tried = async (script, more = {}) => (await local.call('POST', url, TEST, { body: { script, message: MESSAGE, from: 'joe@example.net', ...more } })).actions;
  assert.deepEqual((await tried('require ["fileinto", "mailbox", "imap4flags"]; fileinto :create :flags "\\\\Seen $x" "New";')).map((a) => [a.mailbox, a.made, a.flags]), [['New', true, ['\\Seen', '$x']]]);
  assert.deepEqual((await tried('require ["fileinto", "special-use"]; fileinto :specialuse "\\\\Junk" "x";')).map((a) => a.mailbox), ['Junk']);
  assert.deepEqual((await tried('redirect "far@example.net";')).map((a) => [a.kind, a.address]), [['redirect', 'far@example.net']]);
  assert.deepEqual((await tried('require "reject"; reject "no";')).map((a) => [a.kind, a.text]), [['reject', 'no']]);
  assert.deepEqual((await tried('require "vacation"; vacation "away";', { message: MESSAGE.replace('To: me', `To: ${world.alice}`) })).map((a) => [a.kind, a.address, a.text]), [['vacation', 'joe@example.net', 'away'], ['keep', undefined, undefined]]);
  assert.deepEqual((await tried('require ["envelope", "subaddress"]; if envelope :detail "to" "lists" { discard; }', { to: world.alice.replace('@', '+lists@') })).map((a) => a.kind), ['discard']);
  assert.deepEqual((await tried('require "duplicate"; if duplicate { discard; }')).map((a) => a.kind), ['keep']);
  assert.deepEqual((await tried('require "mboxmetadata"; if metadata "INBOX" "/private/comment" "x" { discard; }')).map((a) => a.kind), ['keep']);
  const raw = Buffer.from(MESSAGE.replace('hello', 'ol\u00e1'), 'latin1').toString('base64');
  assert.equal((await local.call('POST', url, TEST, { body: { script: SCRIPT, message_base64: raw } })).actions[0].kind, 'fileinto');
});

test('a trial of what is stored: by name, and as on delivery with the administrator\'s scripts around it', async () => {
  const url = `/accounts/${world.far}/filters`;
  await local.call('PUT', `${url}/t`, ONE, { status: 201, body: { script: 'require "fileinto"; fileinto "Archive";' } });
  const body = { message: MESSAGE };
  assert.equal((await local.call('POST', `${url}/test`, TEST, { body: { ...body, name: 't' } })).actions[0].mailbox, 'Archive');
  assert.deepEqual((await local.call('POST', `${url}/test`, TEST, { body })).scripts, []);
  await local.call('PATCH', `${url}/t`, ONE, { headers: match(1), body: { active: true } });
  const d = `/domains/${world.other}/filters`;
  for (const place of ['before', 'after']) {
    await local.call('PUT', `${d}/${place}/t`, DOMAIN, { status: 201, body: { script: 'keep;' } });
    await local.call('PATCH', `${d}/${place}/t`, DOMAIN, { headers: match(1), body: { active: true } });
  }
  const trial = await local.call('POST', `${url}/test`, TEST, { body });
  assert.deepEqual(trial.scripts.map((s) => [s.place, s.name]), [['before', 't'], ['personal', 't'], ['after', 't']]);
  assert.deepEqual(trial.actions.map((a) => [a.mailbox, a.script]), [['Archive', 1]]);
});

test('a trial: failures of scripts, and what is refused', async () => {
  const url = `/accounts/${world.alice}/filters/test`;
  const many = await local.call('POST', url, TEST, { body: { script: 'redirect "a@example.net";'.repeat(5).replaceAll('a@', () => `a${Math.random()}@`), message: MESSAGE } });
  assert.ok(many.failed.text.length > 5 && many.actions.some((a) => a.kind === 'keep' && a.implicit), JSON.stringify(many));
  const long = await local.call('POST', url, TEST, { body: { script: 'if true { keep; }\n'.repeat(900), message: MESSAGE } });
  assert.deepEqual([long.cut, long.steps.length], [true, 1000]);
  const post = async (body) => errorsOf(await local.call('POST', url, TEST, { status: 422, body }));
  assert.deepEqual(await post({}), { '/message': 'either-or' });
  assert.deepEqual(await post({ message: 'x', message_base64: 'eA==' }), { '/message': 'either-or' });
  assert.deepEqual(await post({ message: '' }), { '/message': 'too-short' });
  assert.deepEqual(await post({ message: MESSAGE, name: 'none' }), { '/name': 'unknown-filter' });
  assert.deepEqual(await post({ message: MESSAGE, name: 'x', script: 'keep;' }), { '/name': 'either-or' });
  assert.deepEqual(await post({ message: MESSAGE, script: 'nonsense' }), { '/script': 'syntax' });
  assert.deepEqual(await post({ message_base64: '***', from: 'a b', to: 'x' }), { '/message_base64': 'syntax', '/from': 'syntax', '/to': 'syntax' });
  await nobody.call('POST', url, TEST, { status: 401, body: {} });
  await (await signIn(world.office)).call('POST', url, TEST, { status: 404, body: { message: MESSAGE } });
  const alice = await signIn(world.alice);
  assert.equal((await alice.call('POST', '/me/filters/test', '/me/filters/test', { body: { message: MESSAGE, script: 'discard;' } })).actions[0].kind, 'discard');
});
