// Signing in, cookies, CSRF, one-time links, passwords.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { Client, errorsOf, local, LOOPBACK, makeWorld, nobody, page, PASSWORD, send, signIn } from './server.mjs';

let world;
before(async () => { world = await makeWorld('session'); });

const ours = { Origin: page.origin, 'Sec-Fetch-Site': 'same-origin' };
const browser = () => new Client(LOOPBACK, ours);

test('who am I, signed out, is 401 with the host name', async () => {
  const problem = await nobody.call('GET', '/session', '/session', { status: 401, type: 'unauthenticated' });
  assert.equal(typeof problem.hostname, 'string');
});

test('the cookie has its rules, and the session says who it is', async () => {
  const admin = await signIn(world.admin);
  for (const rule of ['Path=/', 'Secure', 'HttpOnly', 'SameSite=Strict']) assert.ok(admin.cookie.includes(rule), admin.cookie);
  assert.match(admin.cookie, /^__Host-correio=[\w-]{43};/);
  const session = await admin.call('GET', '/session', '/session');
  assert.deepEqual([session.via, session.role, session.account.address, session.domains], ['page', 'system_admin', world.admin, null]);
});

test('wrong address, wrong password and a suspended account look the same', async () => {
  await local.call('PUT', `/accounts/${world.bob}/suspend`, '/accounts/{address}/suspend', { body: { reason: 'test' } });
  const answers = [];
  for (const body of [{ address: `none@${world.domain}`, password: 'x' }, { address: world.alice, password: 'x' }, { address: world.bob, password: PASSWORD }]) {
    answers.push(await browser().call('POST', '/session', '/session', { status: 401, type: 'wrong-credentials', body }));
  }
  assert.equal(new Set(answers.map((a) => a.title)).size, 1);
});

test('suspension ends sessions; resuming gives the old state back', async () => {
  const invited = `invited@${world.domain}`;
  await local.call('PUT', `/accounts/${invited}`, '/accounts/{address}', { status: 201, body: {} });
  await local.call('PUT', `/accounts/${invited}/suspend`, '/accounts/{address}/suspend', { body: {} });
  await local.call('DELETE', `/accounts/${invited}/suspend`, '/accounts/{address}/suspend', { status: 204 });
  assert.equal((await local.call('GET', `/accounts/${invited}`, '/accounts/{address}')).state, 'invited');

  const far = await signIn(world.far);
  await local.call('PUT', `/accounts/${world.far}/suspend`, '/accounts/{address}/suspend', { body: { reason: 'spam' } });
  await far.call('GET', '/me', '/me', { status: 401 });
  await local.call('DELETE', `/accounts/${world.far}/suspend`, '/accounts/{address}/suspend', { status: 204 });
  assert.equal((await local.call('GET', `/accounts/${world.far}`, '/accounts/{address}')).state, 'active');
  await signIn(world.far);
});

test('a write by cookie needs token, Origin and a same-origin fetch', async () => {
  const admin = await signIn(world.admin);
  const good = { ...admin.headers };
  const bad = [{ 'X-CSRF-Token': undefined }, { 'X-CSRF-Token': 'x' }, { Origin: undefined }, { Origin: 'https://evil.example' }, { Origin: 'null' }, { 'Sec-Fetch-Site': 'cross-site' }, { 'Sec-Fetch-Site': 'none' }];
  for (const change of bad) {
    const headers = Object.fromEntries(Object.entries({ ...good, ...change }).filter(([, v]) => v !== undefined));
    const client = new Client(LOOPBACK, headers);
    await client.call('PUT', `/domains/csrf-${world.domain}`, '/domains/{domain}', { status: 403, type: 'csrf', body: {} });
  }
  await admin.call('PUT', `/domains/csrf-${world.domain}`, '/domains/{domain}', { status: 201, body: {} });
});

test('signing in from another origin is refused, before the password is looked at', async () => {
  for (const headers of [{}, { Origin: 'https://evil.example' }, { ...ours, 'Sec-Fetch-Site': 'cross-site' }]) {
    await new Client(LOOPBACK, headers).call('POST', '/session', '/session', { status: 403, type: 'csrf', body: { address: world.admin, password: PASSWORD } });
  }
});

