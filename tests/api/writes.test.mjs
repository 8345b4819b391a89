// What all writes have in common: an Idempotency-Key makes a POST happen once, ?dry_run=true makes a write not happen.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { bearer, contract, local, makeToken, makeWorld, nobody, PASSWORD, run, signIn } from './server.mjs';

let world;
before(async () => { world = await makeWorld('writes'); });

const TOKEN = { name: `once ${run}`, scopes: ['queue:read'] };
const post = (client, key, body = TOKEN, path = '/api/v1/tokens') => client.send('POST', path, { headers: { 'Idempotency-Key': key }, body });
const tokensNamed = async (name) => {
  const all = await local.call('GET', '/tokens?limit=200', '/tokens');
  return all.data.filter((token) => token.name === name).length;
};

test('the same key and body: one token, the same answer, its secret included', async () => {
  const key = `first-${run}`;
  const answers = [await post(local, key), await post(local, key)];
  assert.deepEqual(answers.map((a) => a.status), [201, 201]);
  assert.equal(answers[0].text, answers[1].text);
  assert.equal(answers[0].headers.location, answers[1].headers.location);
  assert.deepEqual(answers.map((a) => a.headers['idempotent-replayed']), [undefined, 'true']);
  assert.equal(await tokensNamed(TOKEN.name), 1);
});

test('many at once: one is done, the others are told to wait or get its answer', async () => {
  const name = `race ${run}`;
  const answers = await Promise.all(Array.from({ length: 12 }, () => post(local, `race-${run}`, { ...TOKEN, name })));
  for (const a of answers) {
    assert.ok([201, 409].includes(a.status), a.text);
    if (a.status === 409) assert.equal(a.json.type, '/problems/idempotency-running');
  }
  assert.equal(new Set(answers.filter((a) => a.status === 201).map((a) => a.text)).size, 1);
  assert.equal(await tokensNamed(name), 1);
});

test('another body or path under the key is 422; another caller has keys of his own', async () => {
  const key = `other-${run}`;
  await post(local, key);
  for (const answer of [await post(local, key, { ...TOKEN, name: 'else' }), await post(local, key, {}, `/api/v1/accounts/${world.bob}/link`)]) {
    assert.equal(answer.status, 422, answer.text);
    assert.equal(answer.json.type, '/problems/idempotency-mismatch');
  }
  const admin = await signIn(world.admin);
  assert.equal((await post(admin, key)).headers['idempotent-replayed'], undefined);
});

test('a refusal is not kept; a malformed key is refused; nobody has no keys', async () => {
  const key = `bad-${run}`;
  assert.equal((await post(local, key, { name: '' })).status, 422);
  assert.equal((await post(local, key)).status, 201);
  for (const bad of ['', 'a b', 'x'.repeat(256)]) assert.equal((await post(local, bad)).status, 400, bad);
  assert.equal((await post(nobody, key)).status, 401);
});

test('a dry run answers as if done, and nothing has changed', async () => {
  const carol = `/accounts/carol@${world.domain}`;
  const made = await local.call('PUT', `${carol}?dry_run=true`, '/accounts/{address}', { status: 201, body: { name: 'Carol', password: PASSWORD } });
  assert.equal(local.last.headers['dry-run'], 'true');
  assert.equal(made.name, 'Carol');
  await local.call('GET', carol, '/accounts/{address}', { status: 404 });

  const before = await local.call('GET', `/accounts/${world.alice}`, '/accounts/{address}');
  const changed = await local.call('PATCH', `/accounts/${world.alice}?dry_run=true`, '/accounts/{address}', { body: { name: 'Another' } });
  assert.deepEqual([changed.name, changed.version], ['Another', before.version + 1]);
  await local.call('PUT', `/accounts/${world.alice}/password?dry_run=true`, '/accounts/{address}/password', { status: 204, body: { password: 'never set to this one' } });
  await local.call('DELETE', `/accounts/${world.alice}?dry_run=true`, '/accounts/{address}', { status: 204 });
  assert.deepEqual(await local.call('GET', `/accounts/${world.alice}`, '/accounts/{address}'), before);
  await signIn(world.alice);

  const token = await local.call('POST', '/tokens?dry_run=true', '/tokens', { status: 201, body: { ...TOKEN, name: `dry ${run}` } });
  await bearer(token.token).call('GET', '/queue/messages', '/queue/messages', { status: 401 });
  assert.equal(await tokensNamed(`dry ${run}`), 0);
  await local.call('PUT', '/settings/queue.expire?dry_run=true', '/settings/{key}', { headers: { 'If-Match': '*' }, body: { value: '9d' } });
  assert.notEqual((await local.call('GET', '/settings/queue.expire', '/settings/{key}')).value, '9d');
  const log = await local.call('GET', `/audit?object=${encodeURIComponent(world.alice)}&action=account.`, '/audit');
  assert.ok(!log.data.some((row) => ['account.delete', 'account.password', 'account.update'].includes(row.action)), JSON.stringify(log.data));
});

test('a dry run refuses what would be refused', async () => {
  await local.call('PUT', `/accounts/${world.bob}?dry_run=true`, '/accounts/{address}', { status: 409, type: 'exists', headers: { 'If-None-Match': '*' }, body: {} });
  await local.call('PATCH', `/accounts/${world.bob}?dry_run=true`, '/accounts/{address}', { status: 422, body: { colour: 'red' } });
  await local.call('PATCH', `/accounts/${world.bob}?dry_run=maybe`, '/accounts/{address}', { status: 400, type: 'invalid-parameter', body: {} });
  await local.call('GET', `/accounts?dry_run=true`, '/accounts', { status: 400, type: 'invalid-parameter' });
});

test('the log tells of every write; its parameters are checked', async () => {
  await local.call('PATCH', `/accounts/${world.bob}`, '/accounts/{address}', { body: { name: 'Bob Lima' } });
  const [row] = (await local.call('GET', `/audit?object=${encodeURIComponent(world.bob)}`, '/audit')).data;
  assert.equal(row.actor.name, 'local');
  assert.match(row.action, /^account\./);
  assert.equal(row.request_id, (await local.call('GET', `/audit?actor=local&since=-1h&limit=1`, '/audit')).data[0].request_id);
  const first = await local.call('GET', '/audit?limit=1', '/audit');
  const second = await local.call('GET', `/audit?limit=1&cursor=${encodeURIComponent(first.next)}`, '/audit');
  assert.notEqual(first.data[0].id, second.data[0].id);
  assert.deepEqual((await local.call('GET', '/audit?until=2020-01-01T00:00:00Z', '/audit')).data, []);
  await local.call('GET', '/audit?since=yesterday', '/audit', { status: 400 });
  await local.call('GET', '/audit/verify?after=x', '/audit/verify', { status: 400 });
  const proof = await local.call('GET', '/audit/verify', '/audit/verify');
  assert.deepEqual([proof.wrong, proof.more], [null, false]);
  assert.ok(contract.components.schemas.Scope.enum.includes('audit:read'));
  const office = await signIn(world.office);
  await office.call('GET', '/audit', '/audit', { status: 403 });
});
