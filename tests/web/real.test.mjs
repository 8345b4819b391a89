// What people do on the page of a real server: every click reaches the API, the database and the mail that waits.
// tests/support/with-server gives the server; without one there is nothing to see here (flows.test.mjs has the fake).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, realpathSync } from 'node:fs';
import net from 'node:net';
import { dirname } from 'node:path';
import test, { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { submitMail } from '../support/submit.mjs';
import { ACTIONS, emptyModel, FIELDS, generate, OPS, parse } from '../../web/app/sieve-rules.js';
import { close, column, real, settled, startSite } from './site.mjs';

const options = { skip: real ? false : 'CORREIO_URL names no server; tests/support/with-server does' };
const { CORREIO_HOME: HOME, CORREIO_ADDRESS: ADDRESS, CORREIO_PASSWORD: PASSWORD } = process.env;

/** Names of this run: the tests may run again on the same server. */
const run = randomBytes(3).toString('hex');
const domain = `real-${run}.example`;
const away = `away-${run}.example`; // a relay domain whose host refuses connections
const many = `many-${run}.example`;
const rita = `rita@${domain}`;
const RITA_PASSWORD = 'nine green bottles';

let site;
before(async () => {
  if (real) site = await startSite();
});
after(() => site?.close());

const shown = (page, text) => page.locator(`text=${text} >> visible=true`).first().waitFor();
const path = (page) => new URL(page.url()).pathname + new URL(page.url()).search;
const endpoint = (key) => new RegExp(`^${key}=(.*)$`, 'm').exec(readFileSync(`${HOME}/run/endpoints`, 'utf8'))[1];
const submit = (to, subject) =>
  submitMail({ port: endpoint('SUBMISSION_PORT'), from: rita, password: RITA_PASSWORD, to: [to], subject });

async function signIn(page, address, password) {
  await page.fill('[name=address]', address);
  await page.fill('[name=password]', password);
  await page.keyboard.press('Enter');
}

async function choose(page, item) {
  await page.click('main .head [aria-label="More actions"]');
  await page.click(`.sheet >> text=${item} >> visible=true`);
}

/** The bodies of the actions that this page asks for. */
function watchActions(page) {
  const bodies = [];
  page.on('request', (request) => {
    if (request.url().endsWith('/queue/actions')) bodies.push(request.postDataJSON());
  });
  return bodies;
}

/** Waits until the list shows this many rows, by itself or by its button. */
async function rows(page, count) {
  await page.waitForFunction((n) => {
    document.querySelector('.news button')?.click();
    return document.querySelectorAll('tbody tr').length === n;
  }, count);
}

/** Waits until the row says this of its message. */
const says = (page, id, word) =>
  page.waitForFunction(([row, text]) => document.querySelector(`tr[data-id="${row}"]`)?.innerText.includes(text), [id, word]);

// Signing in

test('a one-time link signs in by a click alone, asks for a password, and works once', options, async () => {
  const programs = dirname(realpathSync(`${HOME}/bin`));
  const { CORREIO_URL, CORREIO_ADDRESS, CORREIO_PASSWORD, ...env } = process.env; // the tests' own, no keys of the daemon
  const link = execFileSync(`${programs}/sbin/correiod`, ['admin-link'], { encoding: 'utf8', env }).trim();
  assert.ok(link.startsWith(`${site.url}/sign-in#link=`), `${link} leads to the running server`);
  const visit = () => site.open({ path: link.slice(site.url.length), signedIn: false });
  const page = await visit();
  assert.equal(new URL(page.url()).hash, '', 'the secret stays in no history');
  await page.click('text=Use the link');
  await shown(page, 'Choose your password');
  await shown(page, ADDRESS);
  await page.fill('[name=password]', 'short');
  await page.click('.is-primary');
  await shown(page, 'This is too short.');
  await page.fill('[name=password]', 'password12345');
  await page.click('.is-primary');
  await shown(page, 'This password is among the most used ones; choose another.');
  await page.fill('[name=password]', PASSWORD);
  await page.click('.is-primary');
  await page.waitForSelector('header.bar');
  assert.equal(path(page), '/');
  await close(page);

  const again = await visit();
  await again.click('text=Use the link');
  await shown(again, 'This link was used before or is too old.');
  await again.click('text=Sign in with a password');
  await again.waitForSelector('[name=address]');
  await close(again);
  await site.renew(); // the new password ended the other sessions
});

test('signing out and in: a wrong password says so, the right one leads where one wanted to go', options, async () => {
  const page = await site.open({ path: '/queue?state=held', signedIn: false });
  assert.equal(path(page), '/sign-in?to=%2Fqueue%3Fstate%3Dheld');
  await signIn(page, ADDRESS, 'not the password');
  await shown(page, 'Address or password is wrong.');
  await signIn(page, ADDRESS, PASSWORD);
  await page.waitForURL('**/queue?state=held');
  await settled(page);
  await page.click('.who');
  await page.click('text=Sign out');
  await page.waitForSelector('[name=password]');
  await page.goto(`${site.url}/accounts`);
  await page.waitForURL('**/sign-in?to=%2Faccounts');
  await close(page);
});

// Domains, accounts, aliases

test('domains: a local one, with what its DNS needs, and relay domains', options, async () => {
  const page = await site.open({ path: '/domains' });
  await page.keyboard.press('c');
  await page.keyboard.press('d');
  await page.fill('[name=name]', 'not a domain');
  await page.click('dialog .is-primary');
  await shown(page, 'This is not written as it must be.');
  await page.fill('[name=name]', domain);
  await page.click('dialog .is-primary');
  await page.waitForURL(`**/domains/${domain}`);
  await shown(page, `${domain}. 3600 IN MX 10`);
  for (const name of [away, many]) {
    await page.goto(`${site.url}/domains?add`);
    await page.fill('[name=name]', name);
    await page.click('text=Relay: mail is taken');
    await page.fill('[name=route]', 'nonsense:x');
    await page.click('dialog .is-primary');
    await shown(page, 'This is not written as it must be.');
    await page.fill('[name=route]', '[127.0.0.1]:9');
    await page.click('dialog .is-primary');
    await page.waitForURL(`**/domains/${name}`);
  }
  await close(page);
});

test('accounts: one with a password, one with a link that its owner uses', options, async () => {
  const page = await site.open({ path: '/accounts?add' });
  await page.fill('[name=address]', 'rita@nowhere.example');
  await page.click('dialog .is-primary');
  await shown(page, 'Its domain is not a domain of this server.');
  await page.fill('[name=address]', rita);
  await page.fill('[name=name]', 'Rita <b>Lima</b>');
  await page.click('text=With a password that I set now');
  await page.fill('[name=password]', 'one that changes soon');
  await page.click('dialog .is-primary');
  await shown(page, `${rita} is added.`);
  await page.goto(`${site.url}/accounts?add`);
  await page.fill('[name=address]', `sara@${domain}`);
  await page.click('dialog .is-primary');
  await shown(page, `Link for sara@${domain}`);
  const link = await page.innerText('.secret');
  await page.click('dialog >> text=Done');
  await page.goto(`${site.url}/accounts?domain=${domain}`);
  await settled(page);
  await shown(page, 'Rita <b>Lima</b>');
  assert.deepEqual((await column(page, 1)).map((one) => one.trim()), [rita, `sara@${domain}`]);
  assert.deepEqual((await column(page, 3)).map((one) => one.trim()), ['active', 'invited']);
  await close(page);

  const sara = await site.open({ path: link.slice(link.indexOf('/sign-in')), signedIn: false });
  await sara.click('text=Use the link');
  await sara.fill('[name=password]', 'ten green bottles');
  await sara.click('.is-primary');
  await sara.waitForURL('**/me');
  await shown(sara, `sara@${domain}`);
  await sara.goto(`${site.url}/queue`);
  await shown(sara, 'There is no such page');
  await close(sara);
});

test('an account: a new password, suspended and resumed, each in force at once', options, async () => {
  const page = await site.open({ path: `/accounts/${rita}` });
  await choose(page, 'Set password');
  await page.fill('dialog [name=password]', RITA_PASSWORD);
  await page.click('dialog .is-primary');
  await shown(page, 'The password is set.');

  const other = await site.open({ path: '/me', signedIn: false });
  await signIn(other, rita, 'one that changes soon');
  await shown(other, 'Address or password is wrong.');
  await signIn(other, rita, RITA_PASSWORD);
  await other.waitForURL('**/me');
  await settled(other);

  await choose(page, 'Suspend');
  await page.fill('[name=reason]', 'on leave');
  await page.click('dialog .is-primary');
  await shown(page, 'nobody can sign in.');
  await other.reload();
  await other.waitForSelector('[name=address]');
  await signIn(other, rita, RITA_PASSWORD);
  await shown(other, 'Address or password is wrong.');
  await page.click('.notice >> text=Resume');
  await shown(page, `${rita} can sign in again.`);
  await signIn(other, rita, RITA_PASSWORD);
  await other.waitForURL('**/me');
  await close(other);
  await close(page);
});

test('an alias: its members are checked, it is listed with them and deleted', options, async () => {
  const page = await site.open({ path: '/aliases?add' });
  await page.fill('[name=address]', `info@${domain}`);
  await page.fill('[name=members]', `nobody@${domain}`);
  await page.click('dialog .is-primary');
  await page.waitForSelector('dialog [name=members][aria-invalid=true]');
  await page.fill('[name=members]', `${rita}\nfriend@away.example, ${rita}`);
  await page.click('dialog .is-primary');
  await shown(page, `info@${domain} is added.`);
  await page.goto(`${site.url}/aliases?domain=${domain}`);
  await settled(page);
  assert.deepEqual((await column(page, 2)).map((one) => one.trim()), [`friend@away.example, ${rita}`]);
  await page.click(`tbody >> text=info@${domain}`);
  await page.click('main .is-danger');
  await page.click('dialog .is-danger');
  await shown(page, `info@${domain} is deleted.`);
  await close(page);
});

// Settings

test('filters: checked by the real compiler, tried on a message, active', options, async () => {
  const page = await site.open({ path: '/me/filters' });
  await page.click('text=New filter >> visible=true');
  await page.fill('[name=name]', `main ${run}`);
  await page.click('dialog .is-primary');
  await page.waitForURL(`**/me/filters/main%20${run}`);
  await page.fill('[name=script]', 'require "fileinto";\nfileinto 3;\n');
  await page.click('main .is-primary');
  await shown(page, 'Line 2, column 10: ');
  assert.equal(await page.locator('.gutter .is-wrong').innerText(), '2');
  await page.fill('[name=script]', 'require "fileinto";\nif header :contains "subject" "[list]" {\n  fileinto "Archive";\n}\n');
  await page.fill('[name=message]', 'Subject: [list] hello\n\nx\n');
  await page.click('button:text-is("Try")');
  await shown(page, 'Stored in Archive.');
  assert.deepEqual(await page.locator('.trial code').allInnerTexts(), ['require', 'if', 'header', 'fileinto']);
  await page.click('main .is-primary');
  await shown(page, 'Saved.');
  await page.click('text=Activate');
  await shown(page, `main ${run} is active now.`);
  await page.click('.crumb >> text=Filters');
  await page.waitForSelector('tbody tr');
  await page.fill('[name=message]', 'Subject: hello\n\nx\n');
  await page.click('button:text-is("Try")');
  await shown(page, 'Stored in INBOX.');
  await page.click(`.open:text-is("main ${run}")`);
  await page.click('[aria-label="More actions"]');
  await page.click('text=Delete filter >> visible=true');
  await page.click('dialog .is-danger');
  await shown(page, 'No filters');
  await close(page);
});

test('rules by form: the real compiler takes every kind, and they do what they say', options, async () => {
  const condition = (field, op, value, header = '') => ({ field, header, op, value });
  const hostile = ['"; discard; #', '\\', '\\"', 'Ação 😀', '${hex:22}', '# correio-rules: {}', '.'];
  const page = await site.open({ path: '/me/filters' });
  const api = (method, where, body, headers = {}) =>
    page.evaluate(
      async ([verb, path, text, more]) => {
        const { request } = await import('/app/api.js');
        const { create, version } = more;
        return request(verb, path, { body: text, create, version }).catch((error) => ({ refused: error.problem }));
      },
      [method, where, body, headers],
    );
  const rule = (conditions, actions, match = 'all') => ({ match, conditions, actions });
  const rules = FIELDS.flatMap((field) =>
    OPS.map((op) => {
      const value = field === 'size' ? '5' : field === 'list' ? 'a.example' : 'á b';
      return rule([condition(field, op, value, 'X-A'), condition(field, op, value, 'X-A')], [{ do: 'read', value: '' }], 'any');
    }),
  );
  for (const text of hostile)
    rules.push(rule([condition('subject', 'is', text)], [{ do: 'copy', value: 'Lists' }, { do: 'star', value: '' }]));
  for (const what of ACTIONS)
    rules.push(rule([], [{ do: what, value: { move: 'A/B', copy: 'A', forward: 'b@example.org' }[what] ?? '' }]));
  const vacation = { ...emptyModel().vacation, on: true, from: '2026-01-01', until: '2099-12-31', zone: '-0300' };
  for (const text of hostile) {
    const script = generate({ vacation: { ...vacation, subject: text, text: `${text}\n.\n${text}` }, rules });
    const made = await api('PUT', `/me/filters/kinds-${run}`, { script }, { create: true });
    assert.equal(made.refused, undefined, JSON.stringify(made.refused));
    assert.deepEqual(parse(made.script), parse(script), 'the server keeps the text as it is');
    const message = `From: joe@example.net\nTo: ${ADDRESS}\nSubject: hello\n\nx\n`;
    const trial = await api('POST', '/me/filters/test', { message, from: 'joe@example.net', script });
    const answer = trial.actions.find((action) => action.kind === 'vacation');
    assert.equal(answer?.text.replaceAll('\r\n', '\n'), `${text}\n.\n${text}`);
    assert.equal(trial.failed, null);
    await api('DELETE', `/me/filters/kinds-${run}`, undefined, { version: made.version });
  }
  const late = generate({ vacation: { ...vacation, text: 'Away.', until: '2026-01-02' }, rules: [] });
  const trial = await api('POST', '/me/filters/test', { message: 'Subject: x\n\nx\n', from: 'joe@example.net', script: late });
  assert.deepEqual(trial.actions.map((action) => action.kind), ['keep']);

  await page.click('text=Make rules >> visible=true');
  await page.waitForURL('**/me/filters/rules');
  await page.click('text=Add rule');
  const row = (place) => page.locator(`[data-at="/rules/0/${place}"]`);
  await row('conditions/0').locator('select >> nth=0').selectOption('list');
  await row('conditions/0').locator('select >> nth=1').selectOption('is');
  await row('conditions/0').locator('input').fill('News.example.net');
  await row('actions/0').locator('input').fill(`News ${run}`);
  await page.click('main .is-primary');
  await shown(page, 'Saved.');
  await page.fill('[name=message]', 'List-Id: "The news" <news.example.net>\n\nx\n');
  await page.click('button:text-is("Try")');
  await shown(page, `Stored in News ${run}. The folder is made first.`);
  await page.fill('[name=message]', 'List-Id: <other.news.example.net>\n\nx\n');
  await page.click('button:text-is("Try")');
  await shown(page, 'Stored in INBOX.');
  await page.reload();
  await page.waitForSelector('.rule');
  await page.click('[aria-label="More actions"]');
  await page.click('text=Delete filter >> visible=true');
  await page.click('dialog .is-danger');
  await shown(page, 'No filters');
  await close(page);
});

test('settings: a wrong value is refused in its place, a right one is in force, the default one click away', options, async () => {
  const page = await site.open({ path: '/settings/queue' });
  const row = page.locator('.setting', { hasText: 'queue.expire' });
  await row.locator('input').fill('soon');
  await row.locator('text=Save').click();
  await row.locator('text=This is not a duration from 1m to 60d.').waitFor();
  await row.locator('input').fill('6d');
  await row.locator('text=Save').click();
  await shown(page, 'Saved; in force within two seconds.');
  await page.reload();
  await settled(page);
  assert.equal(await row.locator('input').inputValue(), '6d');
  await row.locator('text=Back to the default').click();
  await shown(page, 'Back to the default.');
  assert.equal(await row.locator('input').inputValue(), '5d');

  await page.goto(`${site.url}/settings/smtp`);
  const on25 = page.locator('.setting', { hasText: 'smtp.auth_on_25' });
  await on25.locator('select').selectOption({ label: 'On' });
  await on25.locator('text=Save').click();
  await shown(page, 'Saved; in force within two seconds.');
  assert.equal(await on25.locator('select').inputValue(), 'true');
  await on25.locator('text=Back to the default').click();
  await on25.locator('text=This is the default.').waitFor();
  assert.equal(await on25.locator('select').inputValue(), 'false');
  await close(page);
});

// Queue

test('new mail shows by itself; the message opens with its reason, attempts and what can be done', options, async () => {
  const page = await site.open({ path: `/queue?destination=${away}` });
  await shown(page, 'No message matches');
  await page.waitForFunction(() => document.querySelector('.filters [aria-pressed=true] .is-ok'));
  await page.evaluate(() => {
    window.same = true;
  });
  const id = await submit(`joe@${away}`, `Invoice ${run}`);
  await rows(page, 1);
  await says(page, id, 'refuses connections');
  assert.ok(await page.evaluate(() => window.same), 'without a reload');

  await page.click('tbody .open');
  await page.waitForURL(`**/trace/${id}`);
  await shown(page, `Waiting: ${away} refuses our connection.`);
  assert.equal(await page.innerText('h1'), `Invoice ${run}`);
  assert.match(await page.innerText('.side'), new RegExp(`${rita}.*signed in from 127\\.0\\.0\\.1.*joe@${away}.*deferred`, 's'));
  assert.match(await page.innerText('.timeline'), new RegExp(`Accepted from ${rita}.*on port 587.*Attempt 1.*127\\.0\\.0\\.1`, 's'));
  const tried = await page.locator('.timeline li.is-wait').count();
  await page.keyboard.press('r');
  await shown(page, 'Retrying 1 message.');
  await page.waitForFunction((n) => document.querySelectorAll('.timeline li.is-wait').length > n, tried);
  await page.keyboard.press('h');
  await shown(page, 'Held since');
  await page.click('text=Release >> visible=true');
  await shown(page, 'Released 1 message.');
  await page.click('.head >> text=Delete >> visible=true');
  await shown(page, 'It is being deleted');
  await page.click('.toast .button >> nth=0');
  await shown(page, '1 message is as it was.');
  await shown(page, `Waiting: ${away} refuses our connection.`);
  await page.click('.head >> text=Delete >> visible=true');
  await shown(page, 'It is being deleted');
  await close(page);
});

test('the dialogue of an attempt is there line by line, with the answer that made it wait', options, async (t) => {
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      for (const line of bytes.toString().trim().split('\r\n'))
        socket.write(/^RCPT/.test(line) ? '451 4.3.0 <b>come back</b> later\r\n' : '250 ok\r\n');
    });
    socket.write('220 mx.talk.example ESMTP\r\n');
  });
  await new Promise((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => server.close());
  const talk = `talk-${run}.example`;
  const page = await site.open({ path: '/domains?add' });
  await page.fill('[name=name]', talk);
  await page.click('text=Relay: mail is taken');
  await page.fill('[name=route]', `[127.0.0.1]:${server.address().port}`);
  await page.click('dialog .is-primary');
  await page.waitForURL(`**/domains/${talk}`);
  const id = await submit(`joe@${talk}`, 'talk');
  await page.goto(`${site.url}/trace/${id}`);
  await page.waitForSelector('details .dialogue', { state: 'attached' });
  const talked = (await page.locator('.dialogue li').allTextContents()).map((line) => line.replace(/^\d+\s*/, ''));
  for (const line of [/^S\s*220 mx\.talk\.example ESMTP$/, /^C\s*EHLO /, /^C\s*MAIL FROM:</, /^S\s*451 4\.3\.0 <b>come back<\/b> later$/])
    assert.ok(talked.some((one) => line.test(one)), `${line} in ${talked.join(' | ')}`);
  await close(page);
});

