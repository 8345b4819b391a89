// App passwords, and accounts that may not send.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { submitMail } from '../support/submit.mjs';
import { signInto, signsInto } from './mail_client.mjs';
import { bearer, endpoints, errorsOf, local, LOOPBACK, Client, makeToken, makeWorld, page, PASSWORD, signIn } from './server.mjs';

const APPS = '/accounts/{address}/app-passwords';
const FREEZE = '/accounts/{address}/freeze';
let world;
before(async () => { world = await makeWorld('people'); });

const makeApp = (who, body) => local.call('POST', `/accounts/${who}/app-passwords`, APPS, { status: 201, body });

test('an app password signs in where it may, is shown once, and tells its last use', async () => {
  const made = await makeApp(world.alice, { name: 'phone', protocols: ['imap', 'submission'] });
  assert.match(made.password, /^([a-z]{5}-){3}[a-z]{5}$/);
  assert.deepEqual([made.name, made.protocols, made.last_used], ['phone', ['imap', 'submission'], null]);
  assert.ok(await signsInto('imap', endpoints, world.alice, made.password));
  assert.ok(await signsInto('submission', endpoints, world.alice, made.password.replaceAll('-', '').toUpperCase()));
  assert.ok(!(await signsInto('pop3', endpoints, world.alice, made.password)));
  assert.ok(!(await signsInto('managesieve', endpoints, world.alice, made.password)));
  assert.ok(!(await signsInto('imap', endpoints, world.bob, made.password)));
  assert.ok(await signsInto('imap', endpoints, world.alice, PASSWORD));
  const [listed] = (await local.call('GET', `/accounts/${world.alice}/app-passwords`, APPS)).data;
  assert.equal(listed.password, undefined);
  assert.deepEqual([listed.last_used.protocol, listed.last_used.ip], ['submission', '127.0.0.1']);
  await local.call('DELETE', `/accounts/${world.alice}/app-passwords/${made.id}`, `${APPS}/{id}`, { status: 204 });
  assert.ok(!(await signsInto('imap', endpoints, world.alice, made.password)));
  await local.call('DELETE', `/accounts/${world.alice}/app-passwords/${made.id}`, `${APPS}/{id}`, { status: 404 });
});

test('an app password never signs in to the dashboard', async () => {
  const { password } = await makeApp(world.alice, { name: 'all' });
  const browser = new Client(LOOPBACK, { Origin: page.origin, 'Sec-Fetch-Site': 'same-origin' });
  await browser.call('POST', '/session', '/session', { status: 401, type: 'wrong-credentials', body: { address: world.alice, password } });
});

test('wrong values are told all at once; twenty are enough', async () => {
  const problem = await local.call('POST', `/accounts/${world.bob}/app-passwords`, APPS, { status: 422, body: { protocols: ['imap', 'http'], colour: 1 } });
  assert.deepEqual(errorsOf(problem), { '/name': 'required', '/protocols/1': 'enum', '/colour': 'unknown-field' });
  await local.call('POST', `/accounts/${world.bob}/app-passwords`, APPS, { status: 422, body: { name: 'a\nb' } });
  const made = await Promise.all(Array.from({ length: 24 }, (_, i) => local.send('POST', `/api/v1/accounts/${world.bob}/app-passwords`, { body: { name: `n${i}` } })));
  assert.deepEqual([made.filter((a) => a.status === 201).length, made.filter((a) => a.status === 422).length], [20, 4]);
  assert.equal((await local.call('GET', `/accounts/${world.bob}/app-passwords`, APPS)).data.length, 20);
});

test('the own app passwords; those of others are not there', async () => {
  const far = await signIn(world.far);
  const made = await far.call('POST', '/me/app-passwords', '/me/app-passwords', { status: 201, body: { name: 'mine' } });
  assert.deepEqual((await far.call('GET', '/me/app-passwords', '/me/app-passwords')).data.map((p) => p.id), [made.id]);
  const [foreign] = (await local.call('GET', `/accounts/${world.alice}/app-passwords`, APPS)).data;
  await far.call('DELETE', `/me/app-passwords/${foreign.id}`, '/me/app-passwords/{id}', { status: 404 });
  for (const id of ['p0', 'x', 'pzzzzzzzzzzzzz', made.id.replace('p', 'q')]) await far.call('DELETE', `/me/app-passwords/${id}`, '/me/app-passwords/{id}', { status: 404 });
  const office = await signIn(world.office);
  await office.call('GET', `/accounts/${world.alice}/app-passwords`, APPS, { status: 404 });
  await office.call('POST', `/accounts/${world.alice}/app-passwords`, APPS, { status: 404, body: { name: 'x' } });
  await office.call('DELETE', `/accounts/${world.alice}/app-passwords/${foreign.id}`, `${APPS}/{id}`, { status: 404 });
  assert.equal((await office.call('GET', `/accounts/${world.far}/app-passwords`, APPS)).data.length, 1);
  await local.call('GET', '/me/app-passwords', '/me/app-passwords', { status: 404 });
  await far.call('DELETE', `/me/app-passwords/${made.id}`, '/me/app-passwords/{id}', { status: 204 });
});

