// Two-step sign-in, and proving oneself again.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { before, test } from 'node:test';
import { signsInto } from './mail_client.mjs';
import { Client, endpoints, errorsOf, local, LOOPBACK, makeWorld, page, PASSWORD, signIn } from './server.mjs';

let world;
before(async () => { world = await makeWorld('totp'); });

const ours = { Origin: page.origin, 'Sec-Fetch-Site': 'same-origin' };
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** The code of a base32 key, `steps` from now (RFC 6238). */
function codeOf(secret, steps = 0) {
  const bits = [...secret].map((c) => ALPHABET.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000) + steps));
  const mac = createHmac('sha1', key).update(counter).digest();
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1000000).padStart(6, '0');
}
const cookieOf = (client) => client.last.headers['set-cookie'][0].split(';')[0];

/** The first step; gives a client with the cookie that waits for its code. */
async function firstStep(address, password = PASSWORD) {
  const client = new Client(LOOPBACK, ours);
  assert.deepEqual(await client.call('POST', '/session', '/session', { body: { address, password } }), { next: 'totp' });
  client.headers = { ...ours, Cookie: cookieOf(client) };
  return client;
}
const secondStep = (client, code, options = {}) => client.call('POST', '/session/totp', '/session/totp', { body: { code }, ...options });
/** Makes the session of an answer the client's. */
function become(client, session) {
  client.headers = { ...ours, Cookie: cookieOf(client), 'X-CSRF-Token': session.csrf_token };
  return client;
}
/** Turns it on; gives {client, secret, codes}. The step of the code that confirmed is used up. */
async function turnOn(address) {
  const client = await signIn(address);
  const { secret, uri } = await client.call('POST', '/me/totp', '/me/totp', { status: 201, body: {} });
  assert.ok(uri.startsWith('otpauth://totp/') && uri.includes(`secret=${secret}`) && uri.includes(encodeURIComponent(address)), uri);
  assert.deepEqual(errorsOf(await client.call('PUT', '/me/totp', '/me/totp', { status: 422, body: { code: '000000' === codeOf(secret) ? '000001' : '000000' } })), { '/code': 'wrong-code' });
  const { recovery_codes: codes } = await client.call('PUT', '/me/totp', '/me/totp', { body: { code: codeOf(secret, -1) } });
  assert.equal(new Set(codes).size, 10);
  return { client, secret, codes };
}

test('it is set up by its owner, asked at sign-in under a new cookie, and each code is good once', async () => {
  const { client, secret, codes } = await turnOn(world.alice);
  await client.call('POST', '/me/totp', '/me/totp', { status: 409, type: 'exists', body: {} });
  const first = await firstStep(world.alice);
  const waiting = first.headers.Cookie;
  await first.call('GET', '/session', '/session', { status: 401 });
  await first.call('GET', '/me', '/me', { status: 401 });
  await secondStep(first, '12345', { status: 401, type: 'wrong-code' });
  await secondStep(first, codeOf(secret, -1), { status: 401, type: 'wrong-code' });
  const code = codeOf(secret);
  become(first, await secondStep(first, code));
  assert.notEqual(first.headers.Cookie, waiting);
  await first.call('GET', '/me', '/me');
  await new Client(LOOPBACK, { ...ours, Cookie: waiting }).call('GET', '/me', '/me', { status: 401 });
  await secondStep(new Client(LOOPBACK, { ...ours, Cookie: waiting }), codes[0], { status: 401, type: 'unauthenticated' });
  const second = await firstStep(world.alice);
  await secondStep(second, code, { status: 401, type: 'wrong-code' });
  become(second, await secondStep(second, codes[0].replaceAll('-', ' ').toUpperCase()));
  assert.deepEqual((await second.call('GET', '/me/totp', '/me/totp')).recovery_codes_left, 9);
  await secondStep(await firstStep(world.alice), codes[0], { status: 401, type: 'wrong-code' });
});

test('programs then need an app password', async () => {
  assert.ok(!(await signsInto('imap', endpoints, world.alice, PASSWORD)));
  const { password } = await local.call('POST', `/accounts/${world.alice}/app-passwords`, '/accounts/{address}/app-passwords', { status: 201, body: { name: 'x' } });
  assert.ok(await signsInto('imap', endpoints, world.alice, password));
});

test('a link does not lead around it', async () => {
  const { url } = await local.call('POST', `/accounts/${world.alice}/link`, '/accounts/{address}/link', { status: 201 });
  const client = new Client(LOOPBACK, ours);
  assert.deepEqual(await client.call('POST', '/session/link', '/session/link', { body: { token: url.split('#link=')[1] } }), { next: 'totp' });
  client.headers = { ...ours, Cookie: cookieOf(client) };
  await client.call('PUT', '/me/password', '/me/password', { status: 401, body: { password: 'another quiet place' } });
});

test('an administrator turns it off; others do not see it', async () => {
  const T = '/accounts/{address}/totp';
  const office = await signIn(world.office);
  await office.call('GET', `/accounts/${world.alice}/totp`, T, { status: 404 });
  await office.call('DELETE', `/accounts/${world.alice}/totp`, T, { status: 404 });
  assert.equal((await local.call('GET', `/accounts/${world.alice}/totp`, T)).enabled, true);
  await local.call('DELETE', `/accounts/${world.alice}/totp`, T, { status: 204 });
  assert.deepEqual(await local.call('GET', `/accounts/${world.alice}/totp`, T), { enabled: false, since: null, recovery_codes_left: 0 });
  await signIn(world.alice);
});

test('guessing is bounded: five tries a sign-in, then waiting whatever the network', async () => {
  await turnOn(world.bob);
  const client = await firstStep(world.bob);
  for (let i = 0; i < 5; i++) await secondStep(client, '1234567', { status: 401, type: 'wrong-code' });
  await secondStep(client, '1234567', { status: 401, type: 'unauthenticated' });
  const again = await firstStep(world.bob);
  const answers = [];
  for (let i = 0; i < 5; i++) answers.push((await again.send('POST', '/api/v1/session/totp', { body: { code: '1234567' } })).status);
  assert.ok(answers.includes(429), String(answers));
});

test('what cannot be taken back wants the password again, and then goes on under a new cookie', async () => {
  const admin = await signIn(world.admin);
  const old = admin.headers.Cookie;
  assert.deepEqual(errorsOf(await admin.call('POST', '/session/reauth', '/session/reauth', { status: 422, body: { password: 'x' } })), { '/password': 'wrong-password' });
  const session = await admin.call('POST', '/session/reauth', '/session/reauth', { body: { password: PASSWORD } });
  assert.equal(session.csrf_token, admin.headers['X-CSRF-Token']);
  become(admin, session);
  assert.notEqual(admin.headers.Cookie, old);
  await new Client(LOOPBACK, { ...ours, Cookie: old }).call('GET', '/me', '/me', { status: 401 });
  await admin.call('DELETE', `/accounts/${world.far}`, '/accounts/{address}', { status: 204 });
});
