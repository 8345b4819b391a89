// correioctl: each verb over the socket and over URL + token, --json against the contract, exit codes, both languages.
// CORREIOCTL names the program; default: the one installed in the home.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { submitMail } from '../support/submit.mjs';
import { endpoints, local, makeToken, PASSWORD, run } from './server.mjs';

const PROGRAM = process.env.CORREIOCTL ?? `${process.env.CORREIO_HOME}/bin/correioctl`;
const dir = mkdtempSync(join(tmpdir(), 'ctl-'));
const domain = `ctl-${run}.example`;
let remote; // options of URL and token

/** Runs it; gives {status, out, err}. */
function ctl(args, { input = '', env = {} } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(PROGRAM, args, { env: { PATH: process.env.PATH, CORREIO_HOME: process.env.CORREIO_HOME, LANG: 'C', ...env }, detached: true });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk) => { out += chunk; });
    child.stderr.on('data', (chunk) => { err += chunk; });
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, out, err }));
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

/** Runs it, wants this exit status, gives standard output. */
async function ok(args, options = {}) {
  const { status, out, err } = await ctl(args, options);
  assert.equal(status, options.status ?? 0, `${args.join(' ')}: ${out}${err}`);
  return out;
}
const lines = (out) => out.split('\n').filter((line) => line !== '');
const jsonLines = (out) => lines(out).map((line) => JSON.parse(line));

before(async () => {
  const file = join(dir, 'token');
  writeFileSync(file, `${await makeToken(['domains:write', 'accounts:read', 'queue:read'])}\n`, { mode: 0o600 });
  remote = ['--url', endpoints.HTTP_URL, '--token-file', file];
});
after(() => rmSync(dir, { recursive: true }));

test('domains', async () => {
  const made = JSON.parse(await ok(['domain', 'add', domain, '--json']));
  assert.deepEqual([made.name, made.kind], [domain, 'local']);
  await ok(['domain', 'add', domain], { status: 4 });
  await ok(['domain', 'add', `relay.${domain}`, '--relay', '--to', '[mx.example]:2525', ...remote]);
  const list = jsonLines(await ok(['domain', 'list', '--q', domain, '--json']));
  assert.deepEqual(list, [await local.call('GET', `/domains/${domain}`, '/domains/{domain}'), await local.call('GET', `/domains/relay.${domain}`, '/domains/{domain}')]);
  assert.deepEqual(lines(await ok(['domain', 'list', `--q=${domain}`, '--quiet', ...remote])), [domain, `relay.${domain}`]);
  assert.match(await ok(['domain', 'show', `relay.${domain}`]), /\[mx\.example\]:2525/);
  await ok(['domain', 'set', domain, '--quota', '1TB', '--language', 'pt-BR', ...remote]);
  const set = await local.call('GET', `/domains/${domain}`, '/domains/{domain}');
  assert.deepEqual([set.quota.limit, set.language], [1e12, 'pt-BR']);
  await ok(['domain', 'set', domain, '--quota', 'none']);
  await ok(['domain', 'set', domain, '--quota', 'much'], { status: 2 });
  await ok(['domain', 'remove', `relay.${domain}`]);
  assert.deepEqual(lines(await ok(['domain', 'list', '--state', 'deleted', `--q=${domain}`, '--quiet'])), [`relay.${domain}`]);
  assert.match(await ok(['domain', 'show', `relay.${domain}`]), /Kept until/);
  assert.match((await ctl(['domain', 'restore', `relay.${domain}`, ...remote])).err, /restored/);
  await ok(['domain', 'restore', `relay.${domain}`], { status: 3 });
  await ok(['domain', 'remove', `relay.${domain}`, '--purge'], { status: 1 });
  await ok(['domain', 'remove', `relay.${domain}`, '--purge', '--yes']);
  await ok(['domain', 'show', `relay.${domain}`], { status: 3 });
  await ok(['domain', 'add', 'not a domain'], { status: 6 });
  await ok(['account', 'add', `boss@${domain}`, '--link']);
  assert.match((await ctl(['domain', 'admin', 'add', domain, `boss@${domain}`, ...remote])).err, /added/);
  assert.deepEqual(lines(await ok(['domain', 'admin', 'list', domain, '--quiet'])), [`boss@${domain}`]);
  await ok(['domain', 'admin', 'add', domain, `none@${domain}`], { status: 3 });
  assert.match((await ctl(['domain', 'admin', 'remove', domain, `boss@${domain}`])).err, /removed/);
  await ok(['account', 'remove', `boss@${domain}`, '--purge', '--yes']);
});

