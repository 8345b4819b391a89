// Every path and method of the contract, called without sign-in, with a bad token, with every scope but the right one,
// and with a method that it does not have.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { bearer, checkAnswer, contract, errorsOf, local, makeToken, makeWorld, METHODS, nobody, signIn } from './server.mjs';

const ALL_SCOPES = contract.components.schemas.Scope.enum;
const operations = Object.entries(contract.paths).flatMap(([path, item]) => METHODS.filter((m) => m in item).map((method) => ({
  path, method: method.toUpperCase(), scope: item[method]['x-scope'], outside: item.servers !== undefined || item[method].servers !== undefined,
})));
const inside = operations.filter((o) => !o.outside);

let world;
const fill = (path) => path.replace('{domain}', world.domain).replace('{address}', world.alice).replace('{account}', world.bob).replace('{further}', `more@${world.domain}`).replace('{place}', 'before').replace('{name}', 'none').replace('{key}', 'queue.expire').replace('{id}', 'q1');

before(async () => { world = await makeWorld('rights'); });

test('without sign-in everything but the open paths is 401', async () => {
  for (const { path, method, scope } of inside.filter((o) => o.scope !== 'none')) {
    const answer = await nobody.send(method, `/api/v1${fill(path)}`);
    assert.equal(answer.status, 401, `${method} ${path}`);
    assert.equal(answer.json.type, '/problems/unauthenticated');
    checkAnswer(path, method, answer);
    assert.ok(scope);
  }
});

test('a token that is none is 401 everywhere, also where nobody must sign in to read', async () => {
  const forged = (await makeToken(['queue:read'])).replace(/.$/, (c) => (c === '0' ? '1' : '0'));
  for (const token of ['cor_t1_short', 'x', forged]) {
    const answer = await bearer(token).send('GET', '/api/v1/domains');
    assert.equal(answer.status, 401, token);
  }
});

test('a token with every scope but the right one is 403', async () => {
  const scoped = inside.filter((o) => /:/.test(o.scope));
  for (const scope of new Set(scoped.map((o) => o.scope))) {
    const area = scope.split(':')[0];
    const wrong = ALL_SCOPES.filter((s) => s !== scope && !(scope.endsWith(':read') && s === `${area}:write`));
    const client = bearer(await makeToken(wrong));
    for (const { path, method } of scoped.filter((o) => o.scope === scope)) {
      const answer = await client.send(method, `/api/v1${fill(path)}`);
      assert.equal(answer.status, 403, `${method} ${path} ${answer.text}`);
      assert.equal(answer.json.type, '/problems/insufficient-scope');
      checkAnswer(path, method, answer);
    }
  }
});

test('a :write scope may read', async () => {
  const client = bearer(await makeToken(['domains:write']));
  await client.call('GET', '/domains', '/domains');
});

test('a method that a path does not have is 405 with Allow', async () => {
  for (const [path, item] of Object.entries(contract.paths).filter(([, i]) => i.servers === undefined)) {
    if (METHODS.some((m) => m in item && (item[m].servers !== undefined))) continue;
    // A path such as /filters/test is one of /filters/{name}, too.
    const form = (p) => new RegExp(`^${p.replace(/\{\w+\}/g, '[^/]+')}$`);
    const has = METHODS.filter((m) => Object.entries(contract.paths).some(([p, i]) => m in i && form(p).test(path)));
    const missing = METHODS.find((m) => !has.includes(m));
    if (missing === undefined) continue;
    const answer = await local.send(missing.toUpperCase(), `/api/v1${fill(path)}`);
    assert.equal(answer.status, 405, `${missing} ${path}`);
    assert.deepEqual(answer.headers.allow.split(', ').sort(), has.map((m) => m.toUpperCase()).sort());
  }
});

test('a person sees the own account and nothing else', async () => {
  const alice = await signIn(world.alice);
  assert.deepEqual(alice.session.scopes, []);
  assert.equal((await alice.call('GET', '/me', '/me')).address, world.alice);
  for (const { path, method, scope } of inside.filter((o) => /:/.test(o.scope))) {
    const answer = await alice.send(method, `/api/v1${fill(path)}`, { headers: { Accept: 'application/json' } });
    assert.equal(answer.status, 403, `${method} ${path} ${scope}`);
  }
});

