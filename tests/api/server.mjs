// What the API's tests share: the running server that $CORREIO_HOME names, requests to it, and the contract that every
// answer is checked against.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { fileURLToPath } from 'node:url';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';

const home = process.env.CORREIO_HOME;
assert.ok(home, 'CORREIO_HOME names the home of a running server');

/** KEY=VALUE of run/endpoints. */
export const endpoints = Object.fromEntries(readFileSync(`${home}/run/endpoints`, 'utf8').trim().split('\n').map((line) => line.split(/=(.*)/s)));
export const page = new URL(endpoints.HTTP_URL);
export const contract = parse(readFileSync(fileURLToPath(new URL('../../api/openapi.yaml', import.meta.url)), 'utf8'));
export const METHODS = ['get', 'put', 'post', 'patch', 'delete'];

const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats(ajv);
ajv.addSchema(contract, 'openapi');

/** Names of this run: tests may run again against the same server. */
export const run = randomBytes(4).toString('hex');
export const PASSWORD = 'a quiet place by the sea';

/** One HTTP request. at: {socketPath}, {host, port, tls}. Gives {status, headers, bytes, text, json}. */
export function send(at, method, path, { headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const { tls, ...where } = at;
    const request = (tls ? https : http).request({ ...where, method, path, headers, agent: false, rejectUnauthorized: false }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => {
        const bytes = Buffer.concat(chunks);
        const text = bytes.toString();
        const isJson = /json(;|$)/.test(response.headers['content-type'] ?? '');
        resolve({ status: response.statusCode, headers: response.headers, bytes, text, json: isJson && text !== '' && !response.headers['content-encoding'] ? JSON.parse(text) : null });
      });
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

export const SOCKET = { socketPath: endpoints.API_SOCKET };
export const LOOPBACK = { host: page.hostname, port: page.port, tls: page.protocol === 'https:' };

/** Somebody who calls: where, and what he shows. */
export class Client {
  constructor(at, headers = {}) {
    this.at = at;
    this.headers = headers;
  }

  send(method, path, { headers = {}, body, ...rest } = {}) {
    const json = body === undefined ? {} : { 'Content-Type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' };
    return send(this.at, method, path, { headers: { ...json, ...this.headers, ...headers }, body: body === undefined ? undefined : typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body), ...rest });
  }

  /** A request to /api/v1 whose answer must have this status and fit `path` of the contract. Gives the answer's JSON. */
  async call(method, url, path, { status = 200, type, ...options } = {}) {
    const answer = await this.send(method, `/api/v1${url}`, options);
    assert.equal(answer.status, status, `${method} ${url}: ${answer.text}`);
    checkAnswer(path, method, answer);
    if (type !== undefined) assert.equal(answer.json.type, `/problems/${type}`, answer.text);
    this.last = answer;
    return answer.json;
  }
}

export const local = new Client(SOCKET);
export const nobody = new Client(LOOPBACK);
export const bearer = (token) => new Client(LOOPBACK, { Authorization: `Bearer ${token}` });

/** Signs in as the page does; gives a Client with cookie, Origin and CSRF token. */
export async function signIn(address, password = PASSWORD) {
  const client = new Client(LOOPBACK, { Origin: page.origin, 'Sec-Fetch-Site': 'same-origin' });
  const session = await client.call('POST', '/session', '/session', { body: { address, password } });
  const [cookie] = client.last.headers['set-cookie'];
  client.headers = { ...client.headers, Cookie: cookie.split(';')[0], 'X-CSRF-Token': session.csrf_token };
  client.cookie = cookie;
  client.session = session;
  return client;
}

function schemaOf(path, method, status, type) {
  const operation = contract.paths[path]?.[method.toLowerCase()];
  assert.ok(operation, `${method} ${path} is in the contract`);
  const key = status in operation.responses ? status : 'default';
  let response = operation.responses[key];
  let pointer = `#/paths/${path.replaceAll('~', '~0').replaceAll('/', '~1')}/${method.toLowerCase()}/responses/${key}`;
  if (response.$ref) {
    pointer = response.$ref;
    response = contract.components.responses[pointer.split('/').pop()];
  }
  assert.ok(response.content?.[type], `${method} ${path} ${status} has ${type}`);
  return `openapi${pointer}/content/${type.replaceAll('/', '~1')}/schema`;
}

/** The answer has the headers of every answer, and a body that fits the contract. */
export function checkAnswer(path, method, answer) {
  assert.ok(answer.headers['request-id'], 'Request-Id');
  assert.equal(answer.headers['x-content-type-options'], 'nosniff');
  assert.equal(answer.headers['cache-control'], 'no-store');
  if (answer.text === '') {
    assert.ok([204, 304].includes(answer.status), `${method} ${path} ${answer.status} has no body`);
    return;
  }
  const type = answer.headers['content-type'].split(';')[0];
  const validate = ajv.getSchema(schemaOf(path, method, String(answer.status), type));
  if (answer.json) assert.ok(validate(answer.json), `${method} ${path}: ${ajv.errorsText(validate.errors)} in ${answer.text}`);
  if (answer.status >= 400) {
    assert.equal(type, 'application/problem+json');
    assert.equal(answer.json.status, answer.status);
    assert.equal(answer.json.request_id, answer.headers['request-id']);
  }
}

/** Errors of a 422 or 400 as {place: code}. */
export const errorsOf = (problem) => Object.fromEntries(problem.errors.map((e) => [e.pointer ?? e.parameter, e.code]));

/** A domain with accounts of this run: {domain, admin, alice, bob, office, officeDomain}. Everything is new. */
export async function makeWorld(name) {
  const domain = `${name}-${run}.example`;
  const other = `${name}-other-${run}.example`;
  const world = { domain, other, admin: `admin@${domain}`, alice: `alice@${domain}`, bob: `bob@${domain}`, office: `office@${other}`, far: `far@${other}` };
  for (const one of [domain, other]) await local.call('PUT', `/domains/${one}`, '/domains/{domain}', { status: 201, body: {} });
  const accounts = [['admin', 'system_admin'], ['alice', 'account'], ['bob', 'account'], ['office', 'domain_admin'], ['far', 'account']];
  for (const [who, role] of accounts) {
    await local.call('PUT', `/accounts/${world[who]}`, '/accounts/{address}', { status: 201, body: { role, password: PASSWORD, name: who } });
  }
  return world;
}

/** A token made over the socket; gives its text. */
export async function makeToken(scopes, more = {}) {
  return (await local.call('POST', '/tokens', '/tokens', { status: 201, body: { name: `test ${run}`, scopes, ...more } })).token;
}
