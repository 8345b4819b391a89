// The only module that talks to the server. Answers are objects; refusals are ApiError.
import { store } from '/app/store.js';

const BASE = '/api/v1';
let csrf = null;

/**
 * What the server, or the way to it, refused. kind: the last part of the problem's type, 'network' when no
 * answer came. fields: {pointer or parameter: {code, detail}}.
 */
export class ApiError extends Error {
  constructor(status, problem, requestId) {
    super(problem.title ?? 'no answer');
    this.status = status;
    this.kind = problem.type?.split('/').pop() ?? 'network';
    this.problem = problem;
    this.requestId = problem.request_id ?? requestId ?? null;
    this.fields = {};
    for (const error of problem.errors ?? []) this.fields[error.pointer ?? error.parameter] ??= error;
  }
}

/** Makes a query string; arrays repeat, null and undefined are left out. */
export function query(params) {
  const out = new URLSearchParams();
  for (const [key, value] of Object.entries(params)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined) out.append(key, String(one));
    }
  }
  const text = out.toString();
  return text === '' ? '' : `?${text}`;
}

/** encodeURIComponent, but @ stays readable. */
export const segment = (text) => encodeURIComponent(text).replaceAll('%40', '@');

/**
 * One request. options: body (any JSON value), or file and its type; query, version (sent as If-Match), create (fails
 * when it is there), accept (a form that is no JSON: gives a Blob), signal. Gives the body, null when there is none; throws
 * ApiError, or AbortError.
 */
export async function request(method, path, options = {}) {
  const headers = { Accept: `${options.accept ?? 'application/json'}, application/problem+json` };
  if (options.body !== undefined) {
    headers['Content-Type'] = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  }
  if (options.file !== undefined) headers['Content-Type'] = options.type;
  if (options.version !== undefined) headers['If-Match'] = `"${options.version}"`;
  if (options.create) headers['If-None-Match'] = '*';
  if (method !== 'GET' && csrf !== null) headers['X-CSRF-Token'] = csrf;
  if (method === 'POST') headers['Idempotency-Key'] = crypto.randomUUID();

  let answer;
  try {
    answer = await fetch(BASE + path + query(options.query ?? {}), {
      method,
      headers,
      credentials: 'same-origin',
      cache: 'no-store',
      signal: options.signal,
      body: options.body === undefined ? options.file : JSON.stringify(options.body),
    });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError(0, {}, null);
  }
  const requestId = answer.headers.get('Request-Id');
  if (options.accept && answer.ok) return answer.blob();
  const text = await answer.text();
  let body = null;
  try {
    if (text !== '') body = JSON.parse(text);
  } catch {
    throw new ApiError(answer.status, { type: '/problems/internal', title: 'not JSON' }, requestId);
  }
  if (answer.ok) return body;
  const error = new ApiError(answer.status, body ?? { type: '/problems/internal' }, requestId);
  if (error.kind === 'reauthentication-required' && (await proven())) return request(method, path, options);
  if (error.status === 401 && !path.startsWith('/session')) signedOut();
  throw error;
}

/** Asks for the password again, by the dialog that the shell shows. False: the person gave up. */
function proven() {
  return new Promise((resolve) => {
    store.set({ proof: resolve });
  });
}

export const get = (path, options) => request('GET', path, options);

function signedOut() {
  csrf = null;
  store.set({ session: null, status: null });
}

function signedIn(session) {
  csrf = session.csrf_token ?? null;
  store.set({ session });
  return session;
}

/** Who am I: sets store.session. Gives null when nobody is signed in, with the server's name in hostname. */
export async function readSession() {
  try {
    return { session: signedIn(await get('/session')), hostname: null };
  } catch (error) {
    if (error.status !== 401) throw error;
    signedOut();
    return { session: null, hostname: error.problem.hostname ?? null };
  }
}

/** Gives the session, or null when a code has to follow (signInCode). */
async function firstStep(path, body) {
  const answer = await request('POST', path, { body });
  return answer.next === undefined ? signedIn(answer) : null;
}

export const signIn = (address, password) => firstStep('/session', { address, password });
export const redeemLink = (token) => firstStep('/session/link', { token });

export async function signInCode(code) {
  return signedIn(await request('POST', '/session/totp', { body: { code } }));
}

export async function prove(password, code) {
  return signedIn(await request('POST', '/session/reauth', { body: { password, code: code === '' ? null : code } }));
}

export async function signOut() {
  await request('DELETE', '/session');
  signedOut();
}
