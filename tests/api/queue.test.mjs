// The queue and the traces, with mail that waits because nobody listens at its destination.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { before, test } from 'node:test';
import { submitMail } from '../support/submit.mjs';
import { stream } from './stream.mjs';
import { bearer, endpoints, errorsOf, local, makeToken, makeWorld, PASSWORD, run, signIn } from './server.mjs';

/** SQL as the owner of the database. */
function ownerSql(sql) {
  execFileSync('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-h', `${process.env.CORREIO_HOME}/run`, '-U', 'correio_owner', '-c', sql, 'correio'], { stdio: ['ignore', 'ignore', 'inherit'] });
}

let world;
let away; // a relay domain whose host refuses connections
const M = '/queue/messages';
const ONE = '/queue/messages/{id}';

const submit = (from, to, subject) => submitMail({ port: endpoints.SUBMISSION_PORT, from, password: PASSWORD, to, subject });

/** Waits until the message has been tried and waits again. */
async function deferred(id, attempts = 1) {
  const end = Date.now() + 20000;
  for (;;) {
    const m = await local.call('GET', `/queue/messages/${id}`, ONE);
    if (m.state === 'deferred' && m.recipients.every((r) => r.state === 'deferred' && r.attempts >= attempts)) return m;
    assert.ok(Date.now() < end, `still ${m.state}`);
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
}

before(async () => {
  world = await makeWorld('queue');
  away = `away-${run}.example`;
  await local.call('PUT', `/domains/${away}`, '/domains/{domain}', { status: 201, body: { kind: 'relay', route: '[127.0.0.1]:1' } });
});

test('a message that waits: list, object, attempts, trace, each as the contract says', async () => {
  const id = await submit(world.alice, [`joe@${away}`, `ann@${away}`], `Invoice ${run} "<b>&`);
  await deferred(id);
  const m = await local.call('GET', `/queue/messages/${id}`, ONE);
  assert.deepEqual(m.recipients.map((r) => [r.id, r.address, r.state]), [['r1', `joe@${away}`, 'deferred'], ['r2', `ann@${away}`, 'deferred']]);
  assert.equal(m.recipients[0].explanation.id, 'connection-refused');
  assert.equal(m.subject, `Invoice ${run} "<b>&`);
  assert.deepEqual([m.account, m.origin.listener], [world.alice, 'submission']);
  await local.call('GET', `/queue/messages/${id}`, ONE, { status: 304, headers: { 'If-None-Match': `"${m.version}"` } });

  const { data: [row] } = await local.call('GET', `${M}?q=${id}`, M);
  assert.deepEqual([row.id, row.state, row.recipient_count, row.destination, row.account], [id, 'deferred', 2, away, world.alice]);

  const attempts = await local.call('GET', `/queue/messages/${id}/attempts`, '/queue/messages/{id}/attempts');
  assert.ok(attempts.data.length >= 2);
  assert.ok(attempts.data.every((a) => a.result === 'deferred' && a.phase === 'connect'));
  const one = await local.call('GET', `/queue/messages/${id}/attempts?recipient=r2`, '/queue/messages/{id}/attempts');
  assert.ok(one.data.every((a) => a.recipient === 'r2'));
  const paged = await local.call('GET', `/queue/messages/${id}/attempts?limit=1`, '/queue/messages/{id}/attempts');
  const rest = await local.call('GET', `/queue/messages/${id}/attempts?limit=1&cursor=${paged.next}`, '/queue/messages/{id}/attempts');
  assert.notEqual(paged.data[0].id, rest.data[0].id);

  const trace = await local.call('GET', `/traces/${id}`, '/traces/{id}');
  assert.deepEqual([trace.outcome, trace.direction, trace.in_queue], ['waiting', 'out', true]);
  assert.ok(trace.events.some((e) => e.kind === 'accepted') && trace.events.some((e) => e.kind === 'attempt'));
  const traces = await local.call('GET', `/traces?q=${encodeURIComponent(`Invoice ${run}`)}`, '/traces');
  assert.deepEqual(traces.data.map((t) => t.id), [id]);
  assert.deepEqual((await local.call('GET', `/traces?sender=${world.alice}&outcome=delivered`, '/traces')).data, []);
  assert.deepEqual((await local.call('GET', '/traces?since=-1m&until=2020-01-01T00:00:00Z', '/traces')).data, []);
});

test('filters, groups and what is refused', async () => {
  const list = async (query) => (await local.call('GET', `${M}?${query}`, M)).data;
  assert.ok((await list(`destination=${away}`)).length > 0);
  assert.deepEqual(await list(`destination=${away}&state=held`), []);
  assert.ok((await list(`sender=${world.alice}&recipient=joe@`)).length > 0);
  assert.ok((await list(`sender_domain=${world.domain}&account=${world.alice}&reason=connection-refused`)).length > 0);
  assert.deepEqual(await list(`destination=${away}&age_min=86400`), []);
  for (const group of ['destination', 'sender', 'reason']) assert.ok((await list(`group=${group}&destination=${away}`)).length > 0);
  assert.equal((await list(`group=destination&destination=${away}`))[0].key, away);
  const bad = async (query) => errorsOf(await local.call('GET', `${M}?${query}`, M, { status: 400 }));
  assert.deepEqual(await bad('group=destination&cursor=x&count=true&sort=accepted_at'), { cursor: 'syntax', count: 'syntax', sort: 'syntax' });
  assert.deepEqual(await bad('state=defered&age_min=-1'), { state: 'enum', age_min: 'type' });
  for (const id of ['q0', 'x1', '-1', '9223372036854775808', 'q' + 'z'.repeat(30)]) await local.call('GET', `/queue/messages/${id}`, ONE, { status: 404 });
});

test('hold, release, retry and delete by ids', async () => {
  const id = await submit(world.alice, [`hold@${away}`], 'hold me');
  await deferred(id);
  const act = (action, more = {}) => local.call('POST', '/queue/actions', '/queue/actions', { body: { action, select: { ids: [id, 'q1zzz', 'strange'] }, ...more } });
  const held = await act('hold', { reason: 'look at it' });
  assert.deepEqual([held.matched, held.changed, held.skipped_count], [1, 1, 2]);
  assert.deepEqual(held.skipped.map((s) => s.type), ['/problems/not-found', '/problems/not-found']);
  const m = await local.call('GET', `/queue/messages/${id}`, ONE);
  assert.deepEqual([m.state, m.hold.by, m.hold.reason], ['held', 'local', 'look at it']);
  assert.equal((await act('retry')).changed, 0);
  const now = await local.call('GET', `/queue/messages/${id}`, ONE);
  await local.call('DELETE', `/queue/messages/${id}`, ONE, { status: 412, headers: { 'If-Match': `"${now.version + 1}"` } });
  const deleted = await local.call('DELETE', `/queue/messages/${id}`, ONE, { headers: { 'If-Match': `"${now.version}"` } });
  assert.ok(deleted.undo.id);
  assert.equal((await local.call('GET', `/queue/messages/${id}`, ONE)).state, 'removing');
  const again = await local.call('DELETE', `/queue/messages/${id}`, ONE);
  assert.deepEqual([again.changed, again.undo], [0, null]);
  const trace = await local.call('GET', `/traces/${id}`, '/traces/{id}');
  assert.deepEqual([trace.outcome, trace.in_queue], ['waiting', true]);
  assert.ok(trace.events.some((e) => e.kind === 'held' && e.by === 'local' && e.reason === 'look at it'));
  assert.ok(trace.events.some((e) => e.kind === 'deleting' && e.by === 'local'));
});

test('a held message waits until it is released', async () => {
  const id = await submit(world.alice, [`release@${away}`], 'release me');
  await deferred(id);
  const act = async (action) => (await local.call('POST', '/queue/actions', '/queue/actions', { body: { action, select: { ids: [id] } } })).changed;
  assert.equal(await act('hold'), 1);
  assert.equal(await act('release'), 1);
  assert.equal(await act('release'), 0);
  assert.equal((await local.call('GET', `/queue/messages/${id}`, ONE)).hold, null);
});

test('by filter nothing happens that was not seen', async () => {
  const destination = `many-${run}.example`;
  await local.call('PUT', `/domains/${destination}`, '/domains/{domain}', { status: 201, body: { kind: 'relay', route: '[127.0.0.1]:1' } });
  for (let i = 0; i < 3; i++) await deferred(await submit(world.bob, [`x${i}@${destination}`], `many ${i}`));
  const select = { filter: { destination: [destination] } };
  const problem = await local.call('POST', '/queue/actions', '/queue/actions', { status: 409, type: 'selection-changed', body: { action: 'hold', select, max: 2 } });
  assert.equal(problem.matched, 3);
  assert.equal((await local.call('POST', '/queue/actions', '/queue/actions', { body: { action: 'hold', select, max: 3 } })).changed, 3);
  assert.equal((await local.call('POST', '/queue/actions', '/queue/actions', { body: { action: 'delete', select, max: 3 } })).changed, 3);
  assert.deepEqual((await local.call('GET', `${M}?destination=${destination}`, M)).data.map((m) => m.state), Array(3).fill('removing'));
});

test('what was done is taken back within a minute, once, and by whom it may be', async () => {
  const U = '/queue/undo';
  const id = await submit(world.alice, [`undo@${away}`], 'undo me');
  const before = await deferred(id);
  const act = (action) => local.call('POST', '/queue/actions', '/queue/actions', { body: { action, select: { ids: [id] } } });
  for (const action of ['hold', 'bounce', 'delete']) {
    const { undo } = await act(action);
    const [latest] = (await local.call('GET', U, U)).data;
    assert.deepEqual([latest.id, latest.action, latest.by, latest.changed], [undo.id, action, 'local', 1]);
    assert.deepEqual(await local.call('POST', U, U, { body: { undo: undo.id } }), { restored: 1, skipped: 0 });
    const now = await local.call('GET', `/queue/messages/${id}`, ONE);
    assert.deepEqual([now.state, now.recipients[0].next_attempt_at], [before.state, before.recipients[0].next_attempt_at]);
    await local.call('POST', U, U, { status: 409, type: 'undo-expired', body: { undo: undo.id } });
  }
  const trace = await local.call('GET', `/traces/${id}`, '/traces/{id}');
  assert.deepEqual(trace.events.map((e) => e.kind).filter((kind) => !['accepted', 'attempt'].includes(kind)), ['held', 'undone', 'returning', 'undone', 'deleting', 'undone']);
  const { undo } = await act('hold');
  const office = await signIn(world.office);
  assert.deepEqual((await office.call('GET', U, U)).data, []);
  await office.call('POST', U, U, { status: 409, type: 'undo-expired', body: { undo: undo.id } });
  for (const wrong of ['uzz', 'q1', '-1', 'uzzzzzzzzzzzzzzzzzzzz']) await local.call('POST', U, U, { status: 409, body: { undo: wrong } });
  assert.deepEqual(errorsOf(await local.call('POST', U, U, { status: 422, body: { und: 1 } })), { '/undo': 'required', '/und': 'unknown-field' });
});

test('another time, another way, and back; one message by PATCH', async () => {
  const id = await submit(world.alice, [`way@${away}`], 'another way');
  await deferred(id);
  const act = (body) => local.call('POST', '/queue/actions', '/queue/actions', { body: { select: { ids: [id] }, ...body } });
  const show = () => local.call('GET', `/queue/messages/${id}`, ONE);
  const before = await show();
  assert.deepEqual([before.priority, before.route], [1, null]);
  const { undo } = await act({ action: 'reschedule', at: '+2h' });
  assert.ok(Math.abs(new Date((await show()).next_attempt_at) - Date.now() - 7200e3) < 60e3);
  await local.call('POST', '/queue/undo', '/queue/undo', { body: { undo: undo.id } });
  assert.equal((await show()).next_attempt_at, before.next_attempt_at);

  await act({ action: 'reroute', route: '[127.0.0.1]:2' });
  const routed = await deferred(id, before.recipients[0].attempts + 1);
  assert.deepEqual([routed.route, routed.recipients[0].destination], ['[127.0.0.1]:2', '[127.0.0.1]:2']);
  const { data: [attempt] } = await local.call('GET', `/queue/messages/${id}/attempts?limit=1`, '/queue/messages/{id}/attempts');
  assert.equal(attempt.mx, '127.0.0.1');
  await act({ action: 'reroute', route: null });
  assert.deepEqual([(await show()).route, (await show()).recipients[0].destination], [null, away]);

  await deferred(id);
  const at = new Date(Date.now() + 3600e3).toISOString();
  const patch = (body, options = {}) => local.call('PATCH', `/queue/messages/${id}`, ONE, { body, ...options });
  await patch({ priority: 1 }, { status: 412, headers: { 'If-Match': '"1000000"' } });
  const now = await patch({ next_attempt_at: at, expires_at: '+3d', priority: -1, route: 'mx.example:26' });
  assert.deepEqual([now.next_attempt_at, now.priority, now.route], [at, -1, 'mx.example:26']);
  assert.ok(Math.abs(new Date(now.expires_at) - Date.now() - 3 * 86400e3) < 60e3);
  assert.equal((await patch(await show())).priority, -1, 'it may be sent back as it was');
  await patch({ route: null, next_attempt_at: '+1h' });
  const trace = await local.call('GET', `/traces/${id}`, '/traces/{id}');
  for (const [kind, to] of [['rescheduled', at], ['rerouted', 'mx.example:26'], ['rerouted', '[127.0.0.1]:2'], ['rerouted', null]])
    assert.ok(trace.events.some((e) => e.kind === kind && e.to === to && e.by === 'local'), `${kind} ${to}`);
  assert.ok(trace.events.some((e) => e.kind === 'changed' && /priority=-1/.test(e.to)));

  const refused = async (body) => errorsOf(await act2({ select: { ids: [id] }, ...body }));
  const act2 = (body) => local.call('POST', '/queue/actions', '/queue/actions', { status: 422, body });
  assert.deepEqual(await refused({ action: 'reschedule' }), { '/at': 'required' });
  assert.deepEqual(await refused({ action: 'reschedule', at: 'soon' }), { '/at': 'syntax' });
  assert.deepEqual(await refused({ action: 'reschedule', at: '2020-01-01T00:00:00Z' }), { '/at': 'minimum' });
  assert.deepEqual(await refused({ action: 'reschedule', at: '+40d' }), { '/at': 'syntax' });
  assert.deepEqual(await refused({ action: 'reroute', route: '[x]:1,user=a,password-file=/etc/shadow', at: '+1h' }), { '/route': 'syntax', '/at': 'syntax' });
  assert.deepEqual(await refused({ action: 'retry', route: null }), { '/route': 'syntax' });
  assert.deepEqual(errorsOf(await patch({ priority: 2, subject: 'x', prio: 1 }, { status: 422 })), { '/priority': 'maximum', '/subject': 'read-only', '/prio': 'unknown-field' });
  assert.deepEqual(errorsOf(await patch({ expires_at: '2020-01-01T00:00:00Z', route: 'a b' }, { status: 422 })), { '/expires_at': 'minimum', '/route': 'syntax' });
  await local.call('PATCH', '/queue/messages/q1zzz', ONE, { status: 404, body: { priority: 1 } });
  const office = await signIn(world.office);
  await office.call('PATCH', `/queue/messages/${id}`, ONE, { status: 404, body: { priority: 1 } });
  const mine = await submit(world.far, [`way@${away}`], 'mine');
  await deferred(mine);
  const own = (body, status) => office.call('POST', '/queue/actions', '/queue/actions', { status, body: { select: { ids: [mine] }, ...body } });
  await own({ action: 'reroute', route: '[127.0.0.1]:2' }, 403);
  await office.call('PATCH', `/queue/messages/${mine}`, ONE, { status: 403, body: { route: '[127.0.0.1]:2' } });
  await own({ action: 'reschedule', at: '+1h' }, 200);
  await office.call('PATCH', `/queue/messages/${mine}`, ONE, { body: { priority: 0 } });
  await local.call('DELETE', `/queue/messages/${mine}`, ONE);
});

test('a destination is paused, nothing is tried there, and resumed', async () => {
  const D = '/queue/destinations';
  const one = `${D}/{name}`;
  const name = `pause-${run}.example`;
  await local.call('PUT', `/domains/${name}`, '/domains/{domain}', { status: 201, body: { kind: 'relay', route: '[127.0.0.1]:1' } });
  await local.call('GET', `${D}/${name}`, one, { status: 404 });
  const paused = await local.call('PATCH', `${D}/${name.toUpperCase()}`, one, { body: { paused: { until: null, reason: 'moving house' } } });
  assert.deepEqual([paused.name, paused.state, paused.paused.until, paused.paused.by, paused.paused.reason], [name, 'paused', null, 'local', 'moving house']);
  const id = await submit(world.alice, [`x@${name}`], 'paused');
  await new Promise((resolve) => { setTimeout(resolve, 2500); });
  assert.equal((await local.call('GET', `/queue/messages/${id}`, ONE)).recipients[0].attempts, 0);
  assert.deepEqual((await local.call('GET', `${D}?paused=true&q=pause-${run}`, D)).data.map((d) => [d.name, d.waiting]), [[name, 1]]);
  const now = await local.call('GET', `${D}/${name}`, one);
  await local.call('PATCH', `${D}/${name}`, one, { status: 412, body: { paused: null }, headers: { 'If-Match': `"${now.version + 1}"` } });
  const limited = await local.call('PATCH', `${D}/${name}`, one, { body: { max_in_flight: 2 }, headers: { 'If-Match': `"${now.version}"` } });
  assert.deepEqual([limited.max_in_flight, limited.paused.reason], [2, 'moving house']);
  assert.equal((await local.call('PATCH', `${D}/${name}`, one, { body: { ...limited, paused: null } })).paused, null);
  await deferred(id);
  assert.equal((await local.call('GET', `${D}/${name}`, one)).state, 'failing');
  await local.call('PATCH', `${D}/${name}`, one, { body: { max_in_flight: 20, paused: { until: '+1h' } } });
  assert.deepEqual(errorsOf(await local.call('PATCH', `${D}/${name}`, one, { status: 422, body: { max_in_flight: 0, waiting: 7, pause: 1, paused: { until: 'x', why: 1 } } })), { '/max_in_flight': 'minimum', '/waiting': 'read-only', '/pause': 'unknown-field', '/paused/why': 'unknown-field' });
  for (const wrong of ['not%20a%20name', 'a..b', '.return', '-x.example', 'x:1,tls=none']) await local.call('PATCH', `${D}/${wrong}`, one, { status: 404, body: { max_in_flight: 3 } });
  await local.call('PATCH', `${D}/${encodeURIComponent('[127.0.0.1]:77')}`, one, { body: { max_in_flight: 3 } });
  const office = await signIn(world.office);
  await office.call('GET', D, D, { status: 403 });
  await office.call('GET', `${D}/${name}`, one, { status: 403 });
  await office.call('PATCH', `${D}/${name}`, one, { status: 403, body: { paused: null } });
});

test('rules hold new mail of a sender, of a domain, for a destination, as long as they are in force', async () => {
  const H = '/queue/holds';
  const made = [];
  const add = async (body) => {
    const rule = await local.call('POST', H, H, { status: 201, body });
    assert.equal(local.last.headers.location, `/api/v1${H}/${rule.id}`);
    made.push(rule.id);
    return rule;
  };
  const stateOf = async (from, to) => (await local.call('GET', `/queue/messages/${await submit(from, [to], 'rule')}`, ONE));
  await add({ sender: world.alice.toUpperCase(), reason: 'looks stolen' });
  const held = await stateOf(world.alice, `x@${away}`);
  assert.deepEqual([held.state, held.hold.by, held.hold.reason], ['held', 'local', 'looks stolen']);
  assert.notEqual((await stateOf(world.bob, `x@${away}`)).state, 'held');
  await add({ sender_domain: world.other });
  assert.equal((await stateOf(world.far, `x@${away}`)).state, 'held');
  const there = `rule-${run}.example`;
  await local.call('PUT', `/domains/${there}`, '/domains/{domain}', { status: 201, body: { kind: 'relay', route: '[127.0.0.1]:1' } });
  const rule = await add({ destination: there, until: '+1h' });
  assert.ok(new Date(rule.until) > Date.now());
  const both = await local.call('GET', `/queue/messages/${await submit(world.bob, [`x@${there}`, `y@${away}`], 'both')}`, ONE);
  assert.deepEqual(both.recipients.map((r) => r.state === 'held'), [true, false]);

  const office = await signIn(world.office);
  assert.deepEqual((await office.call('GET', H, H)).data.map((one) => one.sender_domain), [world.other]);
  await office.call('GET', `${H}/${made[0]}`, `${H}/{id}`, { status: 404 });
  await office.call('DELETE', `${H}/${made[0]}`, `${H}/{id}`, { status: 404 });
  await office.call('POST', H, H, { status: 403, body: { destination: there } });
  assert.deepEqual(errorsOf(await office.call('POST', H, H, { status: 422, body: { sender: world.alice } })), { '/sender': 'unknown-domain' });
  const bad = async (body) => errorsOf(await local.call('POST', H, H, { status: 422, body }));
  assert.deepEqual(await bad({}), { '': 'either-or' });
  assert.deepEqual(await bad({ sender: 'x', sender_domain: 'a..b', until: 'later', why: 1 }), { '/why': 'unknown-field' });
  assert.deepEqual(await bad({ sender: 'x', sender_domain: 'a..b', until: 'later' }), { '': 'either-or', '/sender': 'syntax', '/sender_domain': 'syntax', '/until': 'syntax' });

  for (const id of made) {
    await local.call('GET', `${H}/${id}`, `${H}/{id}`);
    await local.call('DELETE', `${H}/${id}`, `${H}/{id}`, { status: 204 });
    await local.call('DELETE', `${H}/${id}`, `${H}/{id}`, { status: 404 });
  }
  assert.notEqual((await stateOf(world.alice, `x@${away}`)).state, 'held');
});

test('the schedule: three settings as one, with the times that come of them', async () => {
  const S = '/queue/schedule';
  const before = await local.call('GET', S, S);
  assert.deepEqual(before.attempt_seconds.slice(0, 4), [0, 60, 360, 1260]);
  await local.call('PUT', S, S, { status: 428, body: before });
  await local.call('PUT', S, S, { status: 412, body: before, headers: { 'If-Match': '"1"' } });
  const put = (body, version, options = {}) => local.call('PUT', S, S, { body, headers: { 'If-Match': `"${version}"` }, ...options });
  assert.equal((await put(before, before.version)).version, before.version);
  const wanted = { retry_schedule: '1m 10m 10m 1h', expire: '1d', delay_notice: '0s' };
  const after = await put(wanted, before.version);
  assert.deepEqual([after.attempt_seconds.slice(0, 5), after.delay_notice_seconds, after.expire_seconds], [[0, 60, 660, 1260, 4860], null, 86400]);
  assert.equal(after.attempt_seconds.at(-1), 86400);
  assert.equal((await local.call('GET', '/settings/queue.expire', '/settings/{key}')).value, '1d');
  await put(wanted, before.version, { status: 412 });
  assert.deepEqual(errorsOf(await put({ retry_schedule: '1x', expire: '1s', delay_notice: '40d', attempts: 1 }, after.version, { status: 422 })), { '/attempts': 'read-only' });
  assert.deepEqual(errorsOf(await put({ retry_schedule: '1x', expire: '1s', delay_notice: '40d' }, after.version, { status: 422 })), { '/retry_schedule': 'syntax', '/expire': 'syntax', '/delay_notice': 'syntax' });
  const office = await signIn(world.office);
  await office.call('GET', S, S, { status: 403 });
  const { retry_schedule, expire, delay_notice } = before;
  await put({ retry_schedule, expire, delay_notice }, after.version);
});

test('operations: what is none is not found', async () => {
  const O = '/operations/{id}';
  for (const id of ['ozzzz', 'q1', '-1']) {
    await local.call('GET', `/operations/${id}`, O, { status: 404 });
    await local.call('DELETE', `/operations/${id}`, O, { status: 404 });
  }
});

test('actions: what is refused', async () => {
  const post = async (body) => errorsOf(await local.call('POST', '/queue/actions', '/queue/actions', { status: 422, body }));
  assert.deepEqual(await post({}), { '/action': 'required', '/select': 'required' });
  assert.deepEqual(await post({ action: 'explode', select: {} }), { '/action': 'enum', '/select': 'required', '/max': 'required' });
  assert.deepEqual(await post({ action: 'retry', select: { filter: {} }, max: 1 }), { '/select/filter': 'required' });
  assert.deepEqual(await post({ action: 'retry', select: { filter: { state: ['defered'], stat: 1 } }, max: 1 }), { '/select/filter/state/0': 'enum', '/select/filter/stat': 'unknown-field' });
  assert.deepEqual(await post({ action: 'retry', select: { all: true } }), { '/max': 'required' });
  assert.deepEqual(await post({ action: 'retry', select: { all: false }, max: 1 }), { '/select/all': 'enum' });
  assert.deepEqual(await post({ action: 'retry', select: { ids: ['q1'] }, max: 1 }), { '/max': 'syntax' });
  assert.deepEqual(await post({ action: 'retry', select: { ids: ['q1'], all: true } }), { '/select': 'syntax' });
  assert.deepEqual(await post({ action: 'hold', select: { ids: ['q1'] }, reason: 'a\r\nb' }), { '/reason': 'syntax' });
});

test('a domain administrator sees and touches only mail of the own domain', async () => {
  const [mine, theirs] = [await submit(world.far, [`mine@${away}`], 'mine'), await submit(world.alice, [`theirs@${away}`], 'theirs')];
  for (const id of [mine, theirs]) await deferred(id);
  const office = await signIn(world.office);
  const seen = (await office.call('GET', `${M}?state=deferred`, M)).data.map((m) => m.id);
  assert.deepEqual(seen, [mine]);
  await office.call('GET', `/queue/messages/${theirs}`, ONE, { status: 404 });
  await office.call('GET', `/queue/messages/${theirs}/attempts`, '/queue/messages/{id}/attempts', { status: 404 });
  await office.call('GET', `/traces/${theirs}`, '/traces/{id}', { status: 404 });
  await office.call('DELETE', `/queue/messages/${theirs}`, ONE, { status: 404 });
  const answer = await office.call('POST', '/queue/actions', '/queue/actions', { body: { action: 'hold', select: { ids: [theirs] } } });
  assert.deepEqual([answer.matched, answer.changed], [0, 0]);
  await office.call('POST', '/queue/actions', '/queue/actions', { body: { action: 'hold', select: { filter: { state: ['deferred'] } }, max: 1 } });
  assert.equal((await local.call('GET', `/queue/messages/${mine}`, ONE)).state, 'held');
  assert.equal((await local.call('GET', `/queue/messages/${theirs}`, ONE)).state, 'deferred');
  const status = await office.call('GET', '/status', '/status');
  assert.ok(status.queue.held >= 1);
  assert.deepEqual([status.queue.waiting, status.database], [0, undefined]);
});

test('the status counts, and a token for queue:read may see it', async () => {
  const client = bearer(await makeToken(['queue:read']));
  const status = await client.call('GET', '/status', '/status');
  assert.ok(status.queue.messages >= 1);
  assert.ok(['durable', 'unsafe'].includes(status.database.state));
  assert.equal(status.series.deferred.length, 60);
});

test('events: a message that comes, is held and goes is told to those who may see it', async () => {
  const [admin, office] = [await signIn(world.admin), await signIn(world.office)];
  const [all, narrow] = [await stream(admin.headers, 'topics=queue'), await stream(office.headers, 'topics=queue')];
  const told = (s, id, state) => s.wait((e) => e.event === 'queue.changed' && e.data === JSON.stringify({ id, state }));
  const theirs = await submit(world.alice, [`event@${away}`], 'event');
  await told(all, theirs, 'deferred');
  const mine = await submit(world.far, [`event@${away}`], 'event');
  const first = await told(narrow, mine, 'deferred');
  await told(all, mine, 'deferred');
  for (const id of [theirs, mine]) {
    for (const action of ['hold', 'delete']) {
      await local.call('POST', '/queue/actions', '/queue/actions', { body: { action, select: { ids: [id] } } });
      await told(all, id, action === 'hold' ? 'held' : 'removing');
    }
  }
  await told(narrow, mine, 'removing');
  assert.ok(narrow.events.every((e) => !e.data?.includes(theirs)), 'nothing of another domain');
  narrow.close();
  const again = await stream(office.headers, 'topics=queue', { 'Last-Event-ID': first.id });
  await told(again, mine, 'removing');
  again.close();
  all.close();
});

test('events: traces, also of what never was in the queue, for those who may see them', async () => {
  const [admin, office] = [await signIn(world.admin), await signIn(world.office)];
  const [all, narrow] = [await stream(admin.headers, 'topics=trace'), await stream(office.headers, 'topics=trace')];
  const told = (s, id, outcome) => s.wait((e) => e.event === 'trace.changed' && e.data === JSON.stringify({ id, outcome }));
  const waits = await submit(world.alice, [`trace@${away}`], 'trace');
  await told(all, waits, 'waiting');
  const here = await submit(world.alice, [world.bob], 'delivered at once');
  await told(all, here, 'delivered');
  const theirs = await submit(world.alice, [world.far], 'delivered to the other domain');
  const first = await told(narrow, theirs, 'delivered');
  await told(all, theirs, 'delivered');
  await local.call('POST', '/queue/actions', '/queue/actions', { body: { action: 'hold', select: { ids: [waits] } } });
  const sent = await submit(world.far, [`trace@${away}`], 'from the other domain');
  await told(narrow, sent, 'waiting');
  assert.ok(narrow.events.every((e) => !e.data?.includes(waits) && !e.data?.includes(here)), 'nothing of another domain');
  assert.ok(all.events.every((e) => e.event === undefined || e.event === 'trace.changed'), 'nothing of another topic');
  narrow.close();
  const again = await stream(office.headers, 'topics=trace', { 'Last-Event-ID': first.id });
  await told(again, sent, 'waiting');
  assert.ok(again.events.every((e) => !e.data?.includes(waits)));
  for (const s of [again, all]) {
    s.close();
    await s.end();
  }
  for (let i = 0; i < 20; i++) { /* who left is noticed at the next write */
    const alone = await stream(admin.headers, 'topics=trace', { 'Last-Event-ID': first.id });
    const reset = await alone.wait((e) => e.event === 'reset' || e.event === 'trace.changed');
    alone.close();
    await alone.end();
    if (reset.event === 'reset') return;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  assert.fail('nobody listened meanwhile, so nobody knows what was missed');
});

test('events: too many at a time are one reset of their topic', async () => {
  const admin = await signIn(world.admin);
  const [traces, queue] = [await stream(admin.headers, 'topics=trace'), await stream(admin.headers, 'topics=queue')];
  ownerSql("SELECT pg_notify('traced', '')"); /* as a batch says it whose ids find no place */
  await traces.wait((e) => e.event === 'reset');
  const id = await submit(world.alice, [`after@${away}`], 'after the burst');
  await queue.wait((e) => e.event === 'queue.changed' && JSON.parse(e.data).id === id);
  assert.ok(queue.events.every((e) => e.event !== 'reset'), 'the queue has nothing to do with it');
  ownerSql(`SELECT pg_notify('traced', (SELECT string_agg(n::text, ',') FROM generate_series(1, 51) n))`);
  await traces.wait(() => traces.events.filter((e) => e.event === 'reset').length === 2);
  ownerSql("SELECT pg_notify('queue_changed', 'x,,-1,99999999999999999999999,')"); /* nothing in it is an id */
  ownerSql("SELECT pg_notify('queue_changed', '')");
  await queue.wait((e) => e.event === 'reset');
  await traces.wait(() => traces.events.filter((e) => e.event === 'reset').length === 3);
  for (const s of [traces, queue]) s.close();
});

test('events: one caller has six streams; the seventh ends the oldest, and one that was left does not count', async () => {
  const { headers } = bearer(await makeToken(['queue:read']));
  const streams = [];
  for (let i = 0; i < 7; i++) streams.push(await stream(headers, 'topics=queue'));
  assert.deepEqual(streams.map((s) => s.status), Array(7).fill(200));
  await streams[0].end();
  for (const left of streams.slice(1, 4)) {
    left.close();
    await left.end();
  }
  for (let i = 0; i < 3; i++) streams.push(await stream(headers, 'topics=queue'));
  const live = streams.slice(4);
  const id = await submit(world.alice, [`stream@${away}`], 'stream');
  for (const s of live) await s.wait((e) => e.event === 'queue.changed' && JSON.parse(e.data).id === id);
  for (const s of live) s.close();
});

/** The account's sessions are as if it had proven who it is an hour ago. */
function forgetProof(address) {
  ownerSql(`UPDATE session SET authenticated_at = now() - interval '1 hour' WHERE account_id = (SELECT id FROM account WHERE address = '${address}')`);
}

const SOURCE = '/queue/messages/{id}/source';
const RECIPIENTS = '/queue/messages/{id}/recipients';

/** Resident bytes of the api process. */
function memoryOfApi() {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${endpoints.PIDS_API.split(',')[0]}/status`, 'utf8'))[1]) * 1024;
}

/** Begins a request whose answer is not read further than a first buffer; quit: it is given up at once. */
function begin(path, quit = false) {
  return new Promise((resolve, reject) => {
    const request = http.get({ socketPath: endpoints.API_SOCKET, path, agent: false }, (response) => {
      response.pause();
      if (quit) request.destroy();
      resolve({ status: response.statusCode, close: () => request.destroy() });
    });
    request.on('error', (error) => (error.code === 'ECONNRESET' ? null : reject(error)));
  });
}

test('recipients: paged, by state, one alone, and not those of another domain', async () => {
  const id = await submit(world.alice, [1, 2, 3, 4, 5].map((n) => `r${n}@${away}`), 'recipients');
  const m = await deferred(id);
  const whole = await local.call('GET', `/queue/messages/${id}/recipients`, RECIPIENTS);
  assert.deepEqual(whole, { data: m.recipients, next: null });
  const first = await local.call('GET', `/queue/messages/${id}/recipients?limit=2`, RECIPIENTS);
  const rest = await local.call('GET', `/queue/messages/${id}/recipients?limit=3&cursor=${first.next}`, RECIPIENTS);
  assert.deepEqual([...first.data, ...rest.data].map((r) => r.id), ['r1', 'r2', 'r3', 'r4', 'r5']);
  assert.equal(rest.next, null);
  assert.equal((await local.call('GET', `/queue/messages/${id}/recipients?state=deferred&state=held&limit=5`, RECIPIENTS)).data.length, 5);
  assert.deepEqual(await local.call('GET', `/queue/messages/${id}/recipients?state=held`, RECIPIENTS), { data: [], next: null });
  await local.call('GET', `/queue/messages/${id}/recipients?state=lost`, RECIPIENTS, { status: 400 });
  await local.call('GET', `/queue/messages/${id}/recipients?cursor=${first.next}x`, RECIPIENTS, { status: 400, type: 'invalid-cursor' });
  const one = await local.call('GET', `/queue/messages/${id}/recipients/r3`, `${RECIPIENTS}/{recipient}`);
  assert.deepEqual(one, m.recipients[2]);
  for (const none of ['r6', 'r0', 'r', '3', 'r-1', 'r99999999999999999999']) {
    await local.call('GET', `/queue/messages/${id}/recipients/${none}`, `${RECIPIENTS}/{recipient}`, { status: 404 });
  }
  const office = await signIn(world.office);
  await office.call('GET', `/queue/messages/${id}/recipients`, RECIPIENTS, { status: 404 });
  await office.call('GET', `/queue/messages/${id}/recipients/r1`, `${RECIPIENTS}/{recipient}`, { status: 404 });
});

test('source: the header for who sees the queue, the whole for a reason that is written down', async () => {
  const id = await submit(world.alice, [`source@${away}`], `Source ${run}`);
  const office = await signIn(world.office);
  const admin = await signIn(world.admin);
  const path = `/queue/messages/${id}/source`;
  const reads = bearer(await makeToken(['queue:read']));
  await reads.call('GET', `${path}?part=headers`, SOURCE);
  const header = reads.last;
  assert.equal(header.headers['content-type'], 'message/rfc822');
  assert.equal(header.headers['content-disposition'], `attachment; filename="${id}.eml"`);
  assert.match(header.headers['content-security-policy'], /^sandbox; default-src 'none'$/);
  assert.match(header.text, new RegExp(`Subject: Source ${run}\r\n`));
  assert.ok(header.text.endsWith('\r\n\r\n'), 'with the empty line');
  assert.equal(Number(header.headers['content-length']), header.bytes.length);

  await reads.call('GET', `${path}?reason=curious`, SOURCE, { status: 403, type: 'insufficient-scope' });
  await office.call('GET', `${path}?part=headers`, SOURCE, { status: 404 });
  await office.call('GET', `${path}?reason=curious`, SOURCE, { status: 403, type: 'insufficient-scope' });
  assert.deepEqual(errorsOf(await admin.call('GET', path, SOURCE, { status: 400 })), { reason: 'required' });
  await admin.call('GET', `${path}?reason=`, SOURCE, { status: 400 });
  await admin.call('GET', `${path}?reason=${'x'.repeat(201)}`, SOURCE, { status: 400 });
  await admin.call('GET', `${path}?part=body`, SOURCE, { status: 400 });
  await admin.call('GET', '/queue/messages/q1zzz/source?reason=why', SOURCE, { status: 404 });
  await local.call('GET', '/queue/messages/nonsense/source?part=headers', SOURCE, { status: 404 });
  const object = `/audit?object=${id}&action=message.read`;
  assert.deepEqual((await local.call('GET', object, '/audit')).data, [], 'what was refused, and the header, are no reading');

  await admin.call('GET', `${path}?reason=${encodeURIComponent('abuse case 12')}`, SOURCE);
  const m = await local.call('GET', `/queue/messages/${id}`, ONE);
  assert.equal(admin.last.bytes.length, m.size);
  assert.ok(admin.last.text.startsWith(header.text) && admin.last.bytes.length > header.bytes.length);
  const [row] = (await local.call('GET', object, '/audit')).data;
  assert.deepEqual([row.actor.name, row.after, row.objects], [world.admin, { reason: 'abuse case 12' }, [id]]);

  const content = bearer(await makeToken(['queue:read', 'mail:content'], { domains: [world.other] }));
  await content.call('GET', `${path}?reason=x`, SOURCE, { status: 404 });
  const blind = bearer(await makeToken(['mail:content']));
  await blind.call('GET', `${path}?reason=x`, SOURCE, { status: 403, type: 'insufficient-scope' });
});

test('source: who proved long ago who he is proves it again', async () => {
  const id = await submit(world.alice, [`stale@${away}`], 'stale');
  const admin = await signIn(world.admin);
  await forgetProof(world.admin);
  await admin.call('GET', `/queue/messages/${id}/source?part=headers`, SOURCE);
  await admin.call('GET', `/queue/messages/${id}/source?reason=x`, SOURCE, { status: 403, type: 'reauthentication-required' });
  await admin.call('POST', '/session/reauth', '/session/reauth', { body: { password: PASSWORD, code: null } });
  admin.headers.Cookie = admin.last.headers['set-cookie'][0].split(';')[0];
  await admin.call('GET', `/queue/messages/${id}/source?reason=x`, SOURCE);
});

test('source: a large one comes in pieces, to many at once, and the server does not grow by it', async () => {
  const size = 20 << 20;
  const id = await submitMail({ port: endpoints.SUBMISSION_PORT, from: world.alice, password: PASSWORD, to: [`large@${away}`], subject: 'large', text: 'x'.repeat(76).concat('\r\n').repeat(size / 78) });
  const path = `/api/v1/queue/messages/${id}/source?reason=large`;
  const before = memoryOfApi();
  const got = await Promise.all(Array.from({ length: 4 }, () => local.send('GET', path)));
  const { size: stored } = await local.call('GET', `/queue/messages/${id}`, ONE);
  assert.ok(stored > size - 100);
  for (const one of got) {
    assert.equal(one.status, 200);
    assert.equal(one.bytes.length, stored);
    assert.ok(one.bytes.equals(got[0].bytes));
  }
  assert.ok(memoryOfApi() - before < 30 << 20, `${memoryOfApi() - before} bytes more`);
  const slow = [];
  for (let i = 0; i < 17; i++) slow.push(await begin(path));
  assert.deepEqual(slow.map((one) => one.status), [...Array(16).fill(200), 429]);
  for (const one of slow) one.close();
  const end = Date.now() + 30000;
  while ((await begin(path, true)).status !== 200) assert.ok(Date.now() < end, 'those who left give their place back');
});
