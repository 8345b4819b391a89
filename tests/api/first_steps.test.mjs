// First steps: what Overview lists as done is so, and a test message goes the way of all mail.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { bearer, local, makeToken, makeWorld, nobody, signIn } from './server.mjs';

const PATH = '/accounts/{address}/test-message';
let world;

const post = (client, address, options) => client.call('POST', `/accounts/${address}/test-message`, PATH, options);

/** The trace, which is there a moment behind the answer, once it says more than that the message waits. */
async function outcome(id) {
  const end = Date.now() + 30000;
  for (;;) {
    const { status, json } = await local.send('GET', `/api/v1/traces/${id}`);
    if (status === 200 && json.outcome !== 'waiting') return json;
    assert.ok(Date.now() < end, `${id}: ${status}`);
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
}

before(async () => {
  world = await makeWorld('steps');
});

test('a test message arrives, and its trace says where', async () => {
  const sent = await post(local, world.alice);
  assert.deepEqual([sent.to, sent.accepted, sent.code], [world.alice, true, 250]);
  const trace = await outcome(sent.trace);
  assert.equal(trace.outcome, 'delivered');
  assert.equal(trace.subject, 'Test message');
  assert.deepEqual(trace.recipients.map((one) => one.address), [world.alice]);
  assert.equal(trace.events.at(-1).mailbox, 'INBOX');
  const account = await local.call('GET', `/accounts/${world.alice}`, '/accounts/{address}');
  assert.equal(account.quota.messages, 1);
});

test('it speaks the language of the account', async () => {
  await local.call('PATCH', `/accounts/${world.bob}`, '/accounts/{address}', { body: { language: 'pt-BR' }, headers: { 'If-Match': '*' } });
  assert.equal((await outcome((await post(local, world.bob)).trace)).subject, 'Mensagem de teste');
});

test('a refusal is an answer, too', async () => {
  const set = (state) => local.call('PATCH', `/domains/${world.other}`, '/domains/{domain}', { body: { state }, headers: { 'If-Match': '*' } });
  await set('disabled');
  await new Promise((resolve) => { setTimeout(resolve, 1500); }); // smtp believes for a second what it knew
  const refused = await post(local, world.far);
  await set('active');
  assert.deepEqual([refused.accepted, refused.trace, refused.code], [false, null, 550]);
  assert.notEqual(refused.text, '');
});

test('a dry run sends nothing', async () => {
  const before = await local.call('GET', `/accounts/${world.alice}`, '/accounts/{address}');
  const tried = await local.call('POST', `/accounts/${world.alice}/test-message?dry_run=true`, PATH);
  assert.deepEqual([tried.accepted, tried.trace], [true, null]);
  const after = await local.call('GET', `/accounts/${world.alice}`, '/accounts/{address}');
  assert.equal(after.quota.messages, before.quota.messages);
});

test('who may: foreign accounts are unknown, bad bodies are refused', async () => {
  await post(nobody, world.alice, { status: 401 });
  await post(bearer(await makeToken(['accounts:read'])), world.alice, { status: 403 });
  await post(await signIn(world.alice), world.alice, { status: 403 });
  const office = bearer(await makeToken(['accounts:write'], { domains: [world.other] }));
  await post(office, world.alice, { status: 404 });
  await post(office, `nobody@${world.other}`, { status: 404 });
  assert.equal((await post(office, world.far)).accepted, true);
  await post(local, world.alice, { status: 422, body: { to: world.bob } });
});

test('the checklist is of the whole server, and a setting hides it', async () => {
  const { checklist, checklist_shown } = await local.call('GET', '/status', '/status');
  assert.deepEqual(checklist.map(({ id }) => id), ['hostname', 'domain', 'dns', 'account', 'certificate', 'message']);
  const done = Object.fromEntries(checklist.map((step) => [step.id, step.done]));
  assert.deepEqual(
    { domain: done.domain, account: done.account, certificate: done.certificate, message: done.message, checklist_shown },
    { domain: true, account: true, certificate: false, message: true, checklist_shown: true },
  );
  assert.equal(checklist[1].domain, checklist[2].domain);
  const key = '/settings/server.first_steps';
  const setting = await local.call('GET', key, '/settings/{key}');
  await local.call('PUT', key, '/settings/{key}', { body: { value: 'false' }, headers: { 'If-Match': `"${setting.version}"` } });
  const end = Date.now() + 30000;
  while ((await local.call('GET', '/status', '/status')).checklist_shown) assert.ok(Date.now() < end, 'hidden in time');
  await local.call('DELETE', key, '/settings/{key}', { status: 200, headers: { 'If-Match': '*' } });
  const office = await signIn(world.office);
  const narrow = await office.call('GET', '/status', '/status');
  assert.equal(narrow.checklist, undefined);
  assert.equal(narrow.checklist_shown, undefined);
});

test('more than ten a minute are too many', async () => {
  let refused;
  for (let i = 0; i < 11 && refused === undefined; i++) {
    const answer = await local.send('POST', `/api/v1/accounts/${world.alice}/test-message`);
    if (answer.status !== 200) refused = answer;
  }
  assert.equal(refused?.status, 429);
  assert.equal(refused.json.type, '/problems/rate-limited');
});
