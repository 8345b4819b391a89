// Letters to the owner of an account: of a new password, an app password, two-step sign-in off, and a new network.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { signInto, signsInto } from './mail_client.mjs';
import { endpoints, local, makeWorld, PASSWORD, signIn } from './server.mjs';

const FRESH = 'another quiet place';
let world;
before(async () => { world = await makeWorld('letters'); });

/** The texts of the INBOX, oldest first, as they are on the wire. */
async function inbox(who, password) {
  const session = await signInto('imap', endpoints, who, password);
  assert.match(session.answer, /^a OK/);
  const command = async (text) => {
    const lines = [];
    for (let line = await session.say(`b ${text}`); !/^b /.test(line); line = await session.next()) lines.push(line);
    return lines;
  };
  await command('SELECT INBOX');
  const letters = (await command('FETCH 1:* (BODY.PEEK[])')).join('\n').split(/^\* \d+ FETCH .*$/m).slice(1);
  session.end();
  return letters;
}

/** The letters once there are as many of them. */
async function until(who, password, count) {
  for (let i = 0; ; i++) {
    const letters = await inbox(who, password);
    if (letters.length >= count || i === 50) {
      assert.equal(letters.length, count, letters.join('\n'));
      return letters;
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

test('of a new password, in the language of the account, without the password', async () => {
  await local.call('PATCH', `/accounts/${world.bob}`, '/accounts/{address}', { body: { language: 'pt-BR' } });
  for (const who of [world.alice, world.bob]) await local.call('PUT', `/accounts/${who}/password`, '/accounts/{address}/password', { status: 204, body: { password: FRESH } });
  const [letter] = await until(world.alice, FRESH, 1);
  assert.match(letter, /^Subject: Your password was changed$/m);
  assert.match(letter, /^From: Mail server <MAILER-DAEMON@/m);
  assert.match(letter, /^Return-Path: <>$/m);
  assert.match(letter, /^Auto-Submitted: auto-generated$/m);
  assert.match(letter, new RegExp(`^To: <${world.alice}>$`, 'm'));
  assert.ok(!letter.includes(FRESH) && !letter.includes('http'), letter);
  const [carta] = await until(world.bob, FRESH, 1);
  assert.match(carta, /^Subject: Sua senha foi alterada$/m);
  assert.match(carta, /^Content-Language: pt-BR$/m);
});

test('of an app password, by its name, without it', async () => {
  const alice = await signIn(world.alice, FRESH);
  const { password } = await alice.call('POST', '/me/app-passwords', '/me/app-passwords', { status: 201, body: { name: 'Laptop in the hall' } });
  const letter = (await until(world.alice, FRESH, 2))[1];
  assert.match(letter, /^Subject: A new app password was made$/m);
  assert.match(letter.replaceAll('=\n', ''), /Laptop in the hall/);
  assert.ok(!letter.includes(password.slice(0, 11)));
});

test('of a network that is new, once; the first of all is no news', async () => {
  for (let i = 0; (await local.call('GET', `/accounts/${world.alice}/activity`, '/accounts/{address}/activity')).data.length === 0; i++) {
    assert.ok(i < 50);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert.ok(await signsInto('imap', endpoints, world.alice, FRESH, '127.0.9.1'));
  const letter = (await until(world.alice, FRESH, 3))[2];
  assert.match(letter, /^Subject: Sign-in from a new network$/m);
  assert.match(letter, /^Address: 127\.0\.9\.1$/m);
  assert.match(letter, /^With: a mail program \(IMAP\)$/m);
  assert.ok(await signsInto('pop3', endpoints, world.alice, FRESH, '127.0.9.77'));
  assert.ok(!(await signsInto('imap', endpoints, world.alice, 'wrong', '127.0.10.1')));
  await new Promise((resolve) => setTimeout(resolve, 4500)); /* sign-ins are written every two seconds */
  await until(world.alice, FRESH, 3);
});

test('none with the setting off; sign-ins are known all the same', async () => {
  const S = '/settings/{key}';
  const set = async (value) => {
    const { version } = await local.call('GET', '/settings/accounts.notify_owner', S);
    await local.call('PUT', '/settings/accounts.notify_owner', S, { body: { value }, headers: { 'If-Match': `"${version}"` } });
    await new Promise((resolve) => setTimeout(resolve, 2500)); /* every process follows in two seconds */
  };
  await set('false');
  await local.call('PUT', `/accounts/${world.bob}/password`, '/accounts/{address}/password', { status: 204, body: { password: PASSWORD } });
  assert.ok(await signsInto('imap', endpoints, world.bob, PASSWORD, '127.0.9.1'));
  await new Promise((resolve) => setTimeout(resolve, 3000));
  await set('true');
  assert.ok(await signsInto('imap', endpoints, world.bob, PASSWORD, '127.0.9.2'));
  await new Promise((resolve) => setTimeout(resolve, 4500));
  await until(world.bob, PASSWORD, 1);
});
