// Explaining a delivery: what it says is what happens when the same message is really sent, case by case; and nothing is
// written by asking.
import assert from 'node:assert/strict';
import net from 'node:net';
import { before, test } from 'node:test';
import { bearer, endpoints, errorsOf, local, makeToken, makeWorld, nobody, PASSWORD, run, signIn } from './server.mjs';

const DELIVERY = '/explain/delivery';
const REPLY = '/explain/reply';
const CASES = 200;

let world;
let to;

/** One line of a dialogue after another over a connection; gives the last line of each answer. */
class Smtp {
  static async open(port) {
    const self = new Smtp();
    self.socket = net.connect(Number(port), '127.0.0.1');
    self.lines = (async function* read(socket) {
      let rest = '';
      for await (const chunk of socket.setEncoding('utf8')) {
        rest += chunk;
        for (let end = rest.indexOf('\r\n'); end >= 0; end = rest.indexOf('\r\n')) {
          const line = rest.slice(0, end);
          rest = rest.slice(end + 2);
          if (line[3] !== '-') yield line;
        }
      }
    })(self.socket);
    await self.say(null);
    await self.say('EHLO client.example');
    return self;
  }

  async say(text) {
    if (text !== null) this.socket.write(`${text}\r\n`);
    const { value, done } = await this.lines.next();
    assert.ok(!done, `the connection ended behind ${text}`);
    return value;
  }

  /** Sends a message and gives the answer that decides. */
  async message({ from, to: whom, size, text }) {
    await this.say('RSET');
    for (const line of [`MAIL FROM:<${from}>${size ? ` SIZE=${size}` : ''}`, `RCPT TO:<${whom}>`, 'DATA']) {
      const answer = await this.say(line);
      if (answer[0] > '3') return answer;
    }
    return this.say(`${text}\r\n.`);
  }
}

const header = (from, whom) => `From: <${from || `postmaster@${world.domain}`}>\r\nTo: <${whom}>\r\nSubject: `;
const text = (from, whom, size) => {
  const top = `${header(from, whom)}\r\n\r\n`;
  return top + 'x'.repeat(60).concat('\r\n').repeat(Math.max(0, Math.floor((size - top.length - 120) / 62)));
};

async function account(name, body = {}, filter = null) {
  const address = `${name}@${world.domain}`;
  await local.call('PUT', `/accounts/${address}`, '/accounts/{address}', { status: 201, body: { password: PASSWORD, name, ...body } });
  if (filter !== null) {
    const one = `/accounts/${address}/filters/main`;
    await local.call('PUT', one, '/accounts/{address}/filters/{name}', { status: 201, body: { script: filter } });
    await local.call('PATCH', one, '/accounts/{address}/filters/{name}', { body: { active: true }, headers: { 'If-Match': '"1"' } });
  }
  return address;
}

async function alias(name, members, more = {}) {
  const address = `${name}@${world.domain}`;
  await local.call('PUT', `/aliases/${address}`, '/aliases/{address}', { status: 201, body: { members, ...more } });
  return address;
}

before(async () => {
  world = await makeWorld('explain');
  const small = await account('small', { quota: { limit: 1 << 20 } });
  const full = await account('full', { quota: { message_limit: 1 } });
  const off = `off-${run}.example`;
  await local.call('PUT', `/domains/${off}`, '/domains/{domain}', { status: 201, body: {} });
  await local.call('PUT', `/accounts/x@${off}`, '/accounts/{address}', { status: 201, body: { password: PASSWORD } });
  await local.call('PATCH', `/domains/${off}`, '/domains/{domain}', { body: { state: 'disabled' } });
  to = {
    account: world.alice,
    'sub-address': `alice+lists@${world.domain}`,
    unknown: `nobody@${world.domain}`,
    small,
    full,
    rejects: await account('rejects', {}, 'require "reject"; reject "go away";'),
    'rejects some': await account('some', {}, 'require "ereject"; if size :over 30K { ereject "too big for me"; }'),
    files: await account('files', {}, 'require ["fileinto", "mailbox"]; fileinto :create "Lists";'),
    discards: await account('discards', {}, 'discard;'),
    'from a stranger': await account('picky', {}, `if not address :domain "from" "${world.domain}" { discard; }`),
    alias: await alias('team', [world.alice, world.bob]),
    'alias with a full member': await alias('mixed', [world.alice, full]),
    'alias of full ones': await alias('fulls', [full]),
    'alias of one who rejects': await alias('rejected', [`rejects@${world.domain}`]),
    'closed alias': await alias('closed', [world.alice], { who_may_send: 'domain' }),
    'members only': await alias('members', [world.alice, world.bob], { who_may_send: 'members' }),
    'another domain': world.far,
    'a disabled domain': `x@${off}`,
    elsewhere: `joe@remote-${run}.test`,
    postmaster: `postmaster@${world.domain}`,
  };
  const smtp = await Smtp.open(endpoints.SMTP_PORT);
  assert.match(await smtp.message({ from: '', to: full, size: 0, text: text('', full, 0) }), /^250/);
  smtp.socket.destroy();
});

const senders = () => [world.alice, world.bob, `stranger@elsewhere-${run}.test`, ''];
const SIZES = [0, 35000, 900000000];

/** How an answer begins, as both sides say it. */
const said = (reply) => (reply === null ? '250 2.0.0' : `${reply.code} ${reply.enhanced}`);