test('the header and the source of a message', async () => {
  const { data: [{ id, size }] } = await local.call('GET', '/queue/messages?limit=1', '/queue/messages');
  const header = await ok(['queue', 'show', id, '--headers', ...remote]);
  assert.match(header, /^Received: [^]*\r\n\r\n$/);
  await ok(['queue', 'show', id, '--source', '--reason', 'why', ...remote], { status: 5 });
  await ok(['queue', 'show', id, '--source'], { status: 6 });
  const whole = await ok(['queue', 'show', id, '--source', '--reason', 'abuse & more']);
  assert.equal(Buffer.byteLength(whole), size);
  assert.ok(whole.startsWith(header));
  const [row] = (await local.call('GET', `/audit?object=${id}&action=message.read`, '/audit')).data;
  assert.equal(row.after.reason, 'abuse & more');
  await ok(['queue', 'show', 'q1zzz', '--headers'], { status: 3 });
});

test('lists up to a number of rows', async () => {
  const office = `boss@limit-${domain}`;
  await ok(['domain', 'add', `limit-${domain}`]);
  await ok(['account', 'add', office, '--password-file', '-'], { input: PASSWORD });
  for (let n = 0; n < 3; n++) await submitMail({ port: endpoints.SUBMISSION_PORT, from: office, password: PASSWORD, to: [`n${n}@waiting.example`], subject: `n${n}` });
  for (const noun of ['queue', 'trace']) {
    const all = lines(await ok([noun, 'list', '--quiet']));
    assert.ok(all.length >= 3, noun);
    assert.deepEqual(lines(await ok([noun, 'list', '--quiet', '--limit', '2'])), all.slice(0, 2));
    assert.deepEqual(lines(await ok([noun, 'list', '--quiet', '--limit=1000'])), all);
    for (const bad of ['0', '-1', 'many', '']) await ok([noun, 'list', '--limit', bad], { status: 2 });
  }
});

test('completion: scripts, and what bash makes of one', async () => {
  for (const shell of ['zsh', 'fish']) assert.match(await ok(['completion', shell]), /correioctl completion words -- /);
  await ok(['completion', 'csh'], { status: 2 });
  await ok(['completion', 'bash', 'zsh'], { status: 2 });
  assert.deepEqual(lines(await ok(['completion', 'words', '--', 'queue', 'list', '--st'])), ['--state=\tSTATE']);
  assert.match(await ok(['completion', 'words', '--', 'queue', 'rel'], { env: { LANG: 'pt_BR.UTF-8' } }), /^release\tLibera /);
  const script = `PATH=${dirname(PROGRAM)}:$PATH; eval "$(correioctl completion bash)"
    for line in 'dom' 'queue hold' 'queue list --sta' 'account filter pu' 'queue show x'; do
      COMP_WORDS=(correioctl $line); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _correioctl 2>/dev/null; echo "\${COMPREPLY[*]}"
    done; complete -p correioctl`;
  const { stdout } = await promisify(execFile)('bash', ['--norc', '-c', script], { env: { PATH: process.env.PATH, LANG: 'C' } });
  assert.deepEqual(stdout.split('\n').slice(0, 6), ['domain', 'hold hold-rule', '--state=', 'put', '', 'complete -o default -F _correioctl correioctl']);
});

