// /search: names of what the caller may see, and messages by the ids in a pasted text.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { bearer, local, makeToken, makeWorld, nobody, signIn } from './server.mjs';

let world;
before(async () => { world = await makeWorld('search'); });

const search = async (client, q, more = '') => (await client.call('GET', `/search?q=${encodeURIComponent(q)}${more}`, '/search')).data.map((hit) => `${hit.kind} ${hit.id}`);

test('accounts by part of address or name, domains, aliases; at most so many', async () => {
  await local.call('PUT', `/aliases/team@${world.domain}`, '/aliases/{address}', { status: 201, body: { members: [world.alice] } });
  assert.deepEqual(await search(local, `ALICE@${world.domain.slice(0, 14)}`, '&kind=account'), [`account ${world.alice}`]);
  assert.deepEqual(await search(local, world.domain, '&kind=domain'), [`domain ${world.domain}`]);
  assert.deepEqual(await search(local, `team@${world.domain}`), [`alias team@${world.domain}`]);
  assert.equal((await search(local, '@', '&kind=account&limit=2')).length, 2);
});

test('a queue id or a Message-ID inside of a bounce', async () => {
  const [trace] = (await local.call('GET', '/traces?limit=1', '/traces')).data;
  assert.deepEqual(await search(local, `host mx.example said: 250 2.0.0 Ok: queued as ${trace.id}; (really)`, '&kind=message'), [`message ${trace.id}`]);
  const named = (await local.call('GET', '/traces?limit=50', '/traces')).data.find((t) => t.message_id !== null);
  const [hit] = await search(local, `Message-ID: ${named.message_id}`, '&kind=message');
  assert.equal((await local.call('GET', `/traces/${hit.split(' ')[1]}`, '/traces/{id}')).message_id, named.message_id);
  assert.deepEqual(await search(local, 'q0 qqqqqqqqqqqqqqqqqqqqqqqqqqqqqq <> <x', '&kind=message'), []);
});

test('only what the caller may see', async () => {
  const office = await signIn(world.office);
  assert.deepEqual(await search(office, world.domain), []);
  assert.ok((await search(office, world.other)).includes(`account ${world.far}`));
  const reader = bearer(await makeToken(['domains:read']));
  assert.deepEqual(await search(reader, world.domain), [`domain ${world.domain}`]);
  assert.deepEqual(await search(await signIn(world.bob), world.domain), []);
  await nobody.call('GET', '/search?q=x', '/search', { status: 401 });
});

test('parameters are checked', async () => {
  for (const query of ['', '?q=', '?q=a&kind=cat', '?q=a&limit=9', '?q=a&x=1', `?q=${'a'.repeat(1001)}`]) await local.call('GET', `/search${query}`, '/search', { status: 400, type: 'invalid-parameter' });
});
