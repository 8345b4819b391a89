// Who is signed in, and that sessions end when they should: within two seconds.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { signInto } from './mail_client.mjs';
import { endpoints, local, makeWorld, PASSWORD, signIn } from './server.mjs';

const SESSIONS = '/accounts/{address}/sessions';
const PROTOCOLS = ['imap', 'pop3', 'submission', 'managesieve'];
let world;
before(async () => { world = await makeWorld('sessions'); });

const list = async (who) => (await local.call('GET', `/accounts/${who}/sessions`, SESSIONS)).data;

/** The last line before the end, which comes within two seconds (and a little for a busy machine). */
async function endOf(session, ms = 4000) {
  let last = null;
  const lines = (async () => { for (let line = await session.next(); line !== null; line = await session.next()) last = line; })();
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error('still open')), ms).unref());
  await Promise.race([lines, late]);
  return last;
}
async function untilListed(who, n) {
  for (let i = 0; i < 100; i++) {
    const rows = await list(who);
    if (rows.length === n) return rows;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return assert.fail(`${n} sessions: ${JSON.stringify(await list(who))}`);
}

test('sessions of page and programs are seen, and ended one by one and all', async () => {
  const alice = await signIn(world.alice);
  const open = await Promise.all(PROTOCOLS.map((p) => signInto(p, endpoints, world.alice, PASSWORD)));
  const rows = await untilListed(world.alice, 5);
  assert.deepEqual(rows.map((s) => s.protocol).sort(), ['page', ...PROTOCOLS].sort());
  assert.ok(rows.every((s) => s.ip === '127.0.0.1'));
  const mine = (await alice.call('GET', '/me/sessions', '/me/sessions')).data;
  assert.deepEqual(mine.filter((s) => s.current).map((s) => s.protocol), ['page']);

  const bob = await signIn(world.bob);
  const office = await signIn(world.office);
  for (const { id } of rows) {
    await bob.call('DELETE', `/me/sessions/${id}`, '/me/sessions/{id}', { status: 404 });
    await office.call('DELETE', `/accounts/${world.alice}/sessions/${id}`, `${SESSIONS}/{id}`, { status: 404 });
    await local.call('DELETE', `/accounts/${world.bob}/sessions/${id}`, `${SESSIONS}/{id}`, { status: 404 });
  }
  await office.call('GET', `/accounts/${world.alice}/sessions`, SESSIONS, { status: 404 });

  await alice.call('DELETE', `/me/sessions/${rows.find((s) => s.protocol === 'imap').id}`, '/me/sessions/{id}', { status: 204 });
  assert.match(await endOf(open[0]), /BYE.*ended/);
  await untilListed(world.alice, 4);
  await alice.call('DELETE', '/me/sessions', '/me/sessions', { status: 204 });
  await Promise.all(open.slice(1).map((s) => endOf(s)));
  await untilListed(world.alice, 1);
  await alice.call('GET', '/me', '/me');
  await local.call('DELETE', `/accounts/${world.alice}/sessions`, SESSIONS, { status: 204 });
  await alice.call('GET', '/me', '/me', { status: 401 });
});

test('a new password ends what signed in with the old one, not what has its own', async () => {
  const { password } = await local.call('POST', `/accounts/${world.alice}/app-passwords`, '/accounts/{address}/app-passwords', { status: 201, body: { name: 'phone' } });
  const [old, app] = [await signInto('imap', endpoints, world.alice, PASSWORD), await signInto('imap', endpoints, world.alice, password)];
  await untilListed(world.alice, 2);
  await local.call('PUT', `/accounts/${world.alice}/password`, '/accounts/{address}/password', { status: 204, body: { password: PASSWORD } });
  assert.match(await endOf(old), /BYE/);
  assert.match(await app.say('b NOOP'), /^b OK/);
  const [row] = (await local.call('GET', `/accounts/${world.alice}/app-passwords`, '/accounts/{address}/app-passwords')).data;
  await local.call('DELETE', `/accounts/${world.alice}/app-passwords/${row.id}`, '/accounts/{address}/app-passwords/{id}', { status: 204 });
  assert.match(await endOf(app), /BYE/);
});

test('suspension and deletion end sessions at once, also one that has just begun', async () => {
  const idle = await signInto('imap', endpoints, world.bob, PASSWORD);
  await idle.say('b SELECT INBOX');
  await idle.say('c IDLE');
  const fresh = signInto('pop3', endpoints, world.bob, PASSWORD);
  const sieve = await signInto('managesieve', endpoints, world.bob, PASSWORD);
  await local.call('PUT', `/accounts/${world.bob}/suspend`, '/accounts/{address}/suspend', { body: {} });
  await Promise.all([idle, await fresh, sieve].map((s) => endOf(s)));
  await local.call('DELETE', `/accounts/${world.bob}/suspend`, '/accounts/{address}/suspend', { status: 204 });
  const last = await signInto('submission', endpoints, world.bob, PASSWORD);
  await local.call('DELETE', `/accounts/${world.bob}`, '/accounts/{address}', { status: 204 });
  assert.match(await endOf(last), /^421/);
});

test('a session that is open notices that its account was frozen, also behind MAIL', async () => {
  const session = await signInto('submission', endpoints, world.far, PASSWORD);
  assert.match(await session.say(`MAIL FROM:<${world.far}>`), /^250/);
  assert.match(await session.say(`RCPT TO:<${world.far}>`), /^250/);
  assert.match(await session.say('DATA'), /^354/);
  await local.call('PUT', `/accounts/${world.far}/freeze`, '/accounts/{address}/freeze', { body: {} });
  await new Promise((resolve) => setTimeout(resolve, 2000));
  assert.match(await session.say(`From: ${world.far}\r\n\r\nx\r\n.`), /^550/);
  assert.match(await session.say(`MAIL FROM:<${world.far}>`), /^550/);
  await local.call('DELETE', `/accounts/${world.far}/freeze`, '/accounts/{address}/freeze', { status: 204 });
  await new Promise((resolve) => setTimeout(resolve, 2000));
  assert.match(await session.say(`MAIL FROM:<${world.far}>`), /^250/);
  session.end();
});