test('a domain administrator sees the own domain; another is 404', async () => {
  const office = await signIn(world.office);
  assert.deepEqual(office.session.domains, [world.other]);
  assert.deepEqual((await office.call('GET', '/domains', '/domains')).data.map((d) => d.name), [world.other]);
  assert.ok((await office.call('GET', '/accounts', '/accounts')).data.every((a) => a.address.endsWith(`@${world.other}`)));
  const foreign = [
    ['GET', `/domains/${world.domain}`, '/domains/{domain}'],
    ['GET', `/accounts/${world.alice}`, '/accounts/{address}'], ['DELETE', `/accounts/${world.alice}`, '/accounts/{address}'],
    ['POST', `/accounts/${world.alice}/link`, '/accounts/{address}/link'], ['DELETE', `/accounts/${world.alice}/suspend`, '/accounts/{address}/suspend'],
    ['GET', `/aliases/sales@${world.domain}`, '/aliases/{address}'], ['DELETE', `/aliases/sales@${world.domain}`, '/aliases/{address}'],
  ];
  await local.call('PUT', `/aliases/sales@${world.domain}`, '/aliases/{address}', { status: 201, body: { members: [world.alice] } });
  for (const [method, url, path] of foreign) await office.call(method, url, path, { status: 404, type: 'not-found' });
  await office.call('PATCH', `/accounts/${world.alice}`, '/accounts/{address}', { status: 404, body: { name: 'x' } });
  await office.call('PUT', `/accounts/new@${world.domain}`, '/accounts/{address}', { status: 422, body: {} });
  await office.call('PUT', `/aliases/new@${world.domain}`, '/aliases/{address}', { status: 422, body: { members: [world.far] } });
  await office.call('PUT', `/domains/new-${world.other}`, '/domains/{domain}', { status: 403, body: {} });
});

test('no path of the contract shows or changes anything of another domain', async () => {
  const office = await signIn(world.office);
  const watched = [`/domains/${world.domain}`, `/accounts/${world.alice}`, `/accounts/${world.bob}`, `/domains/${world.domain}/admins`];
  const look = async () => Promise.all(watched.map(async (url) => (await local.send('GET', `/api/v1${url}`)).json));
  const before = await look();
  for (const { path, method } of inside.filter((o) => /\{(domain|address)\}/.test(o.path) && !o.path.startsWith('/me'))) {
    const body = method === 'GET' || method === 'DELETE' ? {} : { body: path.endsWith('/suspend') ? { reason: null } : {} };
    const answer = await office.send(method, `/api/v1${fill(path)}`, body);
    assert.ok([403, 404, 422, 428].includes(answer.status), `${method} ${path}: ${answer.status} ${answer.text}`);
    checkAnswer(path, method, answer);
  }
  assert.deepEqual(await look(), before);
  for (const url of ['/domains', '/accounts', '/aliases', '/queue/messages', '/traces', '/tokens', '/accounts?state=deleted', `/accounts?domain=${world.domain}`, `/accounts?q=${world.alice}`]) {
    const { text } = await office.send('GET', `/api/v1${url}`);
    assert.ok(!text.includes(`@${world.domain}`) && !text.includes(`"${world.domain}"`), `${url}: ${text}`);
  }
  // Its own alias may lead there, but what becomes of the mail there is not told.
  await local.call('PUT', `/aliases/inner@${world.domain}`, '/aliases/{address}', { status: 201, body: { members: [world.alice] } });
  await office.call('PUT', `/aliases/outer@${world.other}`, '/aliases/{address}', { status: 201, body: { members: [`inner@${world.domain}`] } });
  const { recipients } = await office.call('GET', `/aliases/outer@${world.other}/expansion`, '/aliases/{address}/expansion');
  assert.deepEqual(recipients.map((one) => [one.kind, one.address]), [['remote', `inner@${world.domain}`]]);
});

