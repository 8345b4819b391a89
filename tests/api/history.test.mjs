// Overview's chart: mail that was accepted, delivered and refused is in it, and a stop of the api process loses none.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { connect, signInto } from './mail_client.mjs';
import { bearer, endpoints, local, makeToken, makeWorld, nobody, PASSWORD, signIn } from './server.mjs';

const PATH = '/status/history';
const STEPS = { '1h': [60, 60], '24h': [300, 288], '7d': [3600, 168], '30d': [7200, 360] };
const sum = (list) => list.reduce((all, n) => all + n, 0);
const read = (range) => local.call('GET', `${PATH}?range=${range}`, PATH);
let world;

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

async function until(condition, what) {
  const end = Date.now() + 20000;
  while (!(await condition())) {
    assert.ok(Date.now() < end, `not in time: ${what}`);
    await pause(100);
  }
}

async function submit(from, recipients) {
  const session = await signInto('submission', endpoints, from, PASSWORD);
  for (const line of [`MAIL FROM:<${from}>`, ...recipients.map((to) => `RCPT TO:<${to}>`)]) assert.match(await session.say(line), /^250/, line);
  assert.match(await session.say('DATA'), /^354/);
  assert.match(await session.say(`From: <${from}>\r\nSubject: counted\r\n\r\nHello.\r\n.`), /^250/);
  session.end();
}

/** Ends the api process, which writes what was counted, and waits for the next one. */
async function flush() {
  const pidNow = () => Number(/^PIDS_API=(\d+)$/m.exec(readFileSync(`${process.env.CORREIO_HOME}/run/endpoints`, 'utf8'))?.[1]);
  const pid = pidNow();
  process.kill(pid, 'SIGTERM');
  await until(() => pidNow() !== pid && pidNow() > 0, 'another api process');
  await until(() => nobody.send('GET', '/healthz').then((answer) => answer.status === 200, () => false), 'it serves');
}

const totals = async () => {
  const { accepted, delivered, deferred, refused } = await read('24h');
  return { accepted: sum(accepted), delivered: sum(delivered), deferred: sum(deferred), refused: sum(refused) };
};

before(async () => {
  world = await makeWorld('history');
});

test('each range has its steps, and they lie on the clock', async () => {
  for (const [range, [step, points]] of Object.entries(STEPS)) {
    const history = await read(range);
    assert.deepEqual([history.range, history.step_seconds], [range, step]);
    for (const line of ['accepted', 'delivered', 'deferred', 'refused']) assert.equal(history[line].length, points, `${range} ${line}`);
    const [from, to] = [history.from, history.until].map((time) => Date.parse(time) / 1000);
    assert.equal(to - from, step * points);
    assert.equal(to % step, 0);
    assert.ok(to > Date.now() / 1000 - 120 && to <= Date.now() / 1000 + step + 1, `${range} ends at ${history.until}`);
  }
  assert.equal((await local.call('GET', PATH, PATH)).range, '24h');
});

test('what was sent is in it once, through two ends of the api process', async () => {
  await flush();
  const before = await totals();
  await submit(world.alice, [world.bob, world.far]);
  await submit(world.bob, [world.alice, world.alice.replace('@', '+twice@')]); // one mailbox
  const session = connect(endpoints.SMTP_PORT);
  await session.next();
  await session.say('HELO client.example');
  await session.say('MAIL FROM:<joe@elsewhere.example>');
  assert.match(await session.say(`RCPT TO:<nobody@${world.domain}>`), /^550/);
  session.end();
  await flush();
  await flush(); // the second time there is nothing to tell
  const grown = await totals();
  assert.deepEqual(
    { accepted: grown.accepted - before.accepted, delivered: grown.delivered - before.delivered, refused: grown.refused - before.refused },
    { accepted: 2, delivered: 3, refused: 1 },
  );
  const week = await read('7d');
  assert.equal(sum(week.accepted), grown.accepted, 'by hour it is the same');
});

test('it belongs to the whole server; bad questions are refused', async () => {
  await nobody.call('GET', PATH, PATH, { status: 401 });
  await local.call('GET', `${PATH}?range=2h`, PATH, { status: 400, type: 'invalid-parameter' });
  await local.call('GET', `${PATH}?since=1h`, PATH, { status: 400, type: 'invalid-parameter' });
  await bearer(await makeToken(['domains:read'])).call('GET', PATH, PATH, { status: 403 });
  await bearer(await makeToken(['queue:read'])).call('GET', PATH, PATH);
  const office = await signIn(world.office);
  await office.call('GET', PATH, PATH, { status: 403, type: 'insufficient-scope' });
  await (await signIn(world.alice)).call('GET', PATH, PATH, { status: 403 });
});