test(`what it says is what happens, at least ${CASES} times`, async () => {
  const wrong = [];
  let n = 0;
  const compare = async (signedIn, from, name, size) => {
    const whom = to[name];
    const body = { from, to: whom, size, headers: header(from, whom), ip: '127.0.0.1', ...(signedIn && { account: world.alice }) };
    const explained = await local.call('POST', DELIVERY, DELIVERY, { body });
    const smtp = await Smtp.open(signedIn ? endpoints.SUBMISSION_PORT : endpoints.SMTP_PORT);
    if (signedIn) assert.match(await smtp.say(`AUTH PLAIN ${Buffer.from(`\0${world.alice}\0${PASSWORD}`).toString('base64')}`), /^235/);
    const answer = await smtp.message({ from, to: whom, size, text: size > 1e8 ? '' : text(from, whom, size) });
    smtp.socket.destroy();
    n++;
    if (said(explained.reply) !== answer.slice(0, 9))
      wrong.push(`${signedIn ? 'alice' : 'stranger'} from <${from}> to ${name}, ${size} bytes: said ${said(explained.reply)}, happened ${answer}`);
  };
  for (const signedIn of [false, true]) {
    for (const from of senders()) {
      for (const name of Object.keys(to)) for (const size of SIZES) await compare(signedIn, from, name, size);
      await compare(signedIn, from, 'small', 1100000);
    }
  }
  assert.deepEqual(wrong, []);
  assert.ok(n >= CASES, `${n} cases`);
});

test('who gets it, and why not: recipients and steps', async () => {
  const alice = { from: world.alice, account: world.alice };
  const mixed = await local.call('POST', DELIVERY, DELIVERY, { body: { ...alice, to: to['alias with a full member'] } });
  assert.equal(mixed.result, 'accepted');
  assert.deepEqual(
    mixed.recipients.map(({ address, outcome, mailbox }) => [address, outcome, mailbox]),
    [[world.alice, 'delivered', 'INBOX'], [to.full, 'waits', 'INBOX']],
  );
  assert.deepEqual(
    mixed.steps.filter((step) => step.step === 'address').map((step) => step.key),
    ['address.alias', 'address.account', 'address.alias', 'address.account'],
  );
  const files = await local.call('POST', DELIVERY, DELIVERY, { body: { ...alice, to: to.files } });
  assert.equal(files.recipients[0].mailbox, 'Lists');
  assert.equal(files.steps.find((step) => step.step === 'filter').trial.actions[0].kind, 'fileinto');
  const discards = await local.call('POST', DELIVERY, DELIVERY, { body: { ...alice, to: to.discards } });
  assert.equal(discards.recipients[0].outcome, 'discarded');
  const unknown = await local.call('POST', DELIVERY, DELIVERY, { body: { from: '', to: to.unknown } });
  assert.deepEqual([unknown.result, unknown.reply.code], ['refused', 550]);
  assert.equal(unknown.steps.at(-1).explanation.id, 'unknown-recipient');
  const relay = await local.call('POST', DELIVERY, DELIVERY, { body: { from: 'a@b.example', to: to.elsewhere, ip: '192.0.2.1' } });
  assert.equal(relay.steps.at(-1).explanation.id, 'relaying-denied');
});

test('asking writes nothing', async () => {
  const count = async () => (await local.call('GET', `/traces?q=${encodeURIComponent(to.unknown)}`, '/traces')).data.length;
  const before = await count();
  for (let i = 0; i < 5; i++) await local.call('POST', DELIVERY, DELIVERY, { body: { from: '', to: to.unknown } });
  await new Promise((resolve) => setTimeout(resolve, 600)); // the journal of refusals writes after 250 ms
  assert.equal(await count(), before);
});

test('a remote answer is explained; what is none is refused', async () => {
  const known = await local.call('POST', REPLY, REPLY, { body: { text: 'host mx.example.net said: 550 5.1.1 <joe@example.net>: User unknown' } });
  assert.deepEqual([known.explanation.id, known.explanation.actor, known.known], ['unknown-recipient', 'you', true]);
  const unknown = await local.call('POST', REPLY, REPLY, { body: { text: '451 hm' } });
  assert.deepEqual([unknown.explanation.id, unknown.known], ['temporary', false]);
  assert.deepEqual(errorsOf(await local.call('POST', REPLY, REPLY, { status: 422, body: { text: 'hello' } })), { '/text': 'syntax' });
});

test('bad questions: all errors at once, foreign ends are 404, probing wants its scope', async () => {
  const bad = { from: 'x', to: 'y', size: -1, ip: 'zz', account: 'nobody@nowhere.example', colour: 1 };
  const errors = errorsOf(await local.call('POST', DELIVERY, DELIVERY, { status: 422, body: bad }));
  assert.deepEqual(Object.keys(errors).sort(), ['/colour', '/size']);
  const { size, colour, ...rest } = bad;
  assert.deepEqual(Object.keys(errorsOf(await local.call('POST', DELIVERY, DELIVERY, { status: 422, body: rest }))).sort(), ['/account', '/from', '/ip', '/to']);
  await nobody.call('POST', DELIVERY, DELIVERY, { status: 401, body: { from: '', to: world.alice } });
  const office = await signIn(world.office);
  await office.call('POST', DELIVERY, DELIVERY, { status: 404, body: { from: '', to: world.alice } });
  await office.call('POST', DELIVERY, DELIVERY, { status: 422, body: { from: '', to: world.far, account: world.alice } });
  assert.equal((await office.call('POST', DELIVERY, DELIVERY, { body: { from: '', to: world.far } })).result, 'accepted');
  await office.call('POST', DELIVERY, DELIVERY, { status: 403, body: { from: '', to: world.far, probe: true } });
  const reader = bearer(await makeToken(['trace:read']));
  await reader.call('POST', DELIVERY, DELIVERY, { status: 403, type: 'insufficient-scope', body: { from: '', to: world.alice, probe: true } });
});
