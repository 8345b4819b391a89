// Domains, accounts, aliases, settings, tokens: what they take, refuse and answer.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { submitMail } from '../support/submit.mjs';
import { endpoints, errorsOf, local, makeWorld, nobody, page, PASSWORD, run, signIn } from './server.mjs';

let world;
before(async () => { world = await makeWorld('things'); });

const D = '/domains/{domain}';
const A = '/accounts/{address}';
const L = '/aliases/{address}';
const S = '/settings/{key}';

test('a domain: create, read, replace, change, remove', async () => {
  const url = `/domains/life-${run}.example`;
  const made = await local.call('PUT', url.replace('life', 'LIFE'), D, { status: 201, body: { kind: 'relay', route: '[mx.example]:2525' } });
  assert.equal(local.last.headers.location, `/api/v1${url}`);
  assert.equal(local.last.headers.etag, '"1"');
  assert.deepEqual([made.name, made.kind, made.route, made.version], [`life-${run}.example`, 'relay', '[mx.example]:2525', 1]);
  assert.deepEqual(await local.call('GET', url, D), made);
  await local.call('GET', url, D, { status: 304, headers: { 'If-None-Match': '"1"' } });
  await local.call('PUT', url, D, { status: 409, type: 'exists', headers: { 'If-None-Match': '*' }, body: {} });
  const changed = await local.call('PATCH', url, D, { body: { language: 'pt-BR', state: 'disabled' } });
  assert.deepEqual([changed.kind, changed.language, changed.state, changed.version], ['relay', 'pt-BR', 'disabled', 2]);
  const stale = await local.call('PATCH', url, D, { status: 412, type: 'stale', headers: { 'If-Match': '"1"' }, body: { state: 'active' } });
  assert.deepEqual(stale.current, changed);
  const replaced = await local.call('PUT', url, D, { headers: { 'If-Match': '"2"' }, body: { ...changed, kind: 'local', route: null, state: 'active' } });
  assert.deepEqual([replaced.kind, replaced.route, replaced.language], ['local', null, 'pt-BR']);
  await local.call('DELETE', url, D, { status: 412, headers: { 'If-Match': '"1"' } });
  await local.call('DELETE', `${url}?purge=true`, D, { status: 204 });
  await local.call('GET', url, D, { status: 404 });
  await local.call('PUT', url, D, { status: 201, body: {} });
  await local.call('DELETE', url, D, { status: 204 });
});

const expansion = async (address) =>
  (await local.call('GET', `/aliases/${address}/expansion`, '/aliases/{address}/expansion'));

test('a deleted account gets no mail, keeps its address, and is restored as it was', async () => {
  const address = `lazarus@${world.domain}`;
  const url = `/accounts/${address}`;
  const alias = `/aliases/tomb@${world.domain}`;
  await local.call('PUT', url, A, { status: 201, body: { name: 'Lazarus', role: 'domain_admin', password: PASSWORD } });
  await local.call('PUT', alias, L, { status: 201, body: { members: [address] } });
  const lazarus = await signIn(address);
  const before = await local.call('GET', url, A);
  await local.call('POST', `${url}/restore`, `${A}/restore`, { status: 404 });
  await local.call('DELETE', url, A, { status: 412, headers: { 'If-Match': '"99"' } });
  await local.call('DELETE', url, A, { status: 204 });
  await local.call('DELETE', url, A, { status: 404 });
  const deleted = await local.call('GET', url, A);
  assert.equal(deleted.state, 'deleted');
  assert.equal(new Date(deleted.deleted.until) - new Date(deleted.deleted.at), 7 * 86400e3);
  await lazarus.call('GET', '/me', '/me', { status: 401 });
  await nobody.call('POST', '/session', '/session', { status: 401, headers: { Origin: page.origin }, body: { address, password: PASSWORD } });
  assert.equal((await expansion(address)).result, 'unknown');
  assert.deepEqual((await expansion(`tomb@${world.domain}`)).recipients, []);
  const exists = await local.call('PUT', url, A, { status: 409, type: 'exists', body: {} });
  assert.match(exists.detail, /restore/);
  await local.call('PUT', `/aliases/${address}`, L, { status: 409, type: 'exists', body: { members: [world.bob] } });
  for (const [method, below] of [['PUT', 'password'], ['POST', 'link'], ['PUT', 'suspend'], ['POST', 'recount']])
    await local.call(method, `${url}/${below}`, `${A}/${below}`, { status: 404, body: {} });
  await local.call('PATCH', url, A, { status: 404, body: { name: 'x' } });
  const list = async (query) => (await local.call('GET', `/accounts?domain=${world.domain}&${query}`, '/accounts')).data.map((a) => a.address);
  assert.deepEqual(await list('state=deleted'), [address]);
  assert.ok(!(await list('limit=200')).includes(address));
  assert.deepEqual(errorsOf(await local.call('POST', `${url}/restore`, `${A}/restore`, { status: 422, body: { x: 1 } })), { '/x': 'unknown-field' });
  const back = await local.call('POST', `${url}/restore`, `${A}/restore`);
  assert.deepEqual({ ...back, version: 0, last_sign_in: null }, { ...before, version: 0, last_sign_in: null });
  await signIn(address);
  assert.deepEqual((await local.call('GET', alias, L)).members, [address]);
  await local.call('DELETE', url, A, { status: 204 });
  await local.call('DELETE', `${url}?purge=true`, A, { status: 204 });
  await local.call('GET', url, A, { status: 404 });
  await local.call('POST', `${url}/restore`, `${A}/restore`, { status: 404 });
  await local.call('GET', alias, L, { status: 404 });
  assert.deepEqual(errorsOf(await local.call('DELETE', `${url}?purge=yes`, A, { status: 400 })), { purge: 'enum' });
  await local.call('PUT', url, A, { status: 201, body: {} });
});