test('administrators of domains: named, seen, ended; only by a system administrator', async () => {
  const D = '/domains/{domain}/admins';
  const url = `/domains/${world.domain}/admins`;
  const office = await signIn(world.office);
  assert.deepEqual((await local.call('GET', url, D)).data, []);
  assert.deepEqual((await office.call('GET', `/domains/${world.other}/admins`, D)).data.map((a) => a.address), [world.office]);
  await office.call('GET', url, D, { status: 404 });
  await office.call('PUT', `/domains/${world.other}/admins/${world.far}`, `${D}/{account}`, { status: 403 });
  const limited = bearer(await makeToken(['domains:write'], { domains: [world.other] }));
  await limited.call('PUT', `/domains/${world.other}/admins/${world.far}`, `${D}/{account}`, { status: 403, type: 'insufficient-scope' });
  await limited.call('DELETE', `${url}/${world.office}`, `${D}/{account}`, { status: 404 });

  await local.call('PUT', `${url}/${world.office}`, `${D}/{account}`, { status: 201, body: {} });
  assert.equal((await local.call('PUT', `${url}/${world.office}`, `${D}/{account}`)).address, world.office);
  assert.deepEqual((await office.call('GET', '/domains', '/domains')).data.map((d) => d.name).sort(), [world.domain, world.other].sort());
  await office.call('GET', `/accounts/${world.alice}`, '/accounts/{address}');
  await local.call('PATCH', `/accounts/${world.office}`, '/accounts/{address}', { body: { name: 'Office' } });
  await local.call('DELETE', `/domains/${world.other}/admins/${world.office}`, `${D}/{account}`, { status: 204 });
  await local.call('PATCH', `/accounts/${world.office}`, '/accounts/{address}', { body: { name: 'Both' } }); // gives the own domain not back
  assert.deepEqual((await office.call('GET', '/domains', '/domains')).data.map((d) => d.name), [world.domain]);
  await local.call('DELETE', `${url}/${world.office}`, `${D}/{account}`, { status: 204 });
  await local.call('DELETE', `${url}/${world.office}`, `${D}/{account}`, { status: 404 });
  assert.equal((await local.call('GET', `/accounts/${world.office}`, '/accounts/{address}')).role, 'account');
  await office.call('GET', '/domains', '/domains', { status: 403 });
  assert.deepEqual(errorsOf(await local.call('PUT', `${url}/${world.admin}`, `${D}/{account}`, { status: 422 })), { account: 'system-admin' });
  await local.call('PUT', `${url}/nobody@${world.domain}`, `${D}/{account}`, { status: 404 });
  await local.call('PUT', `${url}/x`, `${D}/{account}`, { status: 404 });
  await local.call('PUT', `/domains/${world.other}/admins/${world.office}`, `${D}/{account}`, { status: 201 });
});

test('a domain administrator makes accounts but no administrators, and touches none', async () => {
  const office = await signIn(world.office);
  await office.call('PUT', `/accounts/new@${world.other}`, '/accounts/{address}', { status: 201, body: { name: 'New' } });
  await office.call('PUT', `/accounts/boss@${world.other}`, '/accounts/{address}', { status: 403, body: { role: 'system_admin' } });
  await office.call('PATCH', `/accounts/new@${world.other}`, '/accounts/{address}', { status: 403, body: { role: 'domain_admin' } });
  await local.call('PUT', `/accounts/root@${world.other}`, '/accounts/{address}', { status: 201, body: { role: 'system_admin', password: 'x' } });
  await office.call('PUT', `/accounts/root@${world.other}/password`, '/accounts/{address}/password', { status: 403, body: { password: 'a long enough secret' } });
  await office.call('POST', `/accounts/root@${world.other}/link`, '/accounts/{address}/link', { status: 403 });
  await office.call('DELETE', `/accounts/root@${world.other}`, '/accounts/{address}', { status: 403 });
});

test('a token cannot do more than its maker', async () => {
  const maker = bearer(await makeToken(['tokens:write', 'queue:read']));
  await maker.call('POST', '/tokens', '/tokens', { status: 403, type: 'insufficient-scope', body: { name: 'x', scopes: ['domains:write'] } });
  await maker.call('POST', '/tokens', '/tokens', { status: 201, body: { name: 'x', scopes: ['queue:read'] } });
  const narrow = bearer(await makeToken(['tokens:write', 'domains:read'], { domains: [world.domain] }));
  await narrow.call('POST', '/tokens', '/tokens', { status: 403, body: { name: 'x', scopes: ['domains:read'] } });
  await narrow.call('POST', '/tokens', '/tokens', { status: 201, body: { name: 'x', scopes: ['domains:read'], domains: [world.domain] } });
});

test('a token of a network is not for other networks; a revoked one is none', async () => {
  await bearer(await makeToken(['domains:read'], { cidrs: ['192.0.2.0/24'] })).call('GET', '/domains', '/domains', { status: 401 });
  const made = await local.call('POST', '/tokens', '/tokens', { status: 201, body: { name: 'x', scopes: ['domains:read'], cidrs: ['127.0.0.0/8', '::1/128'] } });
  const client = bearer(made.token);
  await client.call('GET', '/domains', '/domains');
  await local.call('DELETE', `/tokens/${made.id}`, '/tokens/{id}', { status: 204 });
  await client.call('GET', '/domains', '/domains', { status: 401 });
  await local.call('GET', `/tokens/${made.id}`, '/tokens/{id}', { status: 404 });
});
