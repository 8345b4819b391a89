// A person's own mail: what the account sent and received, without blind copies.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { signInto } from './mail_client.mjs';
import { endpoints, local, makeWorld, PASSWORD, signIn } from './server.mjs';

const LIST = '/me/traces';
const ONE = '/me/traces/{id}';
let world, alice, bob;

async function submit(from, recipients, subject) {
  const session = await signInto('submission', endpoints, from, PASSWORD);
  for (const line of [`MAIL FROM:<${from}>`, ...recipients.map((to) => `RCPT TO:<${to}>`)]) assert.match(await session.say(line), /^250/, line);
  assert.match(await session.say('DATA'), /^354/);
  assert.match(await session.say(`From: <${from}>\r\nSubject: ${subject}\r\n\r\nHello.\r\n.`), /^250/);
  session.end();
}

/** Traces are written in batches behind the reply. */
async function until(client, url, count) {
  for (let i = 0; ; i++) {
    const { data } = await client.call('GET', url, LIST);
    if (data.length >= count || i === 50) {
      assert.equal(data.length, count, url);
      return data;
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

before(async () => {
  world = await makeWorld('own');
  alice = await signIn(world.alice);
  bob = await signIn(world.bob);
  await submit(world.alice, [world.bob, world.far], 'Lunch on Friday');
  await until(bob, '/me/traces', 1);
  await submit(world.bob, [`${world.alice.replace('@', '+lists@')}`, 'nobody@waiting.example'], '100% sure');
});

test('sent and received, each with its own recipients', async () => {
  const [sure, lunch] = await until(bob, '/me/traces', 2);
  assert.deepEqual([lunch.way, lunch.recipient, lunch.recipient_count, lunch.outcome, lunch.mailbox], ['received', world.bob, 1, 'delivered', 'INBOX']);
  assert.deepEqual([sure.way, sure.recipient_count, sure.outcome], ['sent', 2, 'waiting']);
  const seen = await bob.call('GET', `/me/traces/${lunch.id}`, ONE);
  assert.deepEqual(seen.recipients.map((one) => one.address), [world.bob]);
  assert.ok(!JSON.stringify(seen).includes(world.far), 'a blind copy is not told');
  assert.equal(seen.sender, world.alice);
  const sent = await alice.call('GET', `/me/traces/${lunch.id}`, ONE);
  assert.deepEqual(sent.recipients.map((one) => one.address).sort(), [world.bob, world.far].sort());
  const [came] = await until(alice, '/me/traces?way=received', 1);
  assert.deepEqual([came.id, came.recipient], [sure.id, world.alice.replace('@', '+lists@')]);
});

test('by way, outcome and text; pages in order', async () => {
  await until(bob, '/me/traces', 2);
  const subjects = async (query) => (await bob.call('GET', `/me/traces?${query}`, LIST)).data.map((row) => row.subject);
  assert.deepEqual(await subjects('way=sent'), ['100% sure']);
  assert.deepEqual(await subjects('way=sent&way=received'), ['100% sure', 'Lunch on Friday']);
  assert.deepEqual(await subjects('outcome=delivered'), ['Lunch on Friday']);
  assert.deepEqual(await subjects('q=LUNCH'), ['Lunch on Friday']);
  assert.deepEqual(await subjects('q=%25'), ['100% sure']);
  assert.deepEqual(await subjects('q=waiting.ex'), ['100% sure']);
  assert.deepEqual(await subjects(`q=${world.far.split('@')[0]}%40`), [], 'nobody finds a blind copy by its address');
  const first = await bob.call('GET', '/me/traces?limit=1', LIST);
  const rest = await bob.call('GET', `/me/traces?limit=1&cursor=${first.next}`, LIST);
  assert.deepEqual([first.data[0].subject, rest.data[0].subject, rest.next], ['100% sure', 'Lunch on Friday', null]);
});

test('nobody sees those of others; bad questions are refused', async () => {
  const [lunch] = await until(alice, '/me/traces?way=sent', 1);
  const office = await signIn(world.office);
  assert.deepEqual((await office.call('GET', '/me/traces', LIST)).data, []);
  await office.call('GET', `/me/traces/${lunch.id}`, ONE, { status: 404 });
  await bob.call('GET', '/me/traces/nonsense', ONE, { status: 404 });
  await bob.call('GET', '/me/traces?cursor=1', LIST, { status: 400, type: 'invalid-cursor' });
  await bob.call('GET', '/me/traces?cursor=9-', LIST, { status: 400, type: 'invalid-cursor' });
  await bob.call('GET', '/me/traces?way=sideways', LIST, { status: 400 });
  await local.call('GET', '/me/traces', LIST, { status: 404 });
});
