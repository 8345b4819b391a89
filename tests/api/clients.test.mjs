// What mail programs ask for to set themselves up: autoconfig, Autodiscover and the profile for Apple's systems. That all of
// it is XML, and what stands in it when some protocols are off, is in tests/e2e/setup_test.py.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { bearer, checkAnswer, endpoints, local, makeToken, makeWorld, nobody, run, send, LOOPBACK, signIn } from './server.mjs';

const CONFIG = ['/.well-known/autoconfig/mail/config-v1.1.xml', '/mail/config-v1.1.xml'];
const DISCOVER = ['/autodiscover/autodiscover.xml', '/Autodiscover/Autodiscover.xml'];
const ask = (address) => `<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"><Request><EMailAddress>${address}</EMailAddress></Request></Autodiscover>`;
const discover = (body, path = DISCOVER[0], headers = {}) => nobody.send('POST', path, { body, headers: { 'Content-Type': 'text/xml', ...headers } });
const ports = (text) => [...text.matchAll(/<port>(\d+)</gi)].map((m) => m[1]);
const ALL = ['IMAPS', 'IMAP', 'POP3S', 'POP3', 'SMTPS', 'SUBMISSION'].map((name) => endpoints[`${name}_PORT`]);

let world;
before(async () => { world = await makeWorld('clients'); });

test('autoconfig names every server that listens, TLS first, by both paths', async () => {
  for (const path of CONFIG) {
    const answer = await nobody.send('GET', `${path}?emailaddress=alice%40${world.domain}`);
    assert.equal(answer.status, 200, answer.text);
    checkAnswer(path, 'GET', answer);
    assert.deepEqual(ports(answer.text), ALL);
    assert.ok(answer.text.includes(`<emailProvider id="${world.domain}">`));
    assert.match(answer.text, /<incomingServer type="imap">\s*<hostname>[^<]+<\/hostname>\s*<port>\d+<\/port>\s*<socketType>SSL<\/socketType>\s*<username>%EMAILADDRESS%</);
  }
});

test('without an address the domain is that of Host', async () => {
  for (const host of [world.domain, `autoconfig.${world.domain}`, `AutoConfig.${world.domain}:80`]) {
    const answer = await send(LOOPBACK, 'GET', CONFIG[1], { headers: { Host: host } });
    assert.equal(answer.status, 200, host);
    assert.ok(answer.text.includes(`<domain>${world.domain}</domain>`));
  }
  for (const host of ['localhost.nowhere.test', 'autoconfig.', '[::1]:80', '"', '<x>']) {
    assert.equal((await send(LOOPBACK, 'GET', CONFIG[1], { headers: { Host: host } })).status, 404, host);
  }
});

test('Autodiscover gives the same, with the address as the name to sign in, and wants no page of ours', async () => {
  for (const path of DISCOVER) {
    const answer = await discover(ask(` alice@${world.domain}\r\n`), path);
    assert.equal(answer.status, 200, answer.text);
    checkAnswer(path, 'POST', answer);
    assert.deepEqual(ports(answer.text), ALL);
    assert.equal(answer.text.split(`<LoginName>alice@${world.domain}</LoginName>`).length, 7);
  }
  assert.equal((await discover(ask(`alice@${world.domain}`), DISCOVER[0], { Origin: 'https://elsewhere.test', 'Sec-Fetch-Site': 'cross-site' })).status, 200);
});

test('an account that is there, one that is not and none at all are answered alike', async () => {
  const hide = (text, address) => text.replaceAll(address, '*');
  const texts = async (address) => [
    (await nobody.send('GET', `${CONFIG[1]}?emailaddress=${address}`)).text,
    hide((await discover(ask(address))).text, address),
  ];
  const [alice, none] = [await texts(`alice@${world.domain}`), await texts(`none@${world.domain}`)];
  assert.deepEqual(alice, none);
});

