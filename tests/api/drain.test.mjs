// The api process is told to stop: streams end, open connections serve no new ones, and it is gone at once.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { test } from 'node:test';
import { stream } from './stream.mjs';
import { bearer, endpoints, LOOPBACK, makeToken, nobody } from './server.mjs';

const pause = () => new Promise((resolve) => { setTimeout(resolve, 20); });

async function until(condition, what) {
  const end = Date.now() + 30000;
  while (!(await condition())) {
    assert.ok(Date.now() < end, `not in time: ${what}`);
    await pause();
  }
}

const lives = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

test('a stop does not wait for event streams, nor for those that come on open connections', async () => {
  const { headers } = bearer(await makeToken(['queue:read']));
  const live = await stream(headers);
  // One connection that stays open, as a browser keeps it for its next request.
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const get = (path) => new Promise((resolve, reject) => {
    http.get({ ...LOOPBACK, path, headers, agent }, (response) => { response.resume().on('end', () => resolve(response)); }).on('error', reject);
  });
  await get('/healthz');
  const pid = Number(endpoints.PIDS_API);
  process.kill(pid, 'SIGTERM');
  await live.end();
  const late = await get('/api/v1/events?topics=queue').catch((error) => error); // answered and ended, or the process was faster
  assert.ok(late instanceof Error || (late.statusCode === 200 && late.headers.connection === 'close'), String(late.statusCode));
  await until(() => !lives(pid), 'the process ends');
  agent.destroy();

  await until(() => nobody.send('GET', '/healthz').then((answer) => answer.status === 200, () => false), 'another one serves');
  await until(() => {
    const now = /^PIDS_API=(\d+)$/m.exec(readFileSync(`${process.env.CORREIO_HOME}/run/endpoints`, 'utf8'));
    return now !== null && Number(now[1]) !== pid;
  }, 'the endpoints name it');
});