test('a frozen account reads and does not send; its queue is held, by whom and why is told', async () => {
  const away = `away-${world.domain}`; // nobody listens there: what is sent waits
  await local.call('PUT', `/domains/${away}`, '/domains/{domain}', { status: 201, body: { kind: 'relay', route: '[127.0.0.1]:1' } });
  const id = await submitMail({ port: endpoints.SUBMISSION_PORT, from: world.alice, password: PASSWORD, to: [`joe@${away}`], subject: 'before' });
  const frozen = await local.call('PUT', `/accounts/${world.alice}/freeze`, FREEZE, { body: { reason: 'spam' } });
  assert.deepEqual([frozen.state, frozen.frozen.by, frozen.frozen.reason, frozen.suspended], ['frozen', 'local', 'spam', null]);
  assert.equal((await local.call('GET', `/queue/messages/${id}`, '/queue/messages/{id}')).state, 'held');
  assert.ok(await signsInto('imap', endpoints, world.alice, PASSWORD));
  await assert.rejects(submitMail({ port: endpoints.SUBMISSION_PORT, from: world.alice, password: PASSWORD, to: [world.bob], subject: 'after' }), /550/);
  assert.equal((await local.call('GET', `/accounts?state=frozen&domain=${world.domain}`, '/accounts')).data.length, 1);
  await local.call('DELETE', `/accounts/${world.alice}/freeze`, FREEZE, { status: 204 });
  const free = await local.call('GET', `/accounts/${world.alice}`, '/accounts/{address}');
  assert.deepEqual([free.state, free.frozen], ['active', null]);
  assert.equal((await local.call('GET', `/queue/messages/${id}`, '/queue/messages/{id}')).state, 'held');
  await local.call('DELETE', `/queue/messages/${id}`, '/queue/messages/{id}');
});

test('freezing and suspending stand beside each other, and invited stays invited', async () => {
  const state = async () => (await local.call('GET', `/accounts/${world.bob}`, '/accounts/{address}')).state;
  const suspend = (method, options) => local.call(method, `/accounts/${world.bob}/suspend`, '/accounts/{address}/suspend', options);
  const freeze = (method, options) => local.call(method, `/accounts/${world.bob}/freeze`, FREEZE, options);
  await freeze('PUT', { body: {} });
  await suspend('PUT', { body: {} });
  assert.equal(await state(), 'suspended');
  await suspend('DELETE', { status: 204 });
  assert.equal(await state(), 'frozen');
  await freeze('DELETE', { status: 204 });
  await suspend('PUT', { body: {} });
  await freeze('PUT', { body: { reason: 'also' } });
  assert.equal(await state(), 'suspended');
  await freeze('DELETE', { status: 204 });
  await suspend('DELETE', { status: 204 });
  assert.equal(await state(), 'active');
  const invited = `guest@${world.domain}`;
  await local.call('PUT', `/accounts/${invited}`, '/accounts/{address}', { status: 201, body: {} });
  await local.call('PUT', `/accounts/${invited}/freeze`, FREEZE, { body: {} });
  await local.call('DELETE', `/accounts/${invited}/freeze`, FREEZE, { status: 204 });
  assert.equal((await local.call('GET', `/accounts/${invited}`, '/accounts/{address}')).state, 'invited');
  const office = await signIn(world.office);
  await office.call('PUT', `/accounts/${world.bob}/freeze`, FREEZE, { status: 404, body: {} });
  await bearer(await makeToken(['accounts:read'])).call('PUT', `/accounts/${world.bob}/freeze`, FREEZE, { status: 403, body: {} });
});

test('a dry run of all this changes nothing', async () => {
  const dry = (method, url, path, options) => local.call(method, `${url}?dry_run=true`, path, options);
  /** Without what is in the mailbox: a letter that tells of the app password is on its way there. */
  const shown = async () => {
    const { quota, ...account } = await local.call('GET', `/accounts/${world.far}`, '/accounts/{address}');
    return { ...account, limits: [quota.limit, quota.message_limit] };
  };
  await makeApp(world.far, { name: 'stays' });
  const before = await shown();
  const { data } = await local.call('GET', `/accounts/${world.far}/app-passwords`, APPS);
  assert.equal((await dry('POST', `/accounts/${world.far}/app-passwords`, APPS, { status: 201, body: { name: 'dry' } })).password, 'dry-run');
  await dry('DELETE', `/accounts/${world.far}/app-passwords/${data[0].id}`, `${APPS}/{id}`, { status: 204 });
  await dry('DELETE', `/accounts/${world.far}/app-passwords/p1`, `${APPS}/{id}`, { status: 404 });
  assert.equal((await dry('PUT', `/accounts/${world.far}/freeze`, FREEZE, { body: {} })).state, 'frozen');
  await dry('DELETE', `/accounts/${world.far}/sessions`, '/accounts/{address}/sessions', { status: 204 });
  await dry('DELETE', `/accounts/${world.far}/totp`, '/accounts/{address}/totp', { status: 204 });
  assert.deepEqual(await shown(), before);
  assert.deepEqual((await local.call('GET', `/accounts/${world.far}/app-passwords`, APPS)).data, data);
});