test('hold, release, bounce and delete of chosen rows', options, async () => {
  const ids = [];
  for (const who of ['ann', 'ben', 'cid']) ids.push(await submit(`${who}@${away}`, `${who} ${run}`));
  const page = await site.open({ path: `/queue?destination=${away}&recipient=ann@&recipient=ben@&recipient=cid@` });
  await rows(page, 3);
  for (const id of ids) await says(page, id, 'refuses connections');
  const pick = async (...chosen) => {
    for (const id of chosen) await page.click(`tr[data-id="${id}"] input`);
  };
  await pick(ids[0], ids[1]);
  await page.click('.bulk >> text=Hold >> visible=true');
  await shown(page, 'Holding 2 messages.');
  await says(page, ids[0], 'held');
  await pick(ids[0]);
  await page.click('.bulk >> text=Release >> visible=true');
  await shown(page, 'Released 1 message.');
  await pick(ids[2]);
  await page.click('.bulk >> text=Retry >> visible=true');
  await shown(page, 'Retrying 1 message.');
  await pick(ids[1]);
  await page.click('.bulk .is-danger >> visible=true');
  await shown(page, '1 message is deleted in a minute.');
  await says(page, ids[1], 'going');
  await pick(ids[2]);
  await page.click('.bulk >> text=Bounce >> visible=true');
  await shown(page, '1 message goes back to its sender in a minute.');
  await page.goto(`${site.url}/trace/${ids[2]}`);
  await shown(page, 'It is going back to its sender');
  await page.waitForFunction(() => document.body.innerText.includes('Returned to the sender.'), null, { timeout: 90000 });
  await page.goto(`${site.url}/trace/${ids[1]}`);
  await shown(page, 'Deleted by an administrator.');
  await close(page);
});