test('a deleted domain is not ours, and is restored with what was deleted with it', async () => {
  const name = `phoenix-${run}.example`;
  const url = `/domains/${name}`;
  await local.call('PUT', url, D, { status: 201, body: {} });
  for (const who of ['x', 'early']) await local.call('PUT', `/accounts/${who}@${name}`, A, { status: 201, body: {} });
  await local.call('PUT', `/aliases/y@${name}`, L, { status: 201, body: { members: [`x@${name}`] } });
  await local.call('DELETE', `/accounts/early@${name}`, A, { status: 204 });
  await local.call('DELETE', `${url}?force=true`, D, { status: 204 });
  const deleted = await local.call('GET', url, D);
  assert.deepEqual([deleted.state, deleted.accounts], ['deleted', 0]);
  for (const [path, at] of [[A, `/accounts/x@${name}`], [A, `/accounts/early@${name}`], [L, `/aliases/y@${name}`]]) await local.call('GET', at, path, { status: 404 });
  await local.call('PUT', url, D, { status: 409, type: 'exists', body: {} });
  assert.deepEqual(errorsOf(await local.call('PUT', `/accounts/new@${name}`, A, { status: 422, body: {} })), { address: 'unknown-domain' });
  assert.deepEqual((await local.call('GET', `/domains?state=deleted&q=${name}`, '/domains')).data.map((d) => d.name), [name]);
  assert.deepEqual((await local.call('GET', `/domains?q=${name}`, '/domains')).data, []);
  assert.equal((await local.call('POST', `${url}/restore`, `${D}/restore`)).accounts, 1);
  await local.call('POST', `${url}/restore`, `${D}/restore`, { status: 404 });
  await local.call('GET', `/aliases/y@${name}`, L);
  assert.equal((await local.call('GET', `/accounts/early@${name}`, A)).state, 'deleted');
  await local.call('DELETE', `${url}?force=true`, D, { status: 204 });
  await local.call('DELETE', `${url}?purge=true`, D, { status: 204 });
  await local.call('GET', url, D, { status: 404 });
  await local.call('PUT', url, D, { status: 201, body: {} });
  await local.call('PUT', `/accounts/x@${name}`, A, { status: 201, body: {} });
});

