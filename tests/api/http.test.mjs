// Framing, headers, files of the page, TLS, event streams, and what stands outside /api/v1.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import net from 'node:net';
import { before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { stream } from './stream.mjs';
import { bearer, checkAnswer, Client, contract, endpoints, errorsOf, local, LOOPBACK, makeToken, makeWorld, nobody, page, run, send, signIn, SOCKET } from './server.mjs';

let world;
before(async () => { world = await makeWorld('http'); });

/** Sends bytes on a new connection; gives all that comes back until the server closes, at most 5 s. */
function raw(text) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(page.port), page.hostname, () => socket.write(text));
    let answer = '';
    socket.setTimeout(5000, () => { socket.destroy(); reject(new Error(`not closed: ${answer}`)); });
    socket.on('data', (chunk) => { answer += chunk; });
    socket.on('close', () => resolve(answer));
    socket.on('error', () => {});
  });
}

test('what two readers may understand in two ways is 400, and the connection ends', async () => {
  const smuggled = 'GET /api/v1/domains HTTP/1.1\r\nHost: x\r\n\r\n';
  const cases = [
    `POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: ${smuggled.length + 5}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    'GET /healthz HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n',
    'GET /healthz HTTP/1.1\r\n\r\n',
    `POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 50\r\n\r\n0\r\n\r\n${smuggled}`,
    'POST /api/v1/session HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n',
    'POST /api/v1/session HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ];
  for (const text of cases) {
    const answer = await raw(text);
    assert.match(answer, /^HTTP\/1\.[01] 400 /, text);
    assert.equal(answer.match(/HTTP\/1\.1 \d/g)?.length ?? 1, 1, 'one answer, not two');
  }
});

test('a chunked body, a slow one, and several requests on one connection', async () => {
  const body = JSON.stringify({ address: 'a@b.example', password: 'x' });
  const chunked = [...body].map((c) => `1\r\n${c}\r\n`).join('') + '0\r\n\r\n';
  const head = `POST /api/v1/session HTTP/1.1\r\nHost: ${page.host}\r\nOrigin: ${page.origin}\r\nContent-Type: application/json\r\n`;
  const answer = await raw(`${head}Transfer-Encoding: chunked\r\n\r\n${chunked}${head}Connection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  assert.equal(answer.match(/HTTP\/1\.1 401 /g).length, 2, answer);
});

test('a form that nobody has is 406', async () => {
  assert.equal((await nobody.send('GET', '/api/v1/session', { headers: { Accept: 'image/png' } })).json.type, '/problems/not-acceptable');
});

test('HEAD is GET without a body', async () => {
  const answer = await send(LOOPBACK, 'HEAD', '/healthz');
  assert.deepEqual([answer.status, answer.text], [200, '']);
});

test('unknown paths of the API are 404, also with a slash more', async () => {
  for (const path of ['/api/v1', '/api/v1/', '/api/v1/domains/', '/api/v1/nothing', '/api/v2/domains', '/api/v1/domains/x/y', '/api/v1//domains']) {
    const answer = await local.send('GET', path);
    assert.equal(answer.status, 404, path);
    assert.equal(answer.json.type, '/problems/not-found');
  }
});

test('outside: healthz, readyz, metrics, the contract', async () => {
  for (const path of ['/healthz', '/readyz']) {
    const answer = await nobody.send('GET', path);
    assert.equal(answer.status, 200);
    checkAnswer(path, 'GET', answer);
  }
  const { checks } = (await nobody.send('GET', '/readyz')).json;
  assert.deepEqual(checks.map((c) => [c.name, c.ok]), [['database', true], ['schema', true], ['durable', true]]);
  const metrics = await nobody.send('GET', '/metrics');
  assert.match(metrics.headers['content-type'], /^text\/plain; version=0\.0\.4/);
  for (const line of metrics.text.trim().split('\n')) assert.match(line, /^(# (HELP|TYPE) \w+ .+|\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? [\d.-]+)$/, line);
  assert.match(metrics.text, /^correio_db_up 1$/m);
  assert.doesNotMatch(metrics.text, /@|\.example/);
  const file = await nobody.send('GET', '/api/v1/openapi.yaml');
  assert.equal(file.headers['content-type'], 'application/yaml');
  assert.ok(file.text.startsWith('openapi: 3.1'));
  assert.ok(contract.paths['/domains']);
});

test('the page: every path of its own is index.html, with a policy that names its import map', async () => {
  for (const path of ['/', '/queue', '/accounts/a.b@example.org', '/sign-in', '/problems/busy', '/index.html']) {
    const answer = await nobody.send('GET', path);
    assert.equal(answer.status, 200, path);
    assert.equal(answer.headers['content-type'], 'text/html; charset=utf-8');
    const map = /<script type="importmap">([^<]*)<\/script>/.exec(answer.text)[1];
    const csp = answer.headers['content-security-policy'];
    assert.ok(csp.includes(`'sha256-${createHash('sha256').update(map).digest('base64')}'`));
    for (const part of ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "require-trusted-types-for 'script'"]) assert.ok(csp.includes(part), part);
    for (const [name, value] of Object.entries({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer', 'cross-origin-opener-policy': 'same-origin', 'cross-origin-resource-policy': 'same-origin' })) assert.equal(answer.headers[name], value);
  }
});

test('files: the import map leads to them, with a hash for ever, without one each time anew', async () => {
  const { text } = await nobody.send('GET', '/');
  const { imports } = JSON.parse(/<script type="importmap">([^<]*)<\/script>/.exec(text)[1]);
  assert.ok(imports.preact && imports['/app/main.js']);
  for (const url of Object.values(imports)) {
    const answer = await nobody.send('GET', url);
    assert.equal(answer.status, 200, url);
    assert.match(answer.headers['content-type'], /^text\/javascript/);
    assert.match(answer.headers['cache-control'], /immutable/);
  }
  const plain = await nobody.send('GET', '/app/main.js');
  assert.equal(plain.headers['cache-control'], 'no-cache');
  assert.equal((await nobody.send('GET', '/app/main.js', { headers: { 'If-None-Match': plain.headers.etag } })).status, 304);
  assert.equal((await nobody.send('GET', '/app/main.js?h=000000000000')).headers['cache-control'], 'no-cache');
  for (const path of ['/app/none.js', '/css/none.css', '/vendor/../../api/api.c', '/app/%2e%2e/%2e%2e/sql/roles.sql']) assert.equal((await nobody.send('GET', path)).status, 404, path);
  assert.equal((await nobody.send('POST', '/app/main.js')).status, 405);
});

test('files come compressed to those who say that they take it', async () => {
  const get = async (path, coding) => (await nobody.send('GET', path, { headers: coding === undefined ? {} : { 'Accept-Encoding': coding } }));
  for (const path of ['/', '/app/main.js', '/css/base.css', '/i18n/pt-BR.json']) {
    const [plain, gzip] = [await get(path), await get(path, 'br;q=1.0, gzip;q=0.8')];
    assert.deepEqual([plain.headers['content-encoding'], gzip.headers['content-encoding']], [undefined, 'gzip'], path);
    assert.deepEqual([plain.headers.vary, gzip.headers.vary], ['Accept-Encoding', 'Accept-Encoding']);
    assert.equal(gunzipSync(gzip.bytes).toString(), plain.text);
    assert.notEqual(gzip.headers.etag, plain.headers.etag);
    assert.equal((await nobody.send('GET', path, { headers: { 'Accept-Encoding': 'gzip', 'If-None-Match': gzip.headers.etag } })).status, 304);
  }
  for (const coding of ['gzip;q=0', 'gzip; q=0.000', 'br', '', 'gzipped']) assert.equal((await get('/app/main.js', coding)).headers['content-encoding'], undefined, coding);
});

test('the first view is at most 60 kB on the wire', async () => {
  const get = (path) => nobody.send('GET', path, { headers: { 'Accept-Encoding': 'gzip' } });
  const index = await get('/');
  const html = gunzipSync(index.bytes).toString();
  const files = [...html.matchAll(/<(?:link|script)[^>]* (?:href|src)="(\/[^"]+)"/g)].map((found) => found[1]);
  assert.ok(files.length > 10 && files.some((path) => path.includes('.css')), files.join(' '));
  let total = index.bytes.length;
  for (const path of new Set([...files, '/i18n/en.json', '/app/pages/overview.js'])) total += (await get(path)).bytes.length;
  assert.ok(total <= 60000, `${total} bytes`);
});

test('over TLS: the same API, with HSTS', { skip: endpoints.HTTPS_PORT === undefined }, async () => {
  const answer = await send({ host: '127.0.0.1', port: endpoints.HTTPS_PORT, tls: true }, 'GET', '/healthz');
  assert.deepEqual([answer.status, answer.headers['strict-transport-security']], [200, 'max-age=31536000']);
  const text = (await send({ host: '127.0.0.1', port: endpoints.HTTPS_PORT, tls: true }, 'GET', '/api/v1/openapi.yaml')).text;
  assert.ok(text.endsWith((await local.send('GET', '/api/v1/openapi.yaml')).text.slice(-1000)));
});

test('events: retry first, the status at once, then what changes; and the end with the session', async () => {
  const admin = await signIn(world.admin);
  const s = await stream(admin.headers);
  assert.equal(s.status, 200);
  assert.equal(s.response.headers['content-type'], 'text/event-stream');
  assert.equal(s.response.headers['x-accel-buffering'], 'no');
  const first = await s.wait((e) => e.event === 'status');
  assert.deepEqual(Object.keys(JSON.parse(first.data)).sort(), ['held', 'problems', 'sending', 'waiting']);
  assert.deepEqual(s.events[0], { retry: '3000' });

  const unknown = await stream(admin.headers, 'topics=queue', { 'Last-Event-ID': 'other-5' });
  await unknown.wait((e) => e.event === 'reset');
  unknown.close();

  await admin.call('DELETE', '/session', '/session', { status: 204 });
  await s.end();
});

test('events: wrong topics, a revoked token', async () => {
  await local.call('GET', '/events', '/events', { status: 400 });
  assert.match(errorsOf(await local.call('GET', '/events?topics=queue,mail', '/events', { status: 400 })).topics, /enum/);
  const made = await local.call('POST', '/tokens', '/tokens', { status: 201, body: { name: `stream ${run}`, scopes: ['queue:read'] } });
  const headers = bearer(made.token).headers;
  const s = await stream(headers);
  assert.equal(s.status, 200);
  await local.call('DELETE', `/tokens/${made.id}`, '/tokens/{id}', { status: 204 });
  await s.end();
});

test('events: each topic needs its scope, and ends when that is withdrawn', async () => {
  const { headers } = bearer(await makeToken(['queue:read']));
  const client = new Client(LOOPBACK, headers);
  await client.call('GET', '/events?topics=trace', '/events', { status: 403, type: 'insufficient-scope' });
  await client.call('GET', '/events?topics=queue,audit', '/events', { status: 403, type: 'insufficient-scope' });
  const office = await signIn(world.office);
  await office.call('GET', '/events?topics=audit', '/events', { status: 403, type: 'insufficient-scope' });
  const alice = await signIn(world.alice);
  for (const topic of ['queue', 'status', 'trace', 'audit']) await alice.call('GET', `/events?topics=${topic}`, '/events', { status: 403, type: 'insufficient-scope' });
  const narrow = bearer(await makeToken(['trace:read'])).headers;
  const s = await stream(narrow, 'topics=trace');
  assert.equal(s.status, 200);
  s.close();
});

test('events: what is written to the log, from now on', async () => {
  const { headers } = bearer(await makeToken(['audit:read']));
  const [one, two] = [await stream(headers, 'topics=audit'), await stream(headers, 'topics=audit')];
  await local.call('PUT', `/domains/audit-${run}.example`, '/domains/{domain}', { status: 201, body: {} });
  const [row] = (await local.call('GET', `/audit?object=audit-${run}.example`, '/audit')).data;
  const isRow = (e) => e.event === 'audit.added' && e.data === JSON.stringify({ id: row.id, action: 'domain.create' });
  await one.wait(isRow);
  await two.wait(isRow);
  await local.call('DELETE', `/domains/audit-${run}.example`, '/domains/{domain}', { status: 204 });
  await one.wait((e) => e.event === 'audit.added' && JSON.parse(e.data).action === 'domain.delete');
  assert.equal(one.events.filter(isRow).length, 1, 'once');
  assert.ok(one.events.every((e) => e.event !== 'audit.added' || Number.parseInt(JSON.parse(e.data).id.slice(1), 36) >= Number.parseInt(row.id.slice(1), 36)), 'nothing of before');
  assert.ok(one.events.every((e) => e.id === undefined));
  const late = await stream(headers, 'topics=audit', { 'Last-Event-ID': 'x-1' });
  await late.wait((e) => e.event === 'reset');
  for (const s of [one, two, late]) s.close();
});

test('the socket needs no header and has all rights', async () => {
  const answer = await send(SOCKET, 'GET', '/api/v1/session', { headers: { Host: 'localhost' } });
  assert.deepEqual([answer.json.via, answer.json.role], ['socket', 'system_admin']);
});