test('all that match: the limit is what was shown, and more than that changes nothing', options, async () => {
  const first = 52;
  for (let i = 0; i < first; i++) await submit(`n${i}@${many}`, `many ${i}`);
  const page = await site.open({ path: `/queue?destination=${many}`, own: true });
  const actions = watchActions(page);
  await page.click('.filters [aria-pressed=true]'); // the list stands still
  await page.click('thead input');
  await page.click(`text=Select all ${first} that match`);
  await page.click('.bulk >> text=Hold >> visible=true');
  await shown(page, `Hold ${first} messages?`);
  await submit(`late@${many}`, 'late');
  await page.click('dialog .is-primary');
  await shown(page, `${first + 1} messages match now, more than were shown.`);
  assert.deepEqual(actions, [{ action: 'hold', select: { filter: { destination: [many] } }, max: first }]);
  await page.keyboard.press('Escape');
  await page.goto(`${site.url}/queue?group=destination&destination=${many}`);
  await settled(page);
  await page.click(`tr:has-text("${many}") button`);
  await shown(page, `Retry ${first + 1} messages?`);
  await page.click('dialog .is-primary');
  await shown(page, `Retrying ${first + 1} messages.`);
  assert.deepEqual(actions.at(-1), { action: 'retry', select: { filter: { destination: [many] } }, max: first + 1 });
  await close(page);
});

