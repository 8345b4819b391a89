// api/openapi.yaml is valid, and what the page is tested against keeps to it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test, { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Validator } from '@seriousme/openapi-schema-validator';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';
import { startFakeServer } from './fake-server.mjs';
import { apiDocs, DOCS } from './api-docs.mjs';
import { PASSWORD } from './story.mjs';

const FILE = fileURLToPath(new URL('../../api/openapi.yaml', import.meta.url));
const contract = parse(readFileSync(FILE, 'utf8'));
const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats(ajv);
ajv.addSchema(contract, 'openapi');

let server;
before(async () => {
  server = await startFakeServer();
});
after(() => server.close());

/** The schema of an answer, as a JSON Pointer into the contract. */
function schemaOf(path, method, status, type) {
  const operation = contract.paths[path][method.toLowerCase()];
  let response = operation.responses[status] ?? operation.responses.default;
  const escaped = path.replaceAll('~', '~0').replaceAll('/', '~1');
  const known = status in operation.responses ? status : 'default';
  let pointer = `#/paths/${escaped}/${method.toLowerCase()}/responses/${known}`;
  if (response.$ref) {
    pointer = response.$ref;
    response = contract.components.responses[response.$ref.split('/').pop()];
  }
  assert.ok(response.content?.[type], `${method} ${path} ${status} has ${type}`);
  return `openapi${pointer}/content/${type.replaceAll('/', '~1')}/schema`;
}

/** The body of a request that is to succeed keeps to the contract too. */
function checkBody(path, method, body) {
  const { content } = contract.paths[path][method.toLowerCase()].requestBody;
  const pointer = `#/paths/${path.replaceAll('/', '~1')}/${method.toLowerCase()}/requestBody/content`;
  const type = Object.keys(content)[0].replaceAll('/', '~1');
  const validate = ajv.getSchema(`openapi${pointer}/${type}/schema`);
  assert.ok(validate(body), `${method} ${path} body: ${ajv.errorsText(validate.errors)}`);
}

/** Calls `url` and checks the answer against `path` of the contract. */
async function call(method, url, path, { status = 200, body, headers = {} } = {}) {
  const file = typeof body === 'string';
  if (body && !file && status < 300) checkBody(path, method, body);
  const answer = await fetch(`${server.url}/api/v1${url}`, {
    method,
    headers: { 'X-CSRF-Token': 'csrf-1', ...(body && { 'Content-Type': file ? 'text/csv' : 'application/json' }), ...headers },
    body: file ? body : body && JSON.stringify(body),
  });
  const text = await answer.text();
  assert.equal(answer.status, status, text);
  if (text === '') return null;
  const data = JSON.parse(text);
  const validate = ajv.getSchema(
    schemaOf(path, method, String(status), answer.headers.get('Content-Type').split(';')[0]),
  );
  assert.ok(validate(data), `${method} ${url}: ${ajv.errorsText(validate.errors)}`);
  return data;
}

test('the contract is a valid OpenAPI 3.1 document', async () => {
  const result = await new Validator().validate(FILE);
  assert.deepEqual(result.errors ?? [], []);
});

test('docs/api.md is what the contract says', () => {
  assert.equal(readFileSync(DOCS, 'utf8'), apiDocs(contract), 'node tests/web/api-docs.mjs --write');
});

test('every operation has an id, a scope and answers to refusals', () => {
  const ids = new Set();
  for (const [path, item] of Object.entries(contract.paths)) {
    for (const method of ['get', 'put', 'post', 'patch', 'delete'].filter((name) => name in item)) {
      const operation = item[method];
      assert.ok(operation.operationId && !ids.has(operation.operationId), `${method} ${path}`);
      ids.add(operation.operationId);
      assert.match(operation['x-scope'], /^(none|any|[a-z]+:(read|write))$/, `${method} ${path}`);
      if (operation['x-scope'] !== 'none') assert.ok(operation.responses.default, `${method} ${path}`);
    }
  }
});

test('a body with an unknown member is not of the contract', () => {
  assert.throws(() => checkBody('/accounts/{address}', 'PUT', { nmae: 'x' }), /must NOT have unevaluated properties/);
  assert.throws(() => checkBody('/queue/actions', 'POST', { action: 'retry', select: {} }), /fewer than 1 properties/);
});