test('a domain without accounts here is 404: unknown, relayed, an alias, disabled, no domain', async () => {
  const put = (name, body) => local.call('PUT', `/domains/${name}`, '/domains/{domain}', { status: 201, body });
  const [relay, alias, off] = ['relay', 'alias', 'off'].map((kind) => `clients-${kind}-${run}.example`);
  await put(relay, { kind: 'relay' });
  await put(alias, { kind: 'alias', alias_of: world.domain });
  await put(off, { state: 'disabled' });
  for (const address of ['a@nowhere.test', `a@${relay}`, `a@${alias}`, `a@${off}`, 'alice', '@', '', `a@${world.domain}@`, `a@${world.domain}.`, 'a@x y', 'a@%00.test', `a@${'x'.repeat(300)}.test`]) {
    for (const path of CONFIG) {
      const answer = await nobody.send('GET', `${path}?emailaddress=${encodeURIComponent(address)}`);
      assert.equal(answer.status, 404, `${address} ${answer.text}`);
      checkAnswer(path, 'GET', answer);
    }
  }
  for (const address of ['a@nowhere.test', `a@${relay}`, `a@${alias}`, `a@${off}`, 'alice']) {
    const answer = await discover(ask(address));
    assert.equal(answer.status, 404, address);
    checkAnswer(DISCOVER[0], 'POST', answer);
  }
});

test('a hostile address comes back as text', async () => {
  const answer = await discover(ask(`"'>]]@${world.domain}`));
  assert.equal(answer.status, 200);
  assert.ok(answer.text.includes(`<LoginName>&quot;&apos;&gt;]]@${world.domain}</LoginName>`), answer.text);
  assert.equal(answer.headers['x-content-type-options'], 'nosniff');
});

test('what is no such request is 400; more than 64 KiB is 413; more than 1 MiB, too', async () => {
  const good = ask(`alice@${world.domain}`);
  for (const body of ['', '{}', `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>${ask('&e;')}`, ask('&lt;'), ask(''), ask('<b/>'), good.slice(0, -1), good + good, ask('a\u0000b'), Buffer.from(good, 'utf16le')]) {
    const answer = await discover(body);
    assert.equal(answer.status, 400, `${body} ${answer.text}`);
    checkAnswer(DISCOVER[0], 'POST', answer);
  }
  assert.equal((await discover(good.padEnd(65536))).status, 200);
  for (const size of [65537, 1 << 20, (1 << 20) + 1]) {
    const answer = await discover(good.padEnd(size));
    assert.equal(answer.status, 413, String(size));
    checkAnswer(DISCOVER[0], 'POST', answer);
  }
});

test('another method is 405 with Allow', async () => {
  for (const [path, allow] of [...CONFIG.map((p) => [p, 'GET']), ...DISCOVER.map((p) => [p, 'POST'])]) {
    for (const method of ['GET', 'POST', 'PUT', 'DELETE'].filter((m) => m !== allow)) {
      const answer = await nobody.send(method, path);
      assert.equal(answer.status, 405, `${method} ${path}`);
      assert.equal(answer.headers.allow, allow);
    }
  }
});

test('people read what autoconfig says', async () => {
  const alice = await signIn(world.alice);
  const setup = await alice.call('GET', '/client-setup', '/client-setup');
  const { text } = await nobody.send('GET', `${CONFIG[0]}?emailaddress=alice%40${world.domain}`);
  assert.deepEqual(setup.servers.map((one) => String(one.port)), ports(text));
  assert.ok(text.includes(`<hostname>${setup.hostname}</hostname>`));
  assert.deepEqual(setup.servers.map((one) => `${one.protocol} ${one.tls}`), ['imap tls', 'imap starttls', 'pop3 tls', 'pop3 starttls', 'submission tls', 'submission starttls']);
});

test('the profile is for the person who signed in, and has no password', async () => {
  const path = '/me/apple-profile';
  const profile = (client) => client.send('GET', `/api/v1${path}`);
  const alice = await signIn(world.alice);
  const answer = await profile(alice);
  assert.equal(answer.status, 200, answer.text);
  checkAnswer(path, 'GET', answer);
  assert.equal(answer.headers['content-disposition'], 'attachment; filename="mail.mobileconfig"');
  assert.ok(answer.text.includes(`<key>EmailAddress</key><string>${world.alice}</string>`));
  assert.ok(answer.text.includes(`<integer>${endpoints.IMAPS_PORT}</integer>`));
  assert.doesNotMatch(answer.text, /<key>(Incoming|Outgoing)Password<|a quiet place/);
  assert.equal((await profile(alice)).text, answer.text);
  assert.equal((await profile(nobody)).status, 401);
  for (const client of [local, bearer(await makeToken(['accounts:read']))]) assert.equal((await profile(client)).status, 404);
});