test('a bearer request ignores the cookie', async () => {
  const admin = await signIn(world.admin);
  const both = new Client(LOOPBACK, { Cookie: admin.headers.Cookie, Authorization: 'Bearer cor_t1_nonsense' });
  await both.call('GET', '/domains', '/domains', { status: 401 });
});

test('no CORS headers, whatever the origin', async () => {
  const answer = await send(LOOPBACK, 'OPTIONS', '/api/v1/domains', { headers: { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'PUT' } });
  assert.equal(Object.keys(answer.headers).filter((name) => name.startsWith('access-control')).length, 0);
});

test('signing out ends the session and takes the cookie back', async () => {
  const admin = await signIn(world.admin);
  await admin.call('DELETE', '/session', '/session', { status: 204 });
  assert.match(admin.last.headers['set-cookie'][0], /^__Host-correio=; Max-Age=0;/);
  await admin.call('GET', '/domains', '/domains', { status: 401 });
});

test('a link signs in once, and then only a password may be set', async () => {
  const link = await local.call('POST', `/accounts/${world.alice}/link`, '/accounts/{address}/link', { status: 201 });
  assert.equal(link.purpose, 'reset');
  const token = link.url.split('#link=')[1];
  const client = browser();
  const session = await client.call('POST', '/session/link', '/session/link', { body: { token } });
  assert.equal(session.password_required, true);
  await browser().call('POST', '/session/link', '/session/link', { status: 410, type: 'link-used', body: { token } });
  client.headers = { ...client.headers, Cookie: client.last.headers['set-cookie'][0].split(';')[0], 'X-CSRF-Token': session.csrf_token };
  await client.call('GET', '/me', '/me');
  const problem = await client.call('PUT', '/me/password', '/me/password', { status: 422, body: { password: 'short' } });
  assert.deepEqual(errorsOf(problem), { '/password': 'too-short' });
  await client.call('PUT', '/me/password', '/me/password', { status: 204, body: { password: 'another quiet place' } });
  assert.equal((await client.call('GET', '/session', '/session')).password_required, false);
  await signIn(world.alice, 'another quiet place');
});

test('an administrator who came by a link does nothing before the password is set', async () => {
  const { url } = await local.call('POST', `/accounts/${world.admin}/link`, '/accounts/{address}/link', { status: 201 });
  const client = browser();
  const session = await client.call('POST', '/session/link', '/session/link', { body: { token: url.split('#link=')[1] } });
  client.headers = { ...client.headers, Cookie: client.last.headers['set-cookie'][0].split(';')[0], 'X-CSRF-Token': session.csrf_token };
  await client.call('GET', '/domains', '/domains', { status: 403, type: 'password-required' });
  await client.call('GET', '/events?topics=queue', '/events', { status: 403, type: 'password-required' });
});

test('a new link voids the earlier one', async () => {
  const [first, second] = [
    await local.call('POST', `/accounts/${world.bob}/link`, '/accounts/{address}/link', { status: 201 }),
    await local.call('POST', `/accounts/${world.bob}/link`, '/accounts/{address}/link', { status: 201 }),
  ];
  assert.notEqual(first.url, second.url);
  await browser().call('POST', '/session/link', '/session/link', { status: 410, body: { token: first.url.split('#link=')[1] } });
});

test('the own password: the present one is asked, common ones are refused, other sessions end', async () => {
  const [one, two] = [await signIn(world.admin), await signIn(world.admin)];
  const put = (body, status) => one.call('PUT', '/me/password', '/me/password', { status, body });
  assert.deepEqual(errorsOf(await put({ password: 'a different secret' }, 422)), { '/current': 'required' });
  assert.deepEqual(errorsOf(await put({ current: 'wrong', password: 'a different secret' }, 422)), { '/current': 'wrong-password' });
  assert.deepEqual(errorsOf(await put({ current: PASSWORD, password: 'password12345' }, 422)), { '/password': 'common-password' });
  assert.deepEqual(errorsOf(await put({ current: PASSWORD, password: 'eleven char' }, 422)), { '/password': 'too-short' });
  await put({ current: PASSWORD, password: 'a different secret' }, 204);
  await one.call('GET', '/me', '/me');
  await two.call('GET', '/me', '/me', { status: 401 });
  await signIn(world.admin, 'a different secret');
});

test('/me is for people: a token and the socket have none', async () => {
  await local.call('GET', '/me', '/me', { status: 404 });
  assert.equal((await local.call('GET', '/session', '/session')).via, 'socket');
});