test('where mailboxes live: targets, users, who may say so', async () => {
  const domain = `/domains/places-${run}.example`;
  const account = `/accounts/ann@places-${run}.example`;
  assert.equal((await local.call('PUT', domain, D, { status: 201, body: {} })).delivery, 'store');
  const set = async (key, value, more = {}) => {
    const { version } = await local.call('GET', `/settings/${key}`, S);
    return local.call('PUT', `/settings/${key}`, S, { headers: { 'If-Match': `"${version}"` }, body: { value }, ...more });
  };
  await set('mda.users', 'ann vmail');
  assert.deepEqual(errorsOf(await set('mda.users', 'root', { status: 422 })), { '/value': 'syntax' });
  assert.deepEqual(errorsOf(await set('mda.programs', 'x=ann:relative', { status: 422 })), { '/value': 'syntax' });
  const made = await local.call('PUT', account, A, { status: 201, body: {} });
  assert.deepEqual([made.delivery, made.delivery_user], [null, null]);
  for (const [body, errors] of [
    [{ delivery: 'maildir:relative' }, { '/delivery': 'syntax' }],
    [{ delivery: 'mbox:/a/../b' }, { '/delivery': 'syntax' }],
    [{ delivery: 'pipe:procmail' }, { '/delivery': 'syntax' }],
    [{ delivery: 'ftp:/x' }, { '/delivery': 'syntax' }],
    [{ delivery: 'maildir:/x', delivery_user: 'nobody-else' }, { '/delivery_user': 'unknown-user' }],
    [{ delivery: 7 }, { '/delivery': 'type' }],
  ]) assert.deepEqual(errorsOf(await local.call('PATCH', account, A, { status: 422, body })), errors, JSON.stringify(body));
  const target = { delivery: 'maildir:/home/ann/Maildir', delivery_user: 'ann' };
  for (let tries = 0; tries < 50; tries++) { // every process follows a setting within two seconds
    const answer = await local.send('PATCH', `/api/v1${account}`, { body: target });
    if (answer.status === 200) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const changed = await local.call('PATCH', account, A, { body: target });
  assert.deepEqual([changed.delivery, changed.delivery_user], ['maildir:/home/ann/Maildir', 'ann']);
  assert.deepEqual((await local.call('PATCH', account, A, { body: { name: 'Ann' } })).delivery, changed.delivery);
  assert.deepEqual(errorsOf(await local.call('PATCH', domain, D, { status: 422, body: { delivery: 'maildir:/srv/%d/%u' } })), { '/delivery_user': 'required' });
  assert.deepEqual(errorsOf(await local.call('PATCH', domain, D, { status: 422, body: { delivery: 'maildir:/srv/%x', delivery_user: 'vmail' } })), { '/delivery': 'syntax' });
  const placed = await local.call('PATCH', domain, D, { body: { delivery: 'maildir:/srv/%d/%u', delivery_user: 'vmail' } });
  assert.deepEqual([placed.delivery, placed.delivery_user], ['maildir:/srv/%d/%u', 'vmail']);
  assert.equal((await local.call('PATCH', domain, D, { body: { delivery_user: '%u' } })).delivery_user, '%u');
  assert.equal((await local.call('PATCH', account, A, { body: { delivery: null, delivery_user: null } })).delivery, null);
  await set('mda.users', '');
  await local.call('DELETE', `${domain}?force=true`, D, { status: 204 });
});

test('domain names: U-labels become A-labels, nonsense is refused', async () => {
  const made = await local.call('PUT', `/domains/${encodeURIComponent(`bücher-${run}.example`)}`, D, { status: 201, body: {} });
  assert.match(made.name, /^xn--/);
  await local.call('GET', `/domains/${encodeURIComponent(`BÜCHER-${run}.example`)}`, D);
  for (const name of ['a', 'a..example', '-a.example', 'a b.example', `${'x'.repeat(64)}.example`, '%00.example', '[127.0.0.1]']) {
    const answer = await local.send('PUT', `/api/v1/domains/${encodeURIComponent(name)}`, { body: {} });
    assert.ok([404, 422].includes(answer.status), `${name} ${answer.text}`);
  }
});

test('all errors of a body come in one answer, with the nearest name', async () => {
  const problem = await local.call('PUT', `/domains/errors-${run}.example`, D, {
    status: 422, type: 'validation', body: { kind: 'reley', stat: 'active', language: 7, version: 3, 'a/b~c': 1 },
  });
  assert.deepEqual(errorsOf(problem), { '/kind': 'enum', '/stat': 'unknown-field', '/language': 'type', '/version': 'read-only', '/a~1b~0c': 'unknown-field' });
  assert.match(problem.errors.find((e) => e.pointer === '/kind').detail, /"relay"/);
  assert.match(problem.errors.find((e) => e.pointer === '/stat').detail, /"state"/);
  assert.deepEqual(errorsOf(await local.call('PUT', `/domains/errors-${run}.example`, D, { status: 422, body: { route: 'mx.example' } })), { '/route': 'syntax' });
  assert.deepEqual(errorsOf(await local.call('PUT', `/domains/errors-${run}.example`, D, { status: 422, body: { kind: 'relay', route: 'mx.example:99999' } })), { '/route': 'syntax' });
});

test('bodies that are not strict JSON are 400; another type is 415; too much is 413', async () => {
  const url = `/domains/strict-${run}.example`;
  for (const body of ['', '{', '{"kind":"local",}', "{'kind':'local'}", '{"kind":"local","kind":"relay"}', '{"kind":"local","k\\u0069nd":"relay"}', '{"language":NaN}', '{}x', '{"language":"\\ud800"}', '[['.repeat(40), Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])]) {
    const answer = await local.send('PUT', `/api/v1${url}`, { headers: { 'Content-Type': 'application/json' }, body });
    assert.equal(answer.status, 400, String(body));
    assert.equal(answer.json.type, '/problems/malformed');
  }
  for (const headers of [{ 'Content-Type': 'text/plain' }, { 'Content-Type': 'multipart/form-data' }, { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' }, { 'Content-Type': 'application/merge-patch+json' }]) {
    assert.equal((await local.send('PUT', `/api/v1${url}`, { headers, body: '{}' })).status, 415, JSON.stringify(headers));
  }
  assert.equal((await local.send('PUT', `/api/v1${url}`, { body: JSON.stringify({ language: 'x'.repeat(1 << 20) }) })).status, 413);
  assert.equal((await local.send('PUT', `/api/v1${url}`, { body: [] })).status, 422);
  await local.call('GET', url, D, { status: 404 });
});

test('lists: pages, order, count, unknown parameters, foreign cursors', async () => {
  const names = ['a', 'b', 'c', 'd', 'e'].map((c) => `${c}.list-${run}.example`);
  for (const name of names) await local.call('PUT', `/domains/${name}`, D, { status: 201, body: {} });
  const seen = [];
  let query = `q=list-${run}&limit=2&count=true`;
  while (query) {
    const page = await local.call('GET', `/domains?${query}`, '/domains');
    assert.deepEqual(page.count, { value: 5, relation: 'exact' });
    seen.push(...page.data.map((d) => d.name));
    assert.equal(page.next !== null, local.last.headers.link !== undefined);
    if (page.next) assert.equal(local.last.headers.link, `</api/v1/domains?q=list-${run}&limit=2&count=true&cursor=${page.next}>; rel="next"`);
    query = page.next && `q=list-${run}&limit=2&count=true&cursor=${page.next}`;
  }
  assert.deepEqual(seen, names);
  const down = await local.call('GET', `/domains?q=list-${run}&sort=-name`, '/domains');
  assert.deepEqual(down.data.map((d) => d.name), names.toReversed());
  const { next } = await local.call('GET', `/domains?q=list-${run}&limit=2`, '/domains');
  for (const bad of [`q=other&limit=2&cursor=${next}`, `q=list-${run}&limit=2&sort=-name&cursor=${next}`, `q=list-${run}&cursor=${next.slice(0, -1)}`, 'cursor=AAAA']) {
    await local.call('GET', `/domains?${bad}`, '/domains', { status: 400, type: 'invalid-cursor' });
  }
  const problem = await local.call('GET', '/domains?limit=201&kinds=local&kind=x&count=1&q=', '/domains', { status: 400, type: 'invalid-parameter' });
  assert.deepEqual(errorsOf(problem), { kinds: 'unknown-field', q: 'too-short', kind: 'enum', limit: 'maximum', count: 'enum' });
  assert.deepEqual(errorsOf(await local.call('GET', '/domains?q=a&q=b', '/domains', { status: 400 })), { q: 'duplicate' });
  await local.call('GET', '/domains?q=%00', '/domains', { status: 400, type: 'malformed' });
  await local.call('GET', '/domains?q=%ff', '/domains', { status: 400, type: 'malformed' });
});

test('a domain with accounts is not removed, unless by force', async () => {
  const name = `full-${run}.example`;
  await local.call('PUT', `/domains/${name}`, D, { status: 201, body: {} });
  await local.call('PUT', `/accounts/x@${name}`, A, { status: 201, body: {} });
  await local.call('PUT', `/aliases/y@${name}`, L, { status: 201, body: { members: [`x@${name}`] } });
  const problem = await local.call('DELETE', `/domains/${name}`, D, { status: 409, type: 'not-empty' });
  assert.deepEqual([problem.accounts, problem.aliases], [1, 1]);
  await local.call('PATCH', `/domains/${name}`, D, { status: 409, type: 'not-empty', body: { kind: 'relay' } });
  await local.call('DELETE', `/domains/${name}?force=true&purge=true`, D, { status: 204 });
  await local.call('GET', `/accounts/x@${name}`, A, { status: 404 });
  await local.call('GET', `/aliases/y@${name}`, L, { status: 404 });
  await local.call('PUT', `/domains/${name}`, D, { status: 201, body: {} });
  await local.call('PUT', `/accounts/x@${name}`, A, { status: 201, body: {} });
});

test('an account: create, read, replace, change, remove, make again', async () => {
  const address = `zoe@${world.domain}`;
  const url = `/accounts/${address}`;
  const made = await local.call('PUT', `/accounts/Zoe%40${world.domain}`, A, { status: 201, body: { name: 'Zoë', quota: { limit: 5e9 }, language: 'pt-BR' } });
  assert.deepEqual([made.address, made.name, made.state, made.role, made.quota.limit], [address, 'Zoë', 'invited', 'account', 5e9]);
  await local.call('PUT', url, A, { status: 409, type: 'exists', headers: { 'If-None-Match': '*' }, body: {} });
  const changed = await local.call('PATCH', url, A, { body: { quota: { limit: null }, language: null } });
  assert.deepEqual([changed.quota.limit, changed.language, changed.name], [null, null, 'Zoë']);
  assert.deepEqual((await local.call('PUT', url, A, { body: changed })).quota, changed.quota);
  await local.call('PUT', `${url}/password`, '/accounts/{address}/password', { status: 204, body: { password: PASSWORD } });
  assert.equal((await local.call('GET', url, A)).state, 'active');
  await local.call('PUT', `/aliases/both@${world.domain}`, L, { status: 201, body: { members: [address, world.bob] } });
  await local.call('PUT', `/aliases/only@${world.domain}`, L, { status: 201, body: { members: [address] } });
  await local.call('DELETE', `${url}?purge=true`, A, { status: 204 });
  await local.call('GET', url, A, { status: 404 });
  assert.deepEqual((await local.call('GET', `/aliases/both@${world.domain}`, L)).members, [world.bob]);
  await local.call('GET', `/aliases/only@${world.domain}`, L, { status: 404 });
  const again = await local.call('PUT', url, A, { status: 201, body: {} });
  assert.notEqual(again.id, made.id);
});

test('quota: of an account in bytes and messages, of a domain, and a recount', async () => {
  const url = `/accounts/quota@${world.domain}`;
  const made = await local.call('PUT', url, A, { status: 201, body: { quota: { limit: 5e9, message_limit: 1000 } } });
  assert.deepEqual(made.quota, { limit: 5e9, message_limit: 1000, used: 0, messages: 0 });
  assert.deepEqual((await local.call('PATCH', url, A, { body: { quota: { message_limit: null } } })).quota.limit, 5e9);
  assert.deepEqual(errorsOf(await local.call('PATCH', url, A, { status: 422, body: { quota: { message_limit: 0, limit: -1 } } })),
    { '/quota/message_limit': 'minimum', '/quota/limit': 'minimum' });
  const recount = '/accounts/{address}/recount';
  assert.deepEqual(await local.call('POST', `${url}/recount`, recount, {}), { repaired: false, wrong: [] });
  assert.deepEqual(await local.call('POST', `${url}/recount`, recount, { body: { repair: true } }), { repaired: false, wrong: [] });
  assert.deepEqual(errorsOf(await local.call('POST', `${url}/recount`, recount, { status: 422, body: { repair: 1 } })), { '/repair': 'enum' });
  await local.call('POST', `/accounts/nobody@${world.domain}/recount`, recount, { status: 404 });

  const domain = `/domains/quota-${run}.example`;
  assert.deepEqual((await local.call('PUT', domain, D, { status: 201, body: {} })).quota, { limit: null, used: null });
  assert.deepEqual((await local.call('PATCH', domain, D, { body: { quota: { limit: 1e12 } } })).quota, { limit: 1e12, used: 0 });
  assert.deepEqual((await local.call('PATCH', domain, D, { body: { language: 'en' } })).quota.limit, 1e12);
  assert.deepEqual(errorsOf(await local.call('PATCH', domain, D, { status: 422, body: { quota: { limit: 5, used: 7 } } })),
    { '/quota/limit': 'minimum', '/quota/used': 'read-only' });
  assert.deepEqual(errorsOf(await local.call('PUT', `/domains/relay-${run}.example`, D, { status: 422, body: { kind: 'relay', quota: { limit: 1e12 } } })),
    { '/quota/limit': 'syntax' });
});

test('accounts: what is refused', async () => {
  const url = `/accounts/bad@${world.domain}`;
  const put = async (body, at = url) => errorsOf(await local.call('PUT', at, A, { status: 422, body }));
  assert.deepEqual(await put({ quota: { limit: 5 }, role: 'admin', name: 'a\nb', password: '', state: 'active' }),
    { '/quota/limit': 'minimum', '/role': 'enum', '/name': 'syntax', '/password': 'too-short', '/state': 'read-only' });
  assert.deepEqual(await put({ quota: { limit: 1e30 } }), { '/quota/limit': 'maximum' });
  assert.deepEqual(await put({ quota: { limit: 1048576.5 } }), { '/quota/limit': 'type' });
  assert.deepEqual(await put({ quota: 5 }), { '/quota': 'type' });
  assert.deepEqual(await put({ name: 'x'.repeat(201) }), { '/name': 'too-long' });
  assert.deepEqual(await put({}, '/accounts/x@nowhere.example'), { address: 'unknown-domain' });
  for (const bad of ['no-at', '@x.example', 'a@', `"a b"@${world.domain}`, `a..b@${world.domain}`]) assert.deepEqual(await put({}, `/accounts/${encodeURIComponent(bad)}`), { address: 'syntax' }, bad);
  await local.call('PATCH', `/accounts/${world.alice}`, A, { status: 422, body: { password: 'x' } });
  await local.call('PUT', `/aliases/taken@${world.domain}`, L, { status: 201, body: { members: [world.alice] } });
  await local.call('PUT', `/accounts/taken@${world.domain}`, A, { status: 409, type: 'exists', body: {} });
  for (const id of ['-1', '9223372036854775808', '%2e%2e']) await local.call('GET', `/accounts/${id}`, A, { status: 404 });
});

test('filters of accounts', async () => {
  const list = async (query) => (await local.call('GET', `/accounts?${query}`, '/accounts')).data.map((a) => a.address);
  assert.deepEqual(await list(`domain=${world.other}&domain=nowhere.example&q=FAR`), [world.far]);
  assert.deepEqual(await list(`domain=${world.domain}&role=system_admin`), [world.admin]);
  assert.ok((await list(`domain=${world.domain}&state=active`)).includes(world.alice));
  assert.deepEqual(await list(`domain=${world.domain}&state=suspended`), []);
});

test('aliases: members are checked; aliases in aliases, no loops', async () => {
  const url = `/aliases/team@${world.domain}`;
  const made = await local.call('PUT', url, L, { status: 201, body: { members: [`X@Elsewhere.Example`, world.bob, world.alice] } });
  assert.deepEqual(made.members, ['x@elsewhere.example', world.alice, world.bob].sort());
  const put = async (at, members) => errorsOf(await local.call('PUT', at, L, { status: 422, body: { members } }));
  await local.call('PUT', `/aliases/up@${world.domain}`, L, { status: 201, body: { members: [`team@${world.domain}`] } });
  assert.deepEqual(await put(url, [`up@${world.domain}`]), { '/members': 'loop' });
  await local.call('DELETE', `/aliases/up@${world.domain}`, L, { status: 204 });
  assert.deepEqual(await put(`/aliases/two@${world.domain}`, ['|nothing']), { '/members/0': 'unknown-program' });
  assert.deepEqual(await put(`/aliases/two@${world.domain}`, [`two@${world.domain}`, `nobody@${world.domain}`, 'x']), { '/members/0': 'self', '/members/2': 'syntax' });
  assert.deepEqual(await put(`/aliases/two@${world.domain}`, [`nobody@${world.domain}`]), { '/members/0': 'unknown-address' });
  assert.deepEqual(await put(`/aliases/two@${world.domain}`, []), { '/members': 'too-short' });
  assert.deepEqual(await put(`/aliases/two@${world.domain}`, [world.bob, world.bob]), { '/members': 'duplicate' });
  assert.deepEqual(await put(`/aliases/two@${world.domain}`, [world.bob, world.bob.toUpperCase()]), { '/members': 'duplicate' });
  assert.deepEqual(await put('/aliases/two@nowhere.example', [world.bob]), { address: 'unknown-domain' });
  assert.deepEqual(errorsOf(await local.call('PUT', `/aliases/two@${world.domain}`, L, { status: 422, body: {} })), { '/members': 'required' });
  await local.call('PUT', `/aliases/${world.bob}`, L, { status: 409, type: 'exists', body: { members: [world.alice] } });
  await local.call('PATCH', url, L, { status: 412, type: 'stale', headers: { 'If-Match': '"9"' }, body: { members: [world.bob] } });
  assert.deepEqual((await local.call('PATCH', url, L, { headers: { 'If-Match': '"1"' }, body: { members: [world.bob] } })).members, [world.bob]);
  assert.deepEqual((await local.call('GET', `/aliases?member=${world.bob}&q=team`, '/aliases')).data.map((a) => a.address), [`team@${world.domain}`]);
  await local.call('DELETE', url, L, { status: 204 });
  await local.call('DELETE', url, L, { status: 404 });
});

test('a setting: If-Match is required, the value checked and normal, the default one step away', async () => {
  const url = '/settings/queue.delay_notice';
  const { version } = await local.call('GET', url, S);
  await local.call('PUT', url, S, { status: 428, type: 'precondition-required', body: { value: '5h' } });
  await local.call('PUT', url, S, { status: 412, type: 'stale', headers: { 'If-Match': '"99"' }, body: { value: '5h' } });
  const put = (value) => local.call('PUT', url, S, { headers: { 'If-Match': `"${version}"` }, body: { value } });
  const set = await put('300m');
  assert.deepEqual([set.value, set.source, set.editable, set.changed.by], ['5h', 'page', true, 'local']);
  const match = { 'If-Match': `"${set.version}"` };
  const problem = await local.call('PUT', url, S, { status: 422, type: 'validation', headers: match, body: { value: 'soon' } });
  assert.deepEqual(errorsOf(problem), { '/value': 'syntax' });
  const unset = await local.call('DELETE', url, S, { headers: match });
  assert.deepEqual([unset.value, unset.source, unset.version], ['4h', 'default', 0]);
  await local.call('GET', '/settings/no.such', S, { status: 404 });
});

test('switches are true and false, routes have a line each', async () => {
  const change = async (key, value) => {
    const { version } = await local.call('GET', `/settings/${key}`, S);
    return local.call('PUT', `/settings/${key}`, S, { headers: { 'If-Match': `"${version}"` }, body: { value } });
  };
  const reset = async (key) => {
    const { version } = await local.call('GET', `/settings/${key}`, S);
    await local.call('DELETE', `/settings/${key}`, S, { headers: { 'If-Match': `"${version}"` } });
  };
  assert.equal((await change('smtp.auth_on_25', 'true')).value, 'true');
  assert.equal((await change('smtp.auth_on_25', 'off')).value, 'false');
  await reset('smtp.auth_on_25');
  const routes = 'a.example=[mx.example]:587\nb.example=mx.example';
  assert.equal((await change('relay.routes', `${routes}\n`)).value, routes);
  await reset('relay.routes');
  for (const setting of (await local.call('GET', '/settings', '/settings')).data.filter((s) => s.type === 'choice')) assert.ok(setting.choices.includes(setting.value), setting.key);
});

test('tokens: shown once, checked, listed', async () => {
  const post = async (body) => errorsOf(await local.call('POST', '/tokens', '/tokens', { status: 422, body }));
  assert.deepEqual(await post({}), { '/name': 'required', '/scopes': 'required' });
  assert.deepEqual(await post({ name: 'x', scopes: ['queue:reed'] }), { '/scopes/0': 'unknown-scope' });
  assert.deepEqual(await post({ name: 'x', scopes: ['queue:read'], role: 'domain_admin' }), { '/domains': 'required' });
  assert.deepEqual(await post({ name: 'x', scopes: ['queue:read'], domains: ['nowhere.example'], cidrs: ['10.0.0.1/8'], expires_at: '2020-01-01T00:00:00Z' }),
    { '/domains/0': 'unknown-domain', '/cidrs/0': 'syntax', '/expires_at': 'in-past' });
  const made = await local.call('POST', '/tokens', '/tokens', { status: 201, body: { name: `list ${run}`, scopes: ['queue:read'], domains: [world.domain] } });
  assert.match(made.token, new RegExp(`^cor_${made.id}_[\\w-]{49}$`));
  assert.equal(local.last.headers.location, `/api/v1/tokens/${made.id}`);
  const { token, ...shown } = made;
  assert.ok(token);
  assert.deepEqual(await local.call('GET', `/tokens/${made.id}`, '/tokens/{id}'), shown);
  assert.deepEqual((await local.call('GET', '/tokens?limit=1', '/tokens')).data, [shown]);
});

test('aliases: who may send, who may use it, until when; the expansion says who gets mail', async () => {
  const url = `/aliases/offers-*@${world.domain}`;
  const body = { members: [world.alice, 'far@elsewhere.example'], who_may_send: 'list', allowed_senders: ['@Elsewhere.Example', world.bob], send_as: [world.bob] };
  const made = await local.call('PUT', url, L, { status: 201, body });
  assert.deepEqual([made.who_may_send, made.allowed_senders, made.send_as, made.state, made.expires_at],
    ['list', ['@elsewhere.example', world.bob].sort(), [world.bob], 'active', null]);
  const X = '/aliases/{address}/expansion';
  const expand = (address, from) => local.call('GET', `/aliases/${address}/expansion${from ? `?from=${from}` : ''}`, X);
  const found = await expand(`offers-may@${world.domain}`, world.bob);
  assert.equal(found.result, 'found');
  assert.deepEqual(found.recipients, [{ kind: 'mailbox', address: world.alice, program: null }, { kind: 'remote', address: 'far@elsewhere.example', program: null }]
    .sort((a, b) => a.address.localeCompare(b.address)));
  assert.equal(found.steps[0].step, 'pattern');
  assert.equal((await expand(`offers-may@${world.domain}`, world.alice)).result, 'denied');
  assert.equal((await expand(`offers-may@${world.domain}`, 'joe@elsewhere.example')).result, 'found');
  assert.equal((await expand(`nobody@${world.domain}`)).result, 'unknown');
  assert.equal((await local.call('PATCH', url, L, { body: { expires_at: '2020-01-01T00:00:00Z' } })).expires_at, '2020-01-01T00:00:00.000Z');
  assert.equal((await expand(`offers-may@${world.domain}`, world.bob)).result, 'unknown');
  const wrong = async (b) => errorsOf(await local.call('PATCH', url, L, { status: 422, body: b }));
  assert.deepEqual(await wrong({ expires_at: 'soon' }), { '/expires_at': 'syntax' });
  assert.deepEqual(await wrong({ who_may_send: 'everybody' }), { '/who_may_send': 'enum' });
  assert.deepEqual(await wrong({ allowed_senders: ['@'], send_as: ['x'] }), { '/allowed_senders/0': 'syntax', '/send_as/0': 'syntax' });
  await local.call('GET', `/aliases/x@nowhere.example/expansion`, X, { status: 200 });
  await local.call('GET', `/aliases/x/expansion`, X, { status: 404 });
  await local.call('DELETE', url, L, { status: 204 });
});

test('accounts: forwards; domains: alias of another, catch-all, sub-addresses', async () => {
  const url = `/accounts/${world.alice}`;
  const wrong = async (u, p, b) => errorsOf(await local.call('PATCH', u, p, { status: 422, body: b }));
  const set = await local.call('PATCH', url, A, { body: { forward: ['Far@Elsewhere.Example'], forward_keep: false } });
  assert.deepEqual([set.forward, set.forward_keep], [['far@elsewhere.example'], false]);
  assert.deepEqual(await wrong(url, A, { forward: ['x', world.alice] }), { '/forward/0': 'syntax', '/forward/1': 'self' });
  const expand = async (address) =>
    (await local.call('GET', `/aliases/${address}/expansion`, '/aliases/{address}/expansion')).recipients.map((r) => r.address);
  assert.deepEqual(await expand(world.alice), ['far@elsewhere.example']);
  await local.call('PATCH', url, A, { body: { forward: [], forward_keep: true } });
  assert.deepEqual(await expand(world.alice), [world.alice]);
  const other = `alias-${world.domain}`;
  const made = await local.call('PUT', `/domains/${other}`, D, { status: 201, body: { kind: 'alias', alias_of: world.domain } });
  assert.deepEqual([made.kind, made.alias_of, made.subaddress], ['alias', world.domain, '+']);
  const local_part = world.alice.split('@')[0];
  assert.deepEqual(await expand(`${local_part}@${other}`), [world.alice]);
  assert.deepEqual(await expand(`${local_part}+tag@${world.domain}`), [world.alice]);
  assert.deepEqual(await expand(`nobody@${other}`), []);
  await local.call('PATCH', `/domains/${world.domain}`, D, { body: { catch_all: world.bob, subaddress: '-' } });
  assert.deepEqual(await expand(`nobody@${other}`), [world.bob]);
  assert.deepEqual(await expand(`${local_part}-tag@${world.domain}`), [world.alice]);
  assert.deepEqual(await wrong(`/domains/${other}`, D, { alias_of: 'nowhere.example' }), { '/alias_of': 'unknown-domain' });
  assert.deepEqual(await wrong(`/domains/${other}`, D, { alias_of: null }), { '/alias_of': 'required' });
  assert.deepEqual(await wrong(`/domains/${world.domain}`, D, { alias_of: other, catch_all: 'abc', subaddress: '@' }),
    { '/alias_of': 'syntax', '/catch_all': 'syntax', '/subaddress': 'syntax' });
  await local.call('PATCH', `/domains/${world.domain}`, D, { body: { catch_all: null, subaddress: '+' } });
  await local.call('DELETE', `/domains/${other}`, D, { status: 204 });
});

test('addresses beyond ASCII: composed or not, in any case, they are one', async () => {
  const address = `jos\u00e9-${run}@${world.domain}`;
  const made = await local.call('PUT', `/accounts/${encodeURIComponent(`JOSE\u0301-${run}@${world.domain}`)}`, A, { status: 201, body: {} });
  assert.equal(made.address, address);
  const found = await local.call('GET', `/aliases/${encodeURIComponent(`Jose\u0301-${run}@${world.domain}`)}/expansion`, '/aliases/{address}/expansion');
  assert.deepEqual(found.recipients.map((r) => r.address), [address]);
  await local.call('DELETE', `/accounts/${encodeURIComponent(address)}`, A, { status: 204 });
});

test('limits of sending: own, of the domain, counted, refused beyond', async () => {
  const U = `${A}/usage`;
  const url = `/accounts/${world.bob}`;
  const submit = (to) => submitMail({ port: endpoints.SUBMISSION_PORT, from: world.bob, password: PASSWORD, to, subject: 'limits' });
  const inside = [world.alice, world.admin];
  assert.deepEqual((await local.call('GET', url, A)).limits, { recipients_per_hour: null, recipients_per_day: null });
  assert.deepEqual((await local.call('GET', `${url}/usage`, U)).limits, { recipients_per_hour: null, recipients_per_day: null });
  await local.call('PATCH', `/domains/${world.domain}`, D, { body: { limits: { recipients_per_hour: 3 } } });
  await local.call('PATCH', url, A, { body: { limits: { recipients_per_day: 5 } } });
  assert.deepEqual((await local.call('GET', `${url}/usage`, U)).limits, { recipients_per_hour: 3, recipients_per_day: 5 });
  await submit(inside);
  const used = await local.call('GET', `${url}/usage`, U);
  assert.deepEqual([used.sent.last_hour, used.sent.last_day, used.sent.hours.at(-1)], [2, 2, 2]);
  assert.deepEqual((await local.call('GET', url, A)).sent, { last_hour: 2, last_day: 2 });
  await assert.rejects(submit(inside), /RCPT TO.*: 451 4\.7\.1 .*later/);
  await submit([world.alice]);
  await assert.rejects(submit([world.alice]), /451 4\.7\.1/);
  await assert.rejects(submit([...inside, ...inside]), /451 4\.7\.1/);
  await local.call('PATCH', url, A, { body: { limits: { recipients_per_hour: 0, recipients_per_day: null } } });
  await submit([...inside, ...inside]);
  assert.equal((await local.call('GET', url, A)).limits.recipients_per_hour, 0);
  await local.call('PATCH', url, A, { body: { limits: { recipients_per_hour: 2 } } });
  await assert.rejects(submit([...inside, ...inside]), /451 4\.7\.1/);
  await local.call('PATCH', `/accounts/${world.alice}`, A, { body: { limits: { recipients_per_hour: 1 } } });
  await assert.rejects(submitMail({ port: endpoints.SUBMISSION_PORT, from: world.alice, password: PASSWORD, to: inside, subject: 'x' }), /550 5\.7\.1/);
  assert.deepEqual(errorsOf(await local.call('PATCH', url, A, { status: 422, body: { limits: { recipients_per_hour: -1, recipients_per_day: 1e7, per_week: 1 } } })),
    { '/limits/recipients_per_hour': 'minimum', '/limits/recipients_per_day': 'maximum', '/limits/per_week': 'unknown-field' });
  await local.call('GET', `/accounts/nobody@${world.domain}/usage`, U, { status: 404 });

  // A domain administrator gives no more than the domain was given.
  await local.call('PATCH', `/domains/${world.other}`, D, { body: { limits: { recipients_per_hour: 50 } } });
  const office = await signIn(world.office);
  const far = `/accounts/${world.far}`;
  for (const more of [51, 0]) assert.deepEqual(errorsOf(await office.call('PATCH', far, A, { status: 422, body: { limits: { recipients_per_hour: more } } })), { '/limits/recipients_per_hour': 'maximum' });
  await office.call('PATCH', far, A, { body: { limits: { recipients_per_hour: 50, recipients_per_day: 0 } } });
  await office.call('PATCH', far, A, { body: { limits: { recipients_per_hour: null } } });
  await local.call('PATCH', far, A, { body: { limits: { recipients_per_hour: 90 } } });
  await office.call('PATCH', far, A, { body: { name: 'Far', limits: { recipients_per_hour: 90 } } }); // what was given stays
  await local.call('PATCH', `/domains/${world.domain}`, D, { body: { limits: { recipients_per_hour: null } } });
});

test('further addresses: taken, delivered to, used as sender, given up', async () => {
  const L1 = `${A}/addresses`;
  const L2 = `${A}/addresses/{further}`;
  const url = `/accounts/${world.admin}/addresses`;
  const more = `chief@${world.domain}`;
  const there = `chief@${world.other}`;
  assert.deepEqual((await local.call('GET', url, L1)).data, [{ address: world.admin, main: true }]);
  assert.deepEqual(await local.call('PUT', `${url}/CHIEF@${world.domain}`, L2, { status: 201 }), { address: more, main: false });
  await local.call('PUT', `${url}/${more}`, L2, { body: {} });
  await local.call('PUT', `${url}/${there}`, L2, { status: 201 });
  assert.deepEqual((await local.call('GET', url, L1)).data.map((one) => one.address), [world.admin, more, there].sort());
  assert.deepEqual((await expansion(there)).recipients.map((one) => one.address), [world.admin]);
  const port = endpoints.SUBMISSION_PORT;
  await submitMail({ port, from: world.admin, as: more, password: PASSWORD, to: [there], subject: 'as another' });
  await assert.rejects(submitMail({ port, from: world.admin, as: world.bob, password: PASSWORD, to: [there], subject: 'as bob' }), /553 5\.7\.1/);
  await local.call('PUT', `${url}/${world.bob}`, L2, { status: 409, type: 'exists' });
  await local.call('PUT', `/accounts/${world.bob}/addresses/${more}`, L2, { status: 409, type: 'exists' });
  await local.call('PUT', `/aliases/${more}`, L, { status: 409, type: 'exists', body: { members: [world.bob] } });
  for (const [bad, code] of [['x', 'syntax'], [`a*@${world.domain}`, 'syntax'], ['x@nowhere.example', 'unknown-domain']])
    assert.deepEqual(errorsOf(await local.call('PUT', `${url}/${bad}`, L2, { status: 422 })), { further: code });
  assert.deepEqual(errorsOf(await local.call('DELETE', `${url}/${world.admin}`, L2, { status: 422 })), { further: 'main-address' });
  await local.call('PUT', `/aliases/lead@${world.domain}`, L, { status: 201, body: { members: [more, world.bob] } });
  await local.call('DELETE', `${url}/${more}`, L2, { status: 204 });
  await local.call('DELETE', `${url}/${more}`, L2, { status: 404 });
  assert.deepEqual((await local.call('GET', `/aliases/lead@${world.domain}`, L)).members, [world.bob]);
  assert.equal((await expansion(more)).result, 'unknown');
  const office = await signIn(world.office);
  assert.deepEqual(errorsOf(await office.call('PUT', `/accounts/${world.far}/addresses/x@${world.domain}`, L2, { status: 422 })), { further: 'unknown-domain' });
  await office.call('PUT', `/accounts/${world.far}/addresses/near@${world.other}`, L2, { status: 201 });
  await office.call('DELETE', `/accounts/${world.far}/addresses/near@${world.other}`, L2, { status: 204 });
  await local.call('DELETE', `${url}/${there}`, L2, { status: 204 });
});
