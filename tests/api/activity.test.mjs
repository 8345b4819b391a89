// Sign-ins are remembered by account, and counted where they repeat.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { signsInto } from './mail_client.mjs';
import { endpoints, local, makeWorld, PASSWORD, signIn } from './server.mjs';

const A = '/accounts/{address}/activity';
let world;
before(async () => { world = await makeWorld('activity'); });

async function untilCounted(who, counts) {
  let seen;
  for (let i = 0; i < 60; i++) {
    seen = Object.fromEntries((await local.call('GET', `/accounts/${who}/activity`, A)).data.map((row) => [`${row.protocol} ${row.result}`, row.count]));
    if (JSON.stringify(Object.entries(seen).sort()) === JSON.stringify(Object.entries(counts).sort())) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert.deepEqual(seen, counts);
}

test('good and bad ones are counted by protocol and network; nobody sees those of others', async () => {
  for (let i = 0; i < 3; i++) assert.ok(!(await signsInto('imap', endpoints, world.alice, 'wrong')));
  assert.ok(await signsInto('imap', endpoints, world.alice, PASSWORD));
  assert.ok(await signsInto('submission', endpoints, world.alice, PASSWORD));
  await untilCounted(world.alice, { 'imap wrong-password': 3, 'imap ok': 1, 'submission ok': 1 });
  const alice = await signIn(world.alice);
  const mine = (await alice.call('GET', '/me/activity?limit=1', '/me/activity'));
  assert.deepEqual([mine.data[0].network, mine.data[0].ip, mine.data[0].new_network], ['127.0.0.0/24', '127.0.0.1', false]);
  const rest = await alice.call('GET', `/me/activity?cursor=${mine.next}`, '/me/activity');
  assert.ok(rest.data.length >= 2 && rest.data.every((row) => row.at < mine.data[0].at));
  await alice.call('GET', '/me/activity?colour=1', '/me/activity', { status: 400 });
  const office = await signIn(world.office);
  await office.call('GET', `/accounts/${world.alice}/activity`, A, { status: 404 });
  await local.call('GET', '/me/activity', '/me/activity', { status: 404 });
});