test('the fake server answers as the contract says', async () => {
  server.reset();
  await call('GET', '/session', '/session', { status: 401 });
  await call('POST', '/session', '/session', {
    status: 401,
    body: { address: 'alice@example.org', password: 'wrong' },
  });
  await call('POST', '/session', '/session', { body: { address: 'admin@example.org', password: PASSWORD } });
  for (const path of [
    '/session',
    '/me',
    '/status',
    '/status/history',
    '/queue/messages',
    '/traces',
    '/domains',
    '/accounts',
    '/aliases',
    '/settings',
    '/tokens',
    '/audit',
    '/audit/verify',
  ])
    await call('GET', path, path);
  for (const group of ['destination', 'sender', 'reason'])
    await call('GET', `/queue/messages?group=${group}`, '/queue/messages');
  await call('GET', '/queue/messages?limit=3&count=true', '/queue/messages');
  await call('GET', '/queue/messages/q7f3k9', '/queue/messages/{id}');
  await call('POST', '/explain/delivery', '/explain/delivery', {
    body: { from: 'alice@example.org', to: 'sales@example.org', account: 'alice@example.org' },
  });
  await call('POST', '/explain/reply', '/explain/reply', { body: { text: '550 5.1.1 no such user' } });
  await call('GET', '/queue/messages/none', '/queue/messages/{id}', { status: 404 });
  await call('GET', '/client-setup', '/client-setup');
  await call('GET', '/queue/messages/q7f3k9/recipients', '/queue/messages/{id}/recipients');
  await call('GET', '/queue/messages/q7f3k9/recipients/r1', '/queue/messages/{id}/recipients/{recipient}');
  await call('GET', '/queue/messages/q7f3k9/recipients/r9', '/queue/messages/{id}/recipients/{recipient}', { status: 404 });
  await call('GET', '/queue/messages/q7f3k9/source', '/queue/messages/{id}/source', { status: 400 });
  await call('GET', '/queue/messages/q7f3k9/attempts', '/queue/messages/{id}/attempts');
  for (const id of ['q7f3k9', 'q7f3q4', 'q7f2b4', 'q7f2a3', 'q7f1z9'])
    await call('GET', `/traces/${id}`, '/traces/{id}');
  await call('POST', '/queue/actions', '/queue/actions', {
    body: { action: 'hold', select: { ids: ['q7f3k9', 'q7f3w0'] } },
  });
  await call('POST', '/queue/actions', '/queue/actions', {
    body: { action: 'reroute', select: { ids: ['q7f3k9'] }, route: '[mx.example.test]:25' },
  });
  await call('POST', '/queue/actions', '/queue/actions', {
    body: { action: 'reschedule', select: { ids: ['q7f3k9'] }, at: '+2h' },
  });
  await call('PATCH', '/queue/messages/q7f3k9', '/queue/messages/{id}', { body: { priority: 1 } });
  await call('GET', '/queue/destinations', '/queue/destinations');
  await call('PATCH', '/queue/destinations/example.net', '/queue/destinations/{name}', { body: { paused: { until: '+1h' } } });
  await call('GET', '/queue/destinations/example.net', '/queue/destinations/{name}');
  await call('POST', '/queue/holds', '/queue/holds', { status: 201, body: { sender: 'bob@example.org', reason: 'spam' } });
  await call('GET', '/queue/holds', '/queue/holds');
  await call('GET', '/queue/holds/h1', '/queue/holds/{id}');
  await call('DELETE', '/queue/holds/h1', '/queue/holds/{id}', { status: 204 });
  await call('GET', '/queue/schedule', '/queue/schedule');
  await call('PUT', '/queue/schedule', '/queue/schedule', { body: { retry_schedule: '1m', expire: '5d', delay_notice: '4h' } });
  const { data: undo } = await call('GET', '/queue/undo', '/queue/undo');
  await call('POST', '/queue/undo', '/queue/undo', { body: { undo: undo[0].id } });
  await call('POST', '/queue/undo', '/queue/undo', { status: 409, body: { undo: undo[0].id } });
  await call('POST', '/queue/actions', '/queue/actions', {
    status: 409,
    body: { action: 'retry', select: { all: true }, max: 2 },
  });
  await call('PUT', '/domains/example.test', '/domains/{domain}', {
    status: 201,
    body: { kind: 'relay', route: '[mx.example.test]:25' },
  });
  await call('PATCH', '/domains/example.test', '/domains/{domain}', { body: { state: 'disabled' } });
  await call('PATCH', '/domains/example.test', '/domains/{domain}', {
    status: 412,
    body: { state: 'active' },
    headers: { 'If-Match': '"1"' },
  });
  const admin = '/domains/{domain}/admins/{account}';
  await call('GET', '/domains/example.org/admins', '/domains/{domain}/admins');
  await call('PUT', '/domains/example.org/admins/bob@example.org', admin, { status: 201 });
  await call('PUT', '/domains/example.org/admins/admin@example.org', admin, { status: 422 });
  await call('DELETE', '/domains/example.org/admins/bob@example.org', admin, { status: 204 });
  await call('DELETE', '/domains/example.test', '/domains/{domain}', { status: 204 });
  await call('GET', '/domains/example.test', '/domains/{domain}');
  await call('POST', '/domains/example.test/restore', '/domains/{domain}/restore');
  await call('PUT', '/accounts/rita@example.org', '/accounts/{address}', { status: 201, body: { name: 'Rita' } });
  const password = 'nine green bottles';
  await call('PUT', '/accounts/sara@example.org', '/accounts/{address}', { status: 201, body: { name: '', password } });
  await call('PATCH', '/accounts/sara@example.org', '/accounts/{address}', { body: { quota: { limit: 1e9 } } });
  await call('PUT', '/accounts/rita@nowhere.example', '/accounts/{address}', { status: 422, body: { name: 'Rita' } });
  const more = '/accounts/{address}/addresses/{further}';
  await call('PUT', '/accounts/bob@example.org/addresses/bobby@example.org', more, { status: 201 });
  await call('GET', '/accounts/bob@example.org/addresses', '/accounts/{address}/addresses');
  await call('DELETE', '/accounts/bob@example.org/addresses/bobby@example.org', more, { status: 204 });
  await call('GET', '/accounts/bob@example.org/usage', '/accounts/{address}/usage');
  await call('POST', '/accounts/rita@example.org/link', '/accounts/{address}/link', { status: 201 });
  const test = await call('POST', '/accounts/rita@example.org/test-message', '/accounts/{address}/test-message');
  await call('GET', `/traces/${test.trace}`, '/traces/{id}');
  await call('PUT', '/accounts/rita@example.org/suspend', '/accounts/{address}/suspend', { body: { reason: null } });
  await call('DELETE', '/accounts/rita@example.org', '/accounts/{address}', { status: 204 });
  await call('GET', '/accounts?state=deleted', '/accounts');
  await call('POST', '/accounts/rita@example.org/restore', '/accounts/{address}/restore');
  await call('POST', '/accounts/rita@example.org/restore', '/accounts/{address}/restore', { status: 404 });
  await call('DELETE', '/accounts/rita@example.org?purge=true', '/accounts/{address}', { status: 204 });
  const rows = 'address,name\nzoe@example.org,Zoe\nbob@example.org,Robert\n';
  await call('POST', '/import?dry_run=true&update=true', '/import', { body: rows });
  await call('POST', '/import?dry_run=true', '/import', { body: rows });
  await call('POST', '/import', '/import', { status: 422, body: rows });
  await call('POST', '/import?update=true', '/import', { status: 202, body: rows });
  await call('GET', '/operations/o2', '/operations/{id}');
  await call('GET', '/operations/o2/lines?noted=true', '/operations/{id}/lines');
  await call('POST', '/operations/o2/links', '/operations/{id}/links', { body: { after: 0 } });
  const F = '/accounts/{address}/filters/{name}';
  const mine = '/accounts/alice@example.org/filters';
  await call('GET', mine, '/accounts/{address}/filters');
  await call('GET', '/me/filters', '/me/filters');
  const P = '/accounts/{address}';
  for (const what of ['activity', 'app-passwords', 'sessions', 'totp']) {
    await call('GET', `/accounts/alice@example.org/${what}`, `${P}/${what}`);
    await call('GET', `/me/${what}`, `/me/${what}`);
  }
  const { data } = await call('GET', '/me/traces?way=received&way=sent', '/me/traces');
  await call('GET', `/me/traces/${data[0].id}`, '/me/traces/{id}');
  await call('POST', '/me/app-passwords', '/me/app-passwords', { status: 201, body: { name: 'x', protocols: ['imap'] } });
  await call('DELETE', '/me/app-passwords/p1', '/me/app-passwords/{id}', { status: 204 });
  await call('DELETE', '/me/sessions/c1', '/me/sessions/{id}', { status: 204 });
  await call('DELETE', '/me/sessions', '/me/sessions', { status: 204 });
  await call('PUT', '/accounts/alice@example.org/freeze', `${P}/freeze`, { body: { reason: 'x' } });
  await call('DELETE', '/accounts/alice@example.org/freeze', `${P}/freeze`, { status: 204 });
  await call('POST', '/me/totp', '/me/totp', { status: 201, body: {} });
  await call('PUT', '/me/totp', '/me/totp', { status: 422, body: { code: '1' } });
  await call('PUT', '/me/totp', '/me/totp', { body: { code: '123456' } });
  await call('POST', '/session/reauth', '/session/reauth', { status: 422, body: { password: 'x' } });
  await call('POST', '/session/reauth', '/session/reauth', { body: { password: PASSWORD, code: '123456' } });
  await call('POST', '/session', '/session', { body: { address: 'admin@example.org', password: PASSWORD } });
  await call('POST', '/session/totp', '/session/totp', { status: 401, body: { code: '1' } });
  await call('POST', '/session/totp', '/session/totp', { body: { code: '123456' } });
  await call('DELETE', '/me/totp', '/me/totp', { status: 204 });
  await call('GET', `${mine}/main`, F);
  await call('PUT', `${mine}/new`, F, { status: 201, body: { script: 'keep;' } });
  await call('PUT', `${mine}/new`, F, { status: 428, body: { script: 'keep;' } });
  await call('PUT', `${mine}/new`, F, { status: 422, body: { script: 'nonsense' }, headers: { 'If-Match': '"1"' } });
  await call('PATCH', `${mine}/new`, F, { body: { active: true }, headers: { 'If-Match': '"1"' } });
  await call('DELETE', `${mine}/new`, F, { status: 204, headers: { 'If-Match': '"2"' } });
  for (const list of ['/filters', '/domains/{domain}/filters']) {
    const all = list.replace('{domain}', 'example.org');
    const one = `${list}/{place}/{name}`;
    await call('GET', all, list);
    await call('PUT', `${all}/after/new`, one, { status: 201, body: { script: 'keep;' } });
    await call('GET', `${all}/after/new`, one);
    await call('GET', `${all}/before/new`, one, { status: 404 });
    await call('PATCH', `${all}/after/new`, one, { body: { active: true }, headers: { 'If-Match': '"1"' } });
    await call('DELETE', `${all}/after/new`, one, { status: 204, headers: { 'If-Match': '"2"' } });
  }
  const message = 'list-id: x\n\n';
  await call('POST', `${mine}/test`, '/accounts/{address}/filters/test', { body: { message } });
  await call('POST', `${mine}/test`, '/accounts/{address}/filters/test', { status: 422, body: { message: '' } });
  await call('PUT', '/aliases/info@example.org', '/aliases/{address}', {
    status: 201,
    body: { members: ['alice@example.org'] },
  });
  await call('PUT', '/settings/queue.expire', '/settings/{key}', { status: 428, body: { value: '6d' } });
  await call('PUT', '/settings/queue.expire', '/settings/{key}', {
    body: { value: '6d' },
    headers: { 'If-Match': '"1"' },
  });
  await call('POST', '/tokens', '/tokens', {
    status: 201,
    body: { name: 'x', scopes: ['queue:read'], expires_at: '2030-01-01T00:00:00.000Z' },
  });
});