/** Runs what does not end by itself; until(form) waits for output of that form, stop() gives {status, out, err}. */
function watch(args) {
  const child = spawn(PROGRAM, args, { env: { PATH: process.env.PATH, CORREIO_HOME: process.env.CORREIO_HOME, LANG: 'C' } });
  const seen = { out: '', err: '', status: null };
  child.stdout.on('data', (chunk) => { seen.out += chunk; });
  child.stderr.on('data', (chunk) => { seen.err += chunk; });
  const closed = new Promise((resolve) => child.on('close', (status) => { seen.status = status; resolve(); }));
  return {
    closed: closed.then(() => seen),
    async until(form) {
      for (let i = 0; !form.test(seen.out); i++) {
        assert.ok(i < 100 && seen.status === null, `${args.join(' ')}: ${seen.out}${seen.err}`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
    stop() {
      child.kill();
      return closed.then(() => seen);
    },
  };
}

test('what happens, as it happens', async () => {
  const plain = watch(['events']);
  const json = watch(['events', '--topic', 'audit,queue', '--json']);
  const follow = watch(['trace', 'follow']);
  const objects = watch(['trace', 'follow', '--json']);
  await plain.until(/status  waiting=\d+  held=\d+/); /* the streams are open: they were begun at the same time */
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const from = `boss@limit-${domain}`;
  const id = await submitMail({ port: endpoints.SUBMISSION_PORT, from, password: PASSWORD, to: [`x@${domain.replace('ctl', 'away')}.waiting.example`, 'y@waiting.example'], subject: 'follow \x1b[2Jme' });
  await plain.until(new RegExp(`^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d  queue\\.changed  id=${id}  state=`, 'm'));
  await follow.until(new RegExp(`  ${id}  waiting  ${from}  x@\\S+ \\+1  follow  \\[2Jme$`, 'm'));
  await objects.until(new RegExp(`"id":"${id}"`));
  await ok(['queue', 'hold', id]);
  await json.until(/"audit\.added"/);
  await json.until(/"held"/);
  const seen = jsonLines((await json.stop()).out);
  assert.deepEqual(seen.find((row) => row.event === 'queue.changed' && row.data.state === 'held').data, { id, state: 'held' });
  assert.equal(seen.find((row) => row.event === 'audit.added').data.action, 'queue.hold');
  assert.ok(!(await plain.stop()).out.includes('audit'));
  await follow.stop();
  const trace = jsonLines((await objects.stop()).out)[0];
  assert.deepEqual([trace.id, trace.recipients.length, trace.at], [id, 2, undefined]);
  await ok(['events', '--topic', 'mail'], { status: 6 });
  await ok(['events', '--topic', 'audit', ...remote], { status: 5 });
  await ok(['trace', 'follow', ...remote], { status: 5 });
});

test('a stream that the server ends', async () => {
  const file = join(dir, 'short');
  const made = await local.call('POST', '/tokens', '/tokens', { status: 201, body: { name: 'short', scopes: ['queue:read'] } });
  writeFileSync(file, made.token, { mode: 0o600 });
  const short = watch(['events', '--url', endpoints.HTTP_URL, '--token-file', file]);
  await short.until(/status/);
  await local.call('DELETE', `/tokens/${made.id}`, '/tokens/{id}', { status: 204 });
  const { status, err } = await short.closed;
  assert.equal(status, 7);
  assert.match(err, /The server has ended the stream/);
});

test('the queue: undo, pause, rules, schedule', async () => {
  await ok(['queue', 'undo', 'uzzz'], { status: 4 });
  await ok(['queue', 'delete', 'q1zzz'], { status: 4 });
  await ok(['queue', 'reschedule', 'q1zzz', '--at', 'never'], { status: 6 });
  await ok(['queue', 'reroute', 'q1zzz', '--via', 'none'], { status: 4 });
  await ok(['queue', 'set', 'q1zzz', '--next', '+1h', '--expires', '+2d', '--priority', '1', '--via', 'none'], { status: 3 });
  const paused = JSON.parse(await ok(['queue', 'pause', `x.${domain}`, '--until', '+2h', '--note', 'why', '--json']));
  assert.deepEqual([paused.state, paused.paused.reason], ['paused', 'why']);
  assert.match(await ok(['queue', 'destinations', '--paused']), new RegExp(`x\\.${domain}`));
  await ok(['queue', 'limit', `x.${domain}`, '5']);
  assert.equal(JSON.parse(await ok(['queue', 'resume', `x.${domain}`, '--json'])).paused, null);
  await ok(['queue', 'limit', `x.${domain}`, '20']);
  const id = (await ok(['queue', 'hold-rule', 'add', '--sender', `a@${domain}`, '--note', 'why'])).trim();
  assert.ok((await ok(['queue', 'hold-rule', 'list', '--quiet'])).includes(id));
  await ok(['queue', 'hold-rule', 'remove', id]);
  await ok(['queue', 'hold-rule', 'remove', id], { status: 3 });
  await ok(['operation', 'show', 'ozzzz'], { status: 3 });
  await ok(['operation', 'cancel', 'ozzzz'], { status: 3 });
  assert.match(await ok(['queue', 'schedule']), /\+0d 00:01:00/);
  const before = JSON.parse(await ok(['queue', 'schedule', '--json']));
  assert.equal(JSON.parse(await ok(['queue', 'schedule', '--expire', '6d', '--json'])).expire, '6d');
  await ok(['queue', 'schedule', '--expire', before.expire]);
});

test('accounts', async () => {
  const address = `ann@${domain}`;
  await ok(['account', 'add', address, '--name', 'Ann', '--quota', '5GB', '--password-file', '-'], { input: 'a quiet place by the sea\n' });
  await ok(['account', 'add', address, '--password-file', '-'], { input: 'a quiet place by the sea', status: 4 });
  const shown = JSON.parse(await ok(['account', 'show', address, '--json', ...remote]));
  assert.deepEqual(shown, await local.call('GET', `/accounts/${address}`, '/accounts/{address}'));
  assert.deepEqual([shown.name, shown.quota.limit, shown.state], ['Ann', 5e9, 'active']);
  assert.deepEqual(lines(await ok(['account', 'list', '--domain', domain, '--quiet'])), [address]);
  await ok(['account', 'set', address, '--recipients-per-hour', '200', '--recipients-per-day', 'none']);
  assert.deepEqual((await local.call('GET', `/accounts/${address}`, '/accounts/{address}')).limits, { recipients_per_hour: 200, recipients_per_day: null });
  await ok(['account', 'set', address, '--recipients-per-hour', 'many'], { status: 2 });
  assert.match((await ctl(['account', 'address', 'add', address, `annie@${domain}`])).err, /added/);
  assert.deepEqual(lines(await ok(['account', 'address', 'list', address, '--quiet', ...remote])), [address, `annie@${domain}`]);
  await ok(['account', 'address', 'remove', address, address], { status: 6 });
  assert.match((await ctl(['account', 'address', 'remove', address, `annie@${domain}`])).err, /removed/);
  assert.match(await ok(['account', 'usage', address, ...remote]), /Limit an hour: +200/);
  await ok(['domain', 'set', domain, '--recipients-per-day', '1000']);
  assert.equal(JSON.parse(await ok(['account', 'usage', address, '--json'])).limits.recipients_per_day, 1000);
  await ok(['account', 'set', address, '--name', 'Anna', '--quota', 'none', '--quota-messages', '5000', '--role', 'domain_admin', '--language', 'pt-BR']);
  const changed = await local.call('GET', `/accounts/${address}`, '/accounts/{address}');
  assert.equal(changed.quota.message_limit, 5000);
  assert.deepEqual([changed.name, changed.quota.limit, changed.role, changed.language], ['Anna', null, 'domain_admin', 'pt-BR']);
  const file = join(dir, 'password');
  writeFileSync(file, 'another quiet place');
  await ok(['account', 'password', address, '--password-file', file]);
  assert.match((await ctl(['account', 'password', address, '--password-file', '-'], { input: 'x' })).err, /shorter than 12/);
  await ok(['account', 'password', address, '--password-file', '-'], { input: '', status: 2 });
  await ok(['account', 'password', address], { status: 2 });
  assert.match(await ok(['account', 'link', address, '--quiet']), /#link=[\w-]{43}\n$/);
  assert.match(await ok(['account', 'test', address, '--quiet']), /^q\w+\n$/);
  assert.match(await ok(['account', 'test', address]), /Answer: +Ok: queued as q/);
  await ok(['account', 'test', `nobody@${domain}`], { status: 3 });
  const turn = (state) => local.call('PATCH', `/domains/${domain}`, '/domains/{domain}', { body: { state }, headers: { 'If-Match': '*' } });
  await turn('disabled');
  await new Promise((resolve) => { setTimeout(resolve, 1500); }); // smtp believes for a second what it knew
  await ok(['account', 'test', address], { status: 1 });
  await turn('active');
  await ok(['account', 'suspend', address, '--reason', 'spam']);
  assert.match(await ok(['account', 'show', address]), /spam/);
  await ok(['account', 'resume', address]);
  await ok(['account', 'remove', address], { status: 1 });
  await ok(['account', 'remove', address, '--yes']);
  assert.deepEqual(lines(await ok(['account', 'list', '--domain', domain, '--state', 'deleted', '--quiet'])), [address]);
  await ok(['account', 'add', address, '--link'], { status: 4 });
  assert.match((await ctl(['account', 'restore', address])).err, /restored/);
  await ok(['account', 'restore', address], { status: 3 });
  await ok(['account', 'remove', address, '--purge', '--yes']);
  await ok(['account', 'show', address], { status: 3 });
  assert.match(await ok(['account', 'add', address, '--link']), /#link=/);
  await ok(['account', 'remove', address, '--yes', ...remote], { status: 5 });
});

test('filters', async () => {
  const address = `sieve@${domain}`;
  const F = ['account', 'filter'];
  await ok(['account', 'add', address, '--password-file', '-'], { input: 'a quiet place by the sea\n' });
  const script = 'require "fileinto";\nif header :contains "subject" "[list]" {\n  fileinto "Archive";\n}\n';
  const file = join(dir, 'main.sieve');
  writeFileSync(file, script);
  assert.match((await ctl([...F, 'put', address, 'main', file])).err, /main: stored/);
  await ok([...F, 'put', address, 'main'], { input: `${script}# 2\n` });
  assert.equal(await ok([...F, 'get', address, 'main', ...remote]), `${script}# 2\n`);
  assert.deepEqual(JSON.parse(await ok([...F, 'get', address, 'main', '--json'])), await local.call('GET', `/accounts/${address}/filters/main`, '/accounts/{address}/filters/{name}'));
  await ok([...F, 'activate', address, 'main']);
  assert.match(await ok([...F, 'list', address]), /main +personal +yes/);
  await ok([...F, 'rename', address, 'main', 'first one']);
  assert.deepEqual(lines(await ok([...F, 'list', address, '--quiet', ...remote])), ['first one']);
  await ok([...F, 'put', address, 'x', file, ...remote], { status: 5 });

  const wrong = await ctl([...F, 'put', address, 'bad', '-'], { input: 'keep;\nnonsense;\n' });
  assert.equal(wrong.status, 6);
  assert.match(wrong.err, /\/script: line 2, column 1: /);
  await ok([...F, 'put', address, 'bad', '-'], { input: Buffer.from([0x23, 0xff]), status: 2 });
  await ok([...F, 'put', address, 'bad', join(dir, 'none')], { status: 2 });
  await ok([...F, 'get', address, 'bad'], { status: 3 });
  await ok([...F, 'remove', address, 'bad'], { status: 3 });
  await ok([...F, 'frobnicate', address], { status: 2 });
  await ok([...F, 'get', address], { status: 2 });

  const mail = 'From: <joe@example.net>\nSubject: [list] hello\n\nx\n';
  const mailFile = join(dir, 'mail.eml');
  writeFileSync(mailFile, mail);
  const trial = await ok([...F, 'test', address], { input: mail });
  assert.match(trial, /^personal first one\n +1 +require\n +2 +if\n +2 +header: yes\n +3 +fileinto -> Archive\nWhat would be done:\n +stored in Archive\n$/);
  assert.match(await ok([...F, 'test', address, '--name', 'first one', '--from', 'joe@example.net'], { input: mail.replace('[list]', '') }), /header: no\n(.*\n)*  kept in INBOX\n$/);
  assert.match(await ok([...F, 'test', address, '--script', '-', mailFile], { input: 'require "fileinto"; fileinto "None";' }), /stored in INBOX, as there is no None/);
  assert.match(await ok([...F, 'test', address], { input: mail, env: { LANG: 'pt_BR.UTF-8' } }), /O que seria feito:\n  guardada em Archive/);
  assert.equal(JSON.parse(await ok([...F, 'test', address, '--json', ...remote], { input: mail })).actions[0].mailbox, 'Archive');
  await ok([...F, 'test', address, '--name', 'none'], { input: mail, status: 6 });
  const failing = join(dir, 'failing.sieve');
  writeFileSync(failing, Array.from({ length: 5 }, (_, i) => `redirect "a${i}@example.net";\n`).join(''));
  const failed = await ctl([...F, 'test', address, '--script', failing], { input: mail });
  assert.equal(failed.status, 9);
  assert.match(failed.err, /line 5, /);
  assert.match(failed.out, /kept in INBOX/);
  assert.ok(!(await ok([...F, 'test', address, '--script', failing], { input: mail, status: 9 })).includes('\u001b'));
  await ok([...F, 'deactivate', address, 'first one']);
  await ok([...F, 'remove', address, 'first one']);
  assert.match((await ctl([...F, 'list', address])).err, /nothing/);

  const name = `c${run}`;
  await ok(['filter', 'put', 'before', name, file]);
  await ok(['filter', 'activate', 'before', name]);
  assert.ok(jsonLines(await ok(['filter', 'list', '--json'])).some((f) => f.name === name && f.place === 'before' && f.active));
  await ok(['filter', 'deactivate', 'before', name]);
  await ok(['filter', 'remove', 'before', name]);
  await ok(['filter', 'put', 'global', name, file, '--domain', domain, ...remote]);
  assert.equal(await ok(['filter', 'get', 'global', name, '--domain', domain]), script);
  await ok(['filter', 'activate', 'global', name, '--domain', domain], { status: 6 });
  await ok(['filter', 'put', 'nowhere', name, file], { status: 3 });
  await ok(['filter', 'remove', 'global', name, '--domain', domain]);
});

test('aliases', async () => {
  const alias = `team@${domain}`;
  await ok(['alias', 'add', alias, 'x@elsewhere.example', 'y@elsewhere.example']);
  await ok(['alias', 'add', alias, 'x@elsewhere.example'], { status: 4 });
  assert.deepEqual(JSON.parse(await ok(['alias', 'show', alias, '--json'])).members, ['x@elsewhere.example', 'y@elsewhere.example']);
  await ok(['alias', 'set', alias, 'z@elsewhere.example']);
  assert.match(await ok(['alias', 'list', '--domain', domain]), /z@elsewhere\.example/);
  await ok(['alias', 'set', alias, `nobody@${domain}`], { status: 6 });
  await ok(['alias', 'set', alias, '--from', 'members', '--send-as', 'members', '--expires', 'never']);
  assert.match(await ok(['alias', 'show', alias]), /Who may send:? +members/);
  assert.match(await ok(['alias', 'expand', alias, '--from', 'z@elsewhere.example']), /z@elsewhere\.example +remote/);
  await ok(['alias', 'remove', alias]);
  await ok(['alias', 'remove', alias], { status: 3 });
});

test('settings', async () => {
  assert.equal(await ok(['config', 'set', 'queue.delay_notice', '300m', '--quiet']), '5h\n');
  assert.equal(await ok(['config', 'get', 'queue.delay_notice', '--quiet']), '5h\n');
  assert.deepEqual(jsonLines(await ok(['config', 'list', '--changed', '--json'])).filter((s) => s.key === 'queue.delay_notice').map((s) => s.source), ['page']);
  await ok(['config', 'set', 'queue.delay_notice', 'soon'], { status: 6 });
  assert.equal(await ok(['config', 'unset', 'queue.delay_notice', '--quiet']), '4h\n');
  await ok(['config', 'get', 'no.such'], { status: 3 });
});

test('tokens', async () => {
  const made = JSON.parse(await ok(['token', 'create', `ctl ${run}`, '--scope', 'queue:read,domains:read', '--domain', domain, '--json']));
  assert.match(made.token, /^cor_/);
  assert.deepEqual([made.scopes, made.domains], [['queue:read', 'domains:read'], [domain]]);
  assert.ok(lines(await ok(['token', 'list', '--quiet'])).includes(made.id));
  await ok(['token', 'revoke', made.id]);
  await ok(['token', 'revoke', made.id], { status: 3 });
  await ok(['token', 'create', 'x'], { status: 2 });
  await ok(['token', 'create', 'x', '--scope', 'queue:reed'], { status: 6 });
});

test('the queue', async () => {
  assert.deepEqual(jsonLines(await ok(['queue', 'list', '--destination', `nowhere-${run}.example`, '--json', ...remote])), []);
  await ok(['queue', 'show', 'q1zzzz'], { status: 3 });
  await ok(['queue', 'summary', '--by', 'sender']);
  await ok(['queue', 'summary', '--by', 'colour'], { status: 6 });
  await ok(['queue', 'retry'], { status: 2 });
  await ok(['queue', 'retry', 'q1zzzz'], { status: 4 });
  await ok(['queue', 'hold', '-'], { input: 'q1zzzz\nq1zzzy\n', status: 4 });
  await ok(['queue', 'delete', 'q1zzzz', 'q1zzzy'], { status: 4 });
  await ok(['queue', 'retry', 'q1zzzz', ...remote], { status: 5 });
  await ok(['queue', 'delete', '--destination', `nowhere-${run}.example`]);
  await ok(['trace', 'show', 'q1zzzz'], { status: 3 });
  await ok(['trace', 'list', `nobody@${domain}`, '--since', '2d']);
});

test('status, doctor, and a server that is not there', async () => {
  const status = await ctl(['status', '--json']);
  assert.ok([0, 9].includes(status.status));
  assert.equal(typeof JSON.parse(status.out).verdict, 'string');
  const doctor = await ctl(['doctor', '--json']);
  assert.ok(jsonLines(doctor.out).filter((c) => ['database', 'smtp', 'submission', 'counters'].includes(c.check)).every((c) => c.ok));
  assert.equal(jsonLines(doctor.out).filter((c) => c.check === 'counters').length, 1);
  await ok(['status', '--socket', join(dir, 'none.sock')], { status: 7 });
  await ok(['status', '--url', 'http://127.0.0.1:1', '--token-file', remote[3]], { status: 7 });
  await ok(['status', '--url', 'ftp://x'], { status: 1 });
  await ok(['domain', 'list', '--url', endpoints.HTTP_URL], { status: 5 });
});

test('usage, help and languages', async () => {
  for (const args of [['nothing'], ['domain'], ['domain', 'add'], ['domain', 'list', 'x'], ['domain', 'list', '--colour'], ['domain', 'list', '--q'], ['domain', 'list', '--json=1']]) await ok(args, { status: 2 });
  const help = await ok(['--help']);
  for (const verb of ['domain add', 'account suspend', 'queue summary', 'config unset', 'token revoke', 'doctor']) assert.ok(help.includes(verb), verb);
  const portuguese = await ok(['--help'], { env: { LANG: 'pt_BR.UTF-8' } });
  assert.match(portuguese, /Verifica banco de dados/);
  assert.equal(lines(portuguese).filter((line) => lines(help).includes(line) && !line.includes('[--')).length, 0, 'nothing is left in English');
  assert.match((await ctl(['domain', 'show', 'none.example'], { env: { LANG: 'pt_BR.UTF-8' } })).err, /Não existe/);
});

test('people: app passwords, freezing, sessions, two-step sign-in, activity', async () => {
  const who = `people@${domain}`;
  await ok(['account', 'add', who, '--password-file', '-'], { input: 'a quiet place by the sea\n' });
  const A = ['account', 'app-password'];
  const made = JSON.parse(await ok([...A, 'add', who, '--name', 'phone', '--protocol', 'imap,submission', '--json']));
  assert.deepEqual([made.name, made.protocols], ['phone', ['imap', 'submission']]);
  assert.match(await ok([...A, 'add', who, '--quiet']), /^([a-z]{5}-){3}[a-z]{5}\n$/);
  await ok([...A, 'add', who, '--protocol', 'http'], { status: 6 });
  assert.equal(jsonLines(await ok([...A, 'list', who, '--json', ...remote])).length, 2);
  await ok([...A, 'remove', who, made.id]);
  await ok([...A, 'remove', who, made.id], { status: 3 });
  assert.match((await ctl(['account', 'freeze', who, '--reason', 'spam'])).err, /frozen/);
  assert.match(await ok(['account', 'show', who]), /spam/);
  await ok(['account', 'unfreeze', who]);
  await ok(['account', 'sessions', 'list', who]);
  await ok(['account', 'sessions', 'end', who]);
  await ok(['account', 'sessions', 'end', who, 'c1'], { status: 3 });
  assert.equal(JSON.parse(await ok(['account', 'totp', 'show', who, '--json'])).enabled, false);
  assert.match((await ctl(['account', 'totp', 'remove', who], { env: { LANG: 'pt_BR.UTF-8' } })).err, /desligada/);
  await ok(['account', 'activity', who]);
});