// Tokens

test('a token made on the page works for a program, with its rights alone, until it is revoked', options, async () => {
  const page = await site.open({ path: '/settings/tokens?add' });
  await page.fill('[name=name]', `report ${run}`);
  await page.click('dialog >> text=queue:read');
  await page.click('dialog .is-primary');
  await shown(page, 'Copy it now');
  const token = await page.innerText('.secret');
  await page.click('dialog >> text=Done');
  const ask = (url) => fetch(`${site.url}/api/v1${url}`, { headers: { Authorization: `Bearer ${token}` } });
  const answer = await ask(`/queue/messages?destination=${many}&limit=3`);
  assert.equal(answer.status, 200);
  assert.equal((await answer.json()).data.length, 3);
  assert.equal((await ask('/domains')).status, 403);
  await page.click(`tr:has-text("report ${run}") button`);
  await page.click('dialog .is-danger');
  await shown(page, `“report ${run}” is revoked.`);
  assert.equal((await ask('/queue/messages')).status, 401);
  await close(page);
});

// Language

test('in Portuguese nothing is left in another language', options, async () => {
  // Words of the catalogues in full-width letters: what is written in others comes from somewhere else.
  const wide = (text) =>
    text.replace(/\{\w+\}|[A-Za-z]/g, (c) => (c.length > 1 ? c : String.fromCodePoint(c.codePointAt(0) + 0xfee0)));
  const wideOf = (entry) =>
    typeof entry === 'string' ? wide(entry) : Object.fromEntries(Object.entries(entry).map(([form, text]) => [form, wide(text)]));
  const marked = (route) => {
    const name = new URL(route.request().url()).pathname.split('/').pop();
    const words = JSON.parse(readFileSync(fileURLToPath(new URL(`../../web/i18n/${name}`, import.meta.url)), 'utf8'));
    return route.fulfill({ json: Object.fromEntries(Object.entries(words).map(([key, entry]) => [key, wideOf(entry)])) });
  };
  const id = await submit(`pt@${away}`, 'Relatório');
  const page = await site.open({ locale: 'pt-BR', path: '/nowhere', own: true });
  await page.context().route('**/i18n/*pt-BR.json*', marked);
  const pages = ['/', '/queue', '/queue?group=destination', '/queue?group=reason', '/trace?q=Relat%C3%B3rio', `/trace/${id}`];
  pages.push('/domains', '/domains?add', `/domains/${domain}`, `/domains/${away}`, `/accounts?domain=${domain}`, `/accounts?add&domain=${domain}`);
  pages.push(`/accounts/${rita}`, '/aliases', '/aliases?add', '/aliases/sales@example.test', '/settings/server', '/settings/smtp');
  pages.push('/settings/auth', '/settings/queue', '/settings/relay', '/settings/tokens', '/settings/tokens?add', '/me', '/problems/csrf');
  for (const url of pages) {
    await page.goto(site.url + url);
    await settled(page);
    if (url.startsWith('/domains/')) await page.waitForSelector('td code'); // its DNS records, which come later
    const said = await page.evaluate(() => {
      const data = '.mono, code, kbd, time, .timeline, input, textarea, .brand, [lang="en"], .who, tbody b';
      const texts = [];
      const walker = document.createTreeWalker(document.querySelector('#app'), NodeFilter.SHOW_TEXT);
      for (let node = walker.nextNode(); node; node = walker.nextNode())
        if (node.parentElement.checkVisibility() && !node.parentElement.closest(data)) texts.push(node.data);
      for (const name of ['aria-label', 'title', 'placeholder'])
        for (const node of document.querySelectorAll(`#app [${name}]:not(tbody a)`)) texts.push(node.getAttribute(name));
      return texts;
    });
    const data = /[\w.+-]+@localhost|[\w.+-]*@?[\w-]+(\.[\w-]+)+|\bde [a-z]{3}\.?( de \d{4})?|Message-ID|PostgreSQL|TXT|SRV|CNAME|UTC/g;
    const names = /^(Ｒｅｍｏｖｅｒ ｆｉｌｔｒｏ: .* Relatório|Administrator|<b>come back<\/b> later|Rita <b>Lima<\/b>|Relatório|English)$/;
    const left = said.filter((text) => !names.test(text.trim()) && /[A-Za-z]{3}/.test(text.replace(data, '')));
    assert.deepEqual(left, [], url);
  }
  await close(page);
});
