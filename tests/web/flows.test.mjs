// What people do on the page, from signing in to the last of a thousand rows. Needs the fake server's story.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test, { after, before, beforeEach } from 'node:test';
import { assertQuiet, close, column, real, settled, startSite, until } from './site.mjs';
import { parse } from '../../web/app/sieve-rules.js';
import { PASSWORD } from './story.mjs';

const options = { skip: real };
let site;
before(async () => {
  if (!real) site = await startSite();
});
after(() => site?.close());
beforeEach(() => site?.server.reset());

/** Requests of this name that reached the server, oldest first. */
const sent = (name) => site.server.requests.filter((request) => request.name === name);
const body = (name) => sent(name).at(-1)?.body;
const shown = (page, text) => page.locator(`text=${text} >> visible=true`).first().waitFor();
const path = (page) => new URL(page.url()).pathname + new URL(page.url()).search;

/** More messages of one kind at the end of the fake's queue. */
function addMessages(count, change = {}) {
  const { queue } = site.server.state;
  for (let i = 0; i < count; i++)
    queue.push({
      ...structuredClone(queue[0]),
      id: `more${queue.length}`,
      accepted_at: new Date().toISOString(),
      ...change,
    });
}

// Signing in

test('a wrong password says so in one sentence, the right one leads where one wanted to go', options, async () => {
  const page = await site.open({ path: '/queue?state=held', signedIn: false });
  assert.equal(path(page), '/sign-in?to=%2Fqueue%3Fstate%3Dheld');
  await shown(page, 'Sign in to mail.example.org');
  await page.fill('[name=address]', 'alice@example.org');
  await page.fill('[name=password]', 'wrong');
  await page.keyboard.press('Enter');
  await shown(page, 'Address or password is wrong.');
  await page.fill('[name=address]', 'admin@example.org');
  await page.fill('[name=password]', PASSWORD);
  await page.keyboard.press('Enter');
  await page.waitForURL('**/queue?state=held');
  await settled(page);
  assert.deepEqual(await column(page, 3), ['bob@example.org']);
  await close(page);
});

test('a target on another site is never followed after signing in', options, async () => {
  for (const to of ['//evil.example', 'https://evil.example', 'evil']) {
    site.server.reset();
    const page = await site.open({ path: `/sign-in?to=${encodeURIComponent(to)}`, signedIn: false });
    await page.fill('[name=address]', 'admin@example.org');
    await page.fill('[name=password]', PASSWORD);
    await page.keyboard.press('Enter');
    await shown(page, 'Mail flows.');
    assert.equal(path(page), '/');
    await close(page);
  }
});

test('a one-time link is redeemed by a click only, leaves the URL, and asks for a password', options, async () => {
  const page = await site.open({ path: '/sign-in#link=good-link', signedIn: false });
  assert.equal(new URL(page.url()).hash, '');
  assert.equal(sent('POST /session/link').length, 0);
  await page.click('text=Use the link');
  await shown(page, 'Choose your password');
  assert.deepEqual(body('POST /session/link'), { token: 'good-link' });
  await page.fill('[name=password]', 'short');
  await page.click('.is-primary');
  await shown(page, 'This is too short.');
  assert.equal(await page.getAttribute('[name=password]', 'aria-invalid'), 'true');
  await page.fill('[name=password]', 'a long enough password');
  await page.click('.is-primary');
  await shown(page, 'Mail flows.');
  assert.deepEqual(body('PUT /me/password'), { password: 'a long enough password' });
  await close(page);
});

test('a used link offers the password instead', options, async () => {
  const page = await site.open({ path: '/sign-in#link=old-link', signedIn: false });
  await page.click('text=Use the link');
  await shown(page, 'This link was used before or is too old.');
  await page.click('text=Sign in with a password');
  await page.waitForSelector('[name=address]');
  await close(page);
});

test('a link works while somebody else is signed in, and can be left alone', options, async () => {
  const page = await site.open({ path: '/sign-in#link=good-link' });
  await shown(page, 'Use the link');
  await page.click('text=Sign in with a password');
  await shown(page, 'Mail flows.');
  await page.goto(`${site.url}/sign-in#link=good-link`);
  await page.click('text=Use the link');
  await shown(page, 'Choose your password');
  await close(page);
});

test('when the session ends, the page asks to sign in and comes back', options, async () => {
  const page = await site.open({ path: '/accounts' });
  site.server.state.session = null;
  await page.click('.menu >> text=Domains');
  await page.waitForURL('**/sign-in?to=%2Fdomains');
  await close(page);
});

test('signing out', options, async () => {
  const page = await site.open({ path: '/queue' });
  await page.click('.who');
  await page.click('text=Sign out');
  await page.waitForSelector('[name=password]');
  assert.equal(site.server.state.session, null);
  await close(page);
});

test('a person without a role sees the own account and nothing else', options, async () => {
  const page = await site.open({ path: '/', as: 'alice@example.org' });
  await page.waitForURL('**/me');
  assert.deepEqual(await page.locator('.menu a').allInnerTexts(), ['Your account', 'My mail', 'Devices', 'Filters', 'Security', 'Activity']);
  await page.goto(`${site.url}/queue`);
  await shown(page, 'There is no such page');
  await close(page);
});

// Overview

test(
  'Overview opens with one sentence and the problem; retrying a destination names what was shown',
  options,
  async () => {
    const page = await site.open({ path: '/' });
    assert.equal(await page.innerText('h1'), 'Mail flows. One thing needs you.');
    await shown(page, 'example.net has taken no mail for 42 min. 9 messages wait.');
    await page.click('tr:has-text("example.net") button');
    await shown(page, 'Retrying 9 messages.');
    assert.deepEqual(body('POST /queue/actions'), {
      action: 'retry',
      select: { filter: { destination: ['example.net'] } },
      max: 9,
    });
    await close(page);
  },
);

test('what is not measured is not shown', options, async () => {
  const { status } = site.server.state;
  site.server.state.status = () => {
    const { rates, series, disk, accept_p95_ms: _, ...rest } = status();
    return { ...rest, problems: [], verdict: 'ok' };
  };
  const page = await site.open({ path: '/' });
  assert.equal(await page.innerText('h1'), 'Mail flows. Nothing needs you.');
  assert.deepEqual(await page.locator('.figures > div > .muted').allInnerTexts(), ['Waiting', 'Being sent', 'Held']);
  assert.equal(await page.locator('.spark').count(), 0);
  assert.equal(await page.locator('dt:has-text("Disk")').count(), 0);
  await close(page);
});

// Queue

test('mail over time: ranges and the table are in the URL, with the same numbers', options, async () => {
  const page = await site.open({ path: '/' });
  await page.waitForSelector('.chart canvas');
  assert.equal(sent('GET /status/history').at(-1).query, '?range=24h');
  await page.click('.seg >> text=7 d');
  await shown(page, 'Mail of the last 7 days');
  assert.equal(path(page), '/?range=7d');
  assert.equal(sent('GET /status/history').at(-1).query, '?range=7d');
  await page.click('text=As a table');
  await page.waitForSelector('.chart-table');
  assert.equal(path(page), '/?range=7d&as=table');
  const history = site.server.state.history.get('7d');
  assert.equal(await page.locator('.chart-table tbody tr').count(), 168);
  assert.deepEqual(
    await page.locator('.chart-table tbody tr:nth-child(3) td').allInnerTexts(),
    ['accepted', 'delivered', 'deferred', 'refused'].map((line) => history[line].at(-3).toLocaleString('en-GB')),
  );
  await page.goBack();
  await page.waitForSelector('.chart-box:not([hidden]) canvas');
  await close(page);
});

test('mail over time by the keyboard: the numbers under the cursor are said', options, async () => {
  const page = await site.open({ path: '/?range=24h' });
  const { accepted, refused } = site.server.state.history.get('24h');
  const says = (i) => shown(page, `Accepted ${accepted.at(i)} · `);
  await page.focus('.chart-box');
  await page.keyboard.press('ArrowRight');
  await says(-1);
  await shown(page, 'so far');
  await page.keyboard.press('ArrowLeft');
  await says(-2);
  await page.keyboard.press('PageUp');
  await says(-12);
  assert.match(await page.innerText('.chart [role=status]'), new RegExp(`Refused ${refused.at(-12)}$`));
  await page.keyboard.press('Home');
  await says(0);
  await page.keyboard.press('ArrowLeft');
  await says(0);
  await page.keyboard.press('End');
  await says(-1);
  await page.keyboard.press('Escape');
  await shown(page, 'Point at the chart');
  assert.equal(path(page), '/?range=24h');
  await close(page);
});

/** Whether a colour of the theme is drawn on the chart. */
const draws = (page, name) =>
  page.waitForFunction((token) => {
    const canvas = document.querySelector('.chart canvas');
    const probe = new OffscreenCanvas(1, 1).getContext('2d');
    probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(`--${token}`).trim();
    probe.fillRect(0, 0, 1, 1);
    const want = probe.getImageData(0, 0, 1, 1).data;
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d');
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
    for (let i = 0; i < data.length; i += 4)
      if (data[i] === want[0] && data[i + 1] === want[1] && data[i + 2] === want[2] && data[i + 3] === 255) return true;
    return false;
  }, name);

test('mail over time follows the theme, the width and the language', options, async () => {
  const page = await site.open({ path: '/' });
  for (const name of ['accent', 'fail', 'hairline']) await draws(page, name);
  await page.emulateMedia({ colorScheme: 'dark' });
  for (const name of ['accent', 'fail', 'hairline']) await draws(page, name);
  await page.click('.who');
  await page.selectOption('.sheet select >> nth=0', 'light');
  assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue('--accent').trim()), '#1456b8');
  await draws(page, 'accent');
  await page.selectOption('.sheet select >> nth=1', 'pt-BR');
  await shown(page, 'Mensagens das últimas 24 horas');
  await draws(page, 'accent');
  await page.keyboard.press('Escape');
  await page.setViewportSize({ width: 500, height: 900 });
  await page.waitForFunction(() => document.querySelector('.chart canvas').clientWidth === document.querySelector('.chart-box').clientWidth);
  assert.ok((await page.locator('.chart canvas').boundingBox()).width <= 468);
  await draws(page, 'accent');
  await close(page);
});

test('mail over time says that there was none, and that it could not be read', options, async () => {
  site.server.state.quiet = true;
  const page = await site.open({ path: '/?range=1h' });
  await shown(page, 'No mail in this time.');
  site.server.fail('GET /status/history', 503, 'database-unavailable');
  await page.click('.seg >> text=30 d');
  await shown(page, 'The figures could not be read.');
  assert.equal(await page.locator('.figures').count(), 1, 'the rest of the page lives');
  site.server.heal('GET /status/history');
  await page.click('text=Try again');
  await page.waitForSelector('.chart canvas');
  await close(page);
});

test('filters are in the URL; back, forward and a copied link show the same', options, async () => {
  const page = await site.open({ path: '/queue' });
  await page.click('.filters >> text=Filter');
  await page.selectOption('.add-filter select >> nth=0', 'destination');
  await page.fill('.add-filter input', 'gmail.com');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/queue?destination=gmail.com');
  await settled(page);
  assert.deepEqual(await column(page, 3), ['news@example.org', 'alice@example.org', 'paulo@example.org']);
  await page.goBack();
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 14);
  await page.goForward();
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 3);
  await page.click('[aria-label="Remove filter: Destination gmail.com"]');
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 14);
  assert.equal(path(page), '/queue');
  await close(page);
});

test('an empty list says what it means', options, async () => {
  const page = await site.open({ path: '/queue?destination=nowhere.example' });
  await shown(page, 'No message matches');
  site.server.state.queue.length = 0;
  await page.click('text=Remove all filters');
  await shown(page, 'Nothing waits');
  await close(page);
});

test('retry of chosen rows acts at once, and says what it left alone', options, async () => {
  const page = await site.open({ path: '/queue' });
  for (const row of [2, 3, 11]) await page.click(`tbody tr:nth-child(${row}) input`); // the last is being sent
  assert.equal(await page.innerText('.bulk b'), '3 selected');
  await page.keyboard.press('r');
  await shown(page, 'Retrying 2 messages. 1 is being sent just now and was left alone.');
  assert.deepEqual(body('POST /queue/actions'), { action: 'retry', select: { ids: ['q7f3k9', 'q7f3m0', 'q7f3w0'] } });
  await page.waitForSelector('.bulk', { state: 'detached' });
  await close(page);
});

test('hold and release', options, async () => {
  const page = await site.open({ path: '/queue' });
  await page.click('tbody tr:nth-child(1) input');
  await page.click('.bulk >> text=Hold >> visible=true');
  await page.waitForFunction(() => document.querySelector('tbody tr').innerText.includes('held'));
  await page.click('tbody tr:nth-child(1) input');
  assert.equal(await page.locator('.bulk >> text=Retry >> visible=true').count(), 0);
  await page.click('.bulk >> text=Release >> visible=true');
  await shown(page, 'Released 1 message.');
  assert.equal(body('POST /queue/actions').action, 'release');
  await close(page);
});

test('deleting is at once, and a button takes it back as long as the message is there', options, async () => {
  const page = await site.open({ path: '/queue' });
  await page.click('tbody tr:nth-child(2) input');
  await page.click('.bulk .is-danger >> visible=true');
  await shown(page, '1 message is deleted in a minute.');
  await page.waitForFunction(() => document.querySelector('tbody tr:nth-child(2)').innerText.includes('going'));
  await page.focus('.toast .button');
  await page.keyboard.press('Enter');
  await shown(page, '1 message is as it was.');
  await page.waitForFunction(() => !document.querySelector('tbody').innerText.includes('going'));
  assert.deepEqual(body('POST /queue/undo'), { undo: 'u1' });
  await close(page);
});

test('the message of an undo stays while it has the focus, and goes by itself without', options, async () => {
  const page = await site.open({ path: '/queue' });
  await page.click('tbody tr:nth-child(2) input');
  await page.click('.bulk >> text=Hold >> visible=true');
  await page.focus('.toast .button');
  await page.waitForTimeout(11500);
  assert.equal(await page.locator('.toast').count(), 1);
  await page.focus('h1');
  await page.locator('.toast').waitFor({ state: 'detached', timeout: 12000 });
  await close(page);
});

test('another time and another way are asked for in one dialog', options, async () => {
  const page = await site.open({ path: '/queue' });
  await page.click('tbody tr:nth-child(2) input');
  await page.click('.bulk >> text=Change time >> visible=true');
  await shown(page, 'When is 1 message tried next?');
  await page.selectOption('[name=when]', '+4h');
  await page.click('dialog .is-primary');
  await shown(page, '1 message has another time.');
  assert.deepEqual(body('POST /queue/actions'), { action: 'reschedule', select: { ids: ['q7f3k9'] }, at: '+4h' });
  await page.click('tbody tr:nth-child(2) input');
  await page.click('.bulk >> text=Reroute >> visible=true');
  assert.ok(await page.isDisabled('dialog .is-primary'));
  await page.fill('[name=route]', 'nonsense,tls=none');
  await page.click('dialog .is-primary');
  await page.waitForSelector('dialog [aria-invalid=true]');
  await page.fill('[name=route]', '[relay.example.net]:25');
  await page.click('dialog .is-primary');
  await shown(page, '1 message goes another way.');
  assert.equal(body('POST /queue/actions').route, '[relay.example.net]:25');
  await page.goto(`${site.url}/trace/q7f3k9`);
  await shown(page, '[relay.example.net]:25');
  await page.click('[aria-label="More actions"]');
  await page.click('.sheet >> text=Reroute >> visible=true');
  await page.click('text=Back to the recipients');
  await page.click('dialog .is-primary');
  await shown(page, '1 message goes another way.');
  assert.equal(body('POST /queue/actions').route, null);
  await close(page);
});

test('a destination is paused from its group, and resumed', options, async () => {
  const page = await site.open({ path: '/queue?group=destination' });
  await page.click('tbody tr:nth-child(1) >> text=Pause');
  await page.fill('[name=reason]', 'they move house');
  await page.selectOption('[name=until]', '+4h');
  await page.click('dialog .is-primary');
  await shown(page, 'they move house');
  const name = (await column(page, 1))[0];
  assert.deepEqual(body(`PATCH /queue/destinations/${name}`), { paused: { until: '+4h', reason: 'they move house' } });
  await page.click('tbody tr:nth-child(1) >> text=Resume');
  await shown(page, `${name} is served again.`);
  await page.waitForFunction(() => !document.querySelector('tbody').innerText.includes('they move house'));
  await close(page);
});

test('a rule that holds new mail: added, refused at its field, removed', options, async () => {
  const page = await site.open({ path: '/queue' });
  await page.click('text=Hold rules');
  await shown(page, 'No rule holds new mail');
  await page.click('text=Add a rule >> visible=true');
  await page.fill('[name=what]', 'bob');
  await page.click('dialog .is-primary');
  await page.waitForSelector('dialog [aria-invalid=true]');
  await page.fill('[name=what]', 'bob@example.org');
  await page.fill('[name=reason]', 'looks stolen');
  await page.click('dialog .is-primary');
  await shown(page, 'New mail of bob@example.org is held.');
  await shown(page, 'looks stolen');
  assert.deepEqual(body('POST /queue/holds'), { sender: 'bob@example.org', until: null, reason: 'looks stolen' });
  await page.click('tbody button');
  await shown(page, 'No rule holds new mail');
  await close(page);
});

test('the schedule shows its times while it is edited', options, async () => {
  const page = await site.open({ path: '/settings/queue' });
  await shown(page, 'When it is tried');
  const field = page.getByLabel('Times between attempts');
  await field.fill('10m 1h');
  await page.getByLabel('Give up after').fill('3h');
  await shown(page, '5 attempts:');
  assert.match(await page.innerText('section.setting'), /at once · after 10 min · after .*; then it is returned/s);
  await field.fill('10m x');
  await page.waitForFunction(() => !document.querySelector('section.setting'));
  await close(page);
});

test('more than a thousand are an operation with its progress', options, async () => {
  addMessages(1200);
  const page = await site.open({ path: '/queue' });
  await page.click('thead input');
  await page.click('text=Select all 1,214 that match');
  await page.click('.bulk >> text=Hold >> visible=true');
  await page.fill('dialog input', '1214');
  await page.click('dialog .is-primary');
  await page.waitForSelector('progress');
  await shown(page, '700 of 1,214 done');
  await shown(page, 'Holding 1,212 messages.');
  assert.equal(await page.locator('progress').count(), 0);
  await close(page);
});

test('what can no longer be undone says so', options, async () => {
  const page = await site.open({ path: '/queue' });
  await page.click('tbody tr:nth-child(2) input');
  await page.click('.bulk >> text=Hold >> visible=true');
  await page.waitForSelector('.toast .button');
  site.server.state.undo.length = 0;
  await page.click('.toast .button >> nth=0');
  await shown(page, 'It can no longer be undone.');
  await close(page);
});

test(
  'all that match: a filter and a limit, asked about, refused as a whole when more match by then',
  options,
  async () => {
    addMessages(100);
    const page = await site.open({ path: '/queue?state=deferred' });
    await page.click('thead input');
    assert.equal(await page.innerText('.bulk b'), '50 selected');
    await page.click('text=Select all 112 that match');
    await page.click('.bulk >> text=Retry >> visible=true');
    await shown(page, 'Retry 112 messages?');
    await page.locator('dialog dd >> text=example.net').waitFor();
    addMessages(1);
    await page.click('dialog .is-primary');
    await shown(page, '113 messages match now, more than were shown.');
    assert.deepEqual(body('POST /queue/actions'), {
      action: 'retry',
      select: { filter: { state: ['deferred'] } },
      max: 112,
    });
    await close(page);
  },
);

test('more than 500 need their number typed', options, async () => {
  addMessages(600);
  const page = await site.open({ path: '/queue' });
  await page.click('thead input');
  await page.click('text=Select all 614 that match');
  await page.click('.bulk .is-danger >> visible=true');
  await shown(page, 'Type 614 to go on');
  assert.ok(await page.isDisabled('dialog .is-danger'));
  await page.fill('dialog input', '613');
  assert.ok(await page.isDisabled('dialog .is-danger'));
  await page.fill('dialog input', '614');
  await page.click('dialog .is-danger');
  await shown(page, '613 messages are deleted in a minute. 1 is being sent just now and was left alone.');
  assert.deepEqual(body('POST /queue/actions'), { action: 'delete', select: { all: true }, max: 614 });
  await close(page);
});

test('pages by cursor, and back to the first', options, async () => {
  addMessages(60);
  const page = await site.open({ path: '/queue' });
  assert.equal((await column(page, 1)).length, 50);
  await page.click('text=Newer');
  await page.waitForURL('**/queue?cursor=50');
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 24);
  await page.click('text=First page');
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 50);
  await close(page);
});

test('range by Shift-click', options, async () => {
  const page = await site.open({ path: '/queue' });
  await page.click('tbody tr:nth-child(2) input');
  await page.click('tbody tr:nth-child(6) input', { modifiers: ['Shift'] });
  assert.equal(await page.innerText('.bulk b'), '5 selected');
  await close(page);
});

// Live

test(
  'rows never jump under the pointer: new ones are offered, gone ones are marked, changed ones change',
  options,
  async () => {
    const page = await site.open({ path: '/queue' });
    await page.hover('tbody tr:nth-child(4)');
    const before = await page
      .locator('tbody tr')
      .evaluateAll((rows) => rows.map((row) => [row.dataset.id, row.getBoundingClientRect().top]));
    const { queue } = site.server.state;
    queue.splice(1, 1);
    queue[2].state = 'sending';
    addMessages(2);
    site.server.emit('queue.changed', { id: 'q7f3k9', state: 'relayed' });
    await shown(page, 'Show 2 new');
    const after = await page
      .locator('tbody tr')
      .evaluateAll((rows) => rows.map((row) => [row.dataset.id, row.getBoundingClientRect().top]));
    assert.deepEqual(after, before);
    assert.match(await page.innerText('tbody tr:nth-child(2)'), /left the queue/);
    assert.match(await page.innerText('tbody tr:nth-child(4)'), /sending/);
    await page.click('text=Show 2 new');
    await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 15);
    await close(page);
  },
);

test('events refresh at most once a second, and not while switched off', options, async () => {
  const page = await site.open({ path: '/queue' });
  await page.waitForFunction(() => document.querySelector('.filters [aria-pressed=true] .is-ok'));
  const count = () => sent('GET /queue/messages').length;
  const first = count();
  for (let i = 0; i < 20; i++) site.server.emit('queue.changed', { id: 'x', state: 'deferred' });
  await page.waitForFunction(
    (n) => performance.getEntriesByType('resource').filter((e) => e.name.includes('/queue/messages')).length > n,
    first,
  );
  assert.ok(count() <= first + 2, `${count() - first} requests for 20 events`);
  await page.keyboard.press('.');
  await shown(page, 'Live updates are off.');
  const off = count();
  addMessages(1);
  site.server.emit('queue.changed', { id: 'x', state: 'deferred' });
  await page.keyboard.press('.');
  await shown(page, 'Live updates are on.');
  await page.waitForFunction(
    () => document.querySelectorAll('tbody tr').length === 15 || document.body.innerText.includes('Show 1 new'),
  );
  assert.ok(count() > off);
  await close(page);
});

test('what comes when the page has gone and its last effects have not, looks for nothing of it', options, async () => {
  const page = await site.open({ path: '/queue', own: true });
  await page.waitForFunction(() => document.querySelector('.filters [aria-pressed=true] .is-ok'));
  await page.evaluate(async () => {
    const preact = await import('preact');
    preact.options.requestAnimationFrame = () => {}; // a busy machine: effects come late, here never
  });
  await page.selectOption('.filters select', 'destination');
  await page.getByRole('region', { name: 'Queue by group' }).locator('tbody tr').first().waitFor();
  const groups = page.waitForResponse(/group=destination/);
  const before = sent('GET /queue/messages').length;
  site.server.emit('queue.changed', { id: 'x', state: 'relayed' });
  await groups;
  assert.equal(sent('GET /queue/messages').length, before + 1, 'the list that has gone asks no more');
  await page.keyboard.press('j');
  await close(page);
});

test('two tabs share one stream, and the second takes over', options, async () => {
  const page = await site.open({ path: '/queue' });
  const second = await page.context().newPage();
  await second.goto(`${site.url}/queue`);
  await second.waitForFunction(() => document.querySelector('.filters [aria-pressed=true] .is-ok'));
  assert.equal(site.server.streams, 1);
  const own = second.waitForResponse(/\/events/);
  await page.close();
  site.server.state.queue.length = 0;
  await own;
  await second.waitForFunction(async () => (await navigator.locks.query()).held.length === 1);
  await until(() => site.server.streams === 1);
  site.server.emit('queue.changed', { id: 'x', state: 'relayed' });
  await second.waitForFunction(() => /Nothing waits|Show the list as it is now/.test(document.body.innerText));
  await second.context().close();
});

test('a cut stream is shown as such, and heals', options, async () => {
  const page = await site.open({ path: '/queue' });
  await page.waitForFunction(() => document.querySelector('.filters [aria-pressed=true] .is-ok'));
  site.server.cut();
  await page.waitForSelector('.stale', { timeout: 10000 });
  assert.match(await page.innerText('.stale'), /Connection lost \d+ s ago, showing \d\d:\d\d:\d\d\. Trying again\./);
  site.server.mend();
  await page.waitForSelector('.stale', { state: 'detached', timeout: 15000 });
  await close(page);
});

// Failures

test(
  'a failure names what, why and the request; the rest of the page lives; trying again heals it',
  options,
  async () => {
    site.server.fail('GET /queue/messages', 503, 'database-unavailable');
    const page = await site.open({ path: '/queue' });
    await shown(page, 'The queue could not be read.');
    await shown(page, 'The database does not answer.');
    await shown(page, '01JD7K2M');
    await shown(page, '12 wait, 1 held, 1 being sent.');
    site.server.heal('GET /queue/messages');
    await page.click('text=Try again');
    await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 14);
    await close(page);
  },
);

test('the server being away at the start is said', options, async () => {
  site.server.fail('GET /session', 503, 'database-unavailable');
  const page = await site.browser.newPage();
  await page.goto(site.url);
  await shown(page, 'The server does not answer as it should.');
  await page.context().close();
});

test('nobody overwrites another: stale edits are refused, and the newer version can be taken', options, async () => {
  const page = await site.open({ path: '/accounts/alice@example.org' });
  const alice = site.server.state.accounts.find((account) => account.address === 'alice@example.org');
  Object.assign(alice, { name: 'Alice de Souza', version: alice.version + 1 });
  await page.fill('[name=name]', 'Alice S.');
  await page.click('.form .is-primary');
  await shown(page, 'Somebody saved another version meanwhile.');
  assert.equal(alice.name, 'Alice de Souza');
  await page.click('text=Show the newer version');
  assert.equal(await page.inputValue('[name=name]'), 'Alice de Souza');
  await page.fill('[name=name]', 'Alice S.');
  await page.click('.form .is-primary');
  await shown(page, 'Saved.');
  assert.equal(alice.name, 'Alice S.');
  await close(page);
});

// One message

test('a message: the reason first, the dialogue, and what can be done', options, async () => {
  const page = await site.open({ path: '/trace/q7f3k9' });
  assert.equal(await page.innerText('.lead'), 'Waiting: example.net refuses our connection.');
  assert.match(await page.innerText('.dialogue'), /MAIL FROM:<alice@example.org> SIZE=41230/);
  assert.match(
    await page.innerText('.timeline'),
    /Attempt 3 .*mx1\.example\.net 192\.0\.2\.10, 214 ms, TLS 1\.3, verified by mta-sts/s,
  );
  await page.keyboard.press('h');
  await shown(page, 'Held since');
  await page.click('text=Release >> visible=true');
  await shown(page, 'Released 1 message.');
  await page.click('.head >> text=Bounce >> visible=true');
  await shown(page, '1 message goes back to its sender in a minute.');
  await shown(page, 'It is going back to its sender');
  assert.deepEqual(
    sent('POST /queue/actions').map((request) => request.body.action),
    ['hold', 'release', 'bounce'],
  );
  await page.waitForFunction(() => !document.querySelector('.head .is-danger'));
  await close(page);
});

test('a message: its header at once, its source for a reason, both as text', options, async () => {
  const page = await site.open({ path: '/trace/q7f3k9' });
  await page.click('text=Show the header');
  assert.match(await page.innerText('.source'), /X-Evil: <img src=x onerror=alert\(1\)>/);
  await page.click('text=Hide the header');
  assert.equal(await page.locator('.source').count(), 0);
  site.server.state.stale = true;
  await page.click('text=Show the source');
  assert.equal(await page.locator('dialog button:has-text("Read it")').isDisabled(), true);
  await page.fill('[name=reason]', 'abuse case 12');
  await page.keyboard.press('Enter');
  await page.fill('dialog [name=password]', PASSWORD);
  await page.keyboard.press('Enter');
  await page.waitForSelector('.source');
  assert.match(await page.innerText('.source'), /<b>hello<\/b>/);
  assert.equal(sent('GET /queue/messages/q7f3k9/source').at(-1).query, '?reason=abuse+case+12');
  const [file] = await Promise.all([page.waitForEvent('download'), page.click('text=Save as a file')]);
  assert.equal(file.suggestedFilename(), 'q7f3k9.eml');
  await close(page);
});

test('many recipients are listed, first twenty, then all', options, async () => {
  const page = await site.open({ path: '/trace/q7f3q4' });
  assert.equal((await column(page, 2)).length, 20);
  await page.click('text=Show all 300 recipients');
  assert.equal((await column(page, 2)).length, 300);
  await close(page);
});

test('trace finds a message by what is pasted', options, async () => {
  const page = await site.open({ path: '/trace' });
  await page.keyboard.press('/');
  await page.keyboard.type('invoice 4711');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/trace?q=invoice+4711');
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1);
  await page.click('tbody a');
  await page.waitForURL('**/trace/q7f3k9');
  await close(page);
});

test('a search goes on while the server has found nothing yet, and ends where the server does', options, async () => {
  const page = await site.open({ path: '/domains' });
  const asked = [];
  await page.route('**/api/v1/traces?*', async (route) => {
    const url = route.request().url();
    const query = new URL(url).searchParams;
    const cursor = query.get('cursor');
    asked.push(cursor);
    if (cursor === 'older') return route.continue({ url: url.replace('&cursor=older', '') });
    const end = query.get('q') === 'nothing' ? null : 'older';
    return route.fulfill({ json: { data: [], next: cursor === null ? 'old' : end } });
  });
  await page.goto(`${site.url}/trace?q=invoice+4711`);
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1);
  assert.deepEqual(asked, [null, 'old', 'older']);
  await page.goto(`${site.url}/trace?q=nothing`);
  await shown(page, 'No message matches');
  await page.unroute('**/api/v1/traces?*');
  await close(page);
});

// Objects

test('add a domain, change it, delete it', options, async () => {
  const page = await site.open({ path: '/domains' });
  await page.keyboard.press('c');
  await page.keyboard.press('d');
  await page.waitForURL('**/domains?add');
  await page.fill('[name=name]', 'not a domain');
  await page.click('dialog .is-primary');
  await shown(page, 'This is not written as it must be.');
  await page.waitForFunction(() => document.activeElement.name === 'name');
  await page.fill('[name=name]', 'example.org');
  await page.click('dialog .is-primary');
  await shown(page, 'This domain is here already, perhaps as a deleted one.');
  await page.fill('[name=name]', 'example.test');
  await page.click('text=Relay: mail is taken');
  await page.fill('[name=route]', '[mx.example.test]:25');
  await page.click('dialog .is-primary');
  await page.waitForURL('**/domains/example.test');
  assert.deepEqual(body('PUT /domains/example.test'), { kind: 'relay', route: '[mx.example.test]:25' });
  await shown(page, 'MX 10 mail.example.org.');
  await page.fill('[name=route]', 'nonsense');
  await page.click('.form .is-primary');
  await shown(page, 'This is not written as it must be.');
  await page.click('main .is-danger');
  await page.click('dialog .is-danger');
  await page.waitForURL('**/domains');
  await shown(page, 'example.test is deleted.');
  await close(page);
});

test('who administers a domain: added, taken out, back by Undo', options, async () => {
  const page = await site.open({ path: '/domains/example.org' });
  await page.click('.tabs >> text=Admins');
  await page.waitForURL('**/domains/example.org/admins');
  await page.click('text=Add administrator');
  await page.fill('[name=address]', 'nobody@example.org');
  await page.click('dialog .is-primary');
  await shown(page, 'There is no such account on this server.');
  await page.fill('[name=address]', 'admin@example.org');
  await page.click('dialog .is-primary');
  await shown(page, 'A system administrator looks after every domain already.');
  await page.fill('[name=address]', 'bob@example.org');
  await page.click('dialog .is-primary');
  await shown(page, 'bob@example.org administers example.org.');
  await page.click('[aria-label="Remove carol@example.org"]');
  await shown(page, 'carol@example.org no longer administers example.org.');
  await page.click('.toast >> text=Undo');
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 2);
  await close(page);
});

test('the quota of a domain', options, async () => {
  const page = await site.open({ path: '/domains/example.org' });
  await shown(page, '28 of 100 GB');
  await page.fill('[name=quota]', 'much');
  await page.click('.form .is-primary');
  await page.waitForSelector('.form [aria-invalid=true]');
  await page.fill('[name=quota]', '200');
  await page.click('.form .is-primary');
  await shown(page, '28 of 200 GB');
  assert.deepEqual(body('PATCH /domains/example.org').quota, { limit: 200e9 });
  await close(page);
});

test('a domain with accounts goes only when its name is typed', options, async () => {
  const page = await site.open({ path: '/domains/example.org' });
  await page.click('main .is-danger');
  assert.ok(await page.isDisabled('dialog .is-danger'));
  await page.fill('dialog input', 'example.org');
  await page.click('dialog .is-danger');
  await page.waitForURL('**/domains');
  assert.equal(sent('DELETE /domains/example.org').at(-1).query, '?force=true');
  await close(page);
});

test('add an account with a link, and one with a password', options, async () => {
  const page = await site.open({ path: '/accounts?add' });
  await page.fill('[name=address]', 'rita@nowhere.example');
  await page.click('dialog .is-primary');
  await shown(page, 'Its domain is not a domain of this server.');
  await page.fill('[name=address]', 'rita@example.org');
  await page.fill('[name=name]', 'Rita');
  await page.click('dialog .is-primary');
  await shown(page, 'Link for rita@example.org');
  assert.match(await page.innerText('.secret'), /\/sign-in#link=/);
  await page.click('dialog >> text=Done');
  assert.equal(path(page), '/accounts');
  await shown(page, 'rita@example.org');
  await page.click('text=Add account');
  await page.fill('[name=address]', 'sara@example.org');
  await page.click('text=With a password that I set now');
  await page.fill('[name=password]', 'password1234');
  await page.click('dialog .is-primary');
  await shown(page, 'This password is among the most used ones; choose another.');
  await page.fill('[name=password]', 'nine green bottles');
  await page.click('dialog .is-primary');
  await shown(page, 'sara@example.org is added.');
  await close(page);
});

/** Chooses a file of this text on the page of imports. */
const choose = (page, text, name = 'accounts.csv') =>
  page.setInputFiles('[name=file]', { name, mimeType: 'text/csv', buffer: Buffer.from(text) });

test('accounts from a file: bad lines are named, then it is done, with links to hand over', options, async () => {
  const page = await site.open({ path: '/accounts' });
  await page.click('text=Import >> visible=true');
  await shown(page, 'The file is checked as a whole first');
  await choose(page, 'address,name,role\nzoe@example.org,Zoe,\nnobody,x,king\nbob@example.org,Robert,\n');
  await shown(page, '2 lines are wrong');
  const table = page.locator('table[aria-label="Bad lines"] tbody tr');
  assert.deepEqual(await table.evaluateAll((rows) => rows.map((row) => [...row.cells].map((cell) => cell.innerText.trim()).join('|'))), [
    '3|nobody|address|This is not written as it must be; quotes must be closed, and the file must be UTF-8.',
    '3|nobody|role|This is none of the possible values.',
    '4|bob@example.org|address|An account or an alias has this address already.',
  ]);
  assert.equal(await page.locator('text=Import 1 account').count(), 0);
  await page.click('[name=update]');
  await shown(page, '1 line is wrong');
  assert.equal(sent('POST /import').at(-1).query, '?update=true&dry_run=true');

  await choose(page, 'address,name\nzoe@example.org,Zoe\nyan@example.org,=1\nxiu@example.org,Xiu\nbob@example.org,Robert\nalice@example.org,Alice Souza\n');
  await shown(page, 'All lines are right');
  await shown(page, '3 new accounts · 1 to change · 1 as it is');
  await page.click('text=Import 4 accounts');
  await page.waitForSelector('progress');
  await shown(page, 'The import is done');
  assert.equal(path(page), '/accounts/import?operation=o2');
  await shown(page, 'http://mail.example.org/sign-in#link=2-');
  assert.deepEqual(sent('POST /operations/o2/links').map((one) => one.body), [{ after: 0 }, { after: 3 }]);
  assert.equal(await page.locator('table[aria-label="Links to hand over"] tbody tr').count(), 3);
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('text=Save as CSV')]);
  assert.equal(download.suggestedFilename(), 'links.csv');
  assert.match(readFileSync(await download.path(), 'utf8'), /^address,name,link\r\nzoe@example\.org,Zoe,http.*\r\nyan@example\.org,'=1,http/);

  await page.reload();
  await shown(page, 'The import is done');
  await page.click('text=Make links');
  await shown(page, 'http://mail.example.org/sign-in#link=2-');
  assert.equal(sent('POST /import').filter((one) => !one.query.includes('dry_run')).length, 1);
  await close(page);
});

test('accounts as a file: what the list shows', options, async () => {
  const page = await site.open({ path: '/accounts?q=ali&state=active&state=deleted' });
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('text=Export >> visible=true')]);
  assert.equal(download.suggestedFilename(), 'accounts.csv');
  assert.match(readFileSync(await download.path(), 'utf8'), /^address,name\r\nalice@example\.org,/);
  assert.deepEqual(body('POST /export'), { q: 'ali', state: ['active'] });
  site.server.fail('POST /export', 503, 'database-unavailable');
  await page.click('text=Export >> visible=true');
  await page.waitForSelector('.toast');
  await close(page);
});

test('filters: a new one, an error at its line, active, renamed, deleted', options, async () => {
  const page = await site.open({ path: '/accounts/bob@example.org' });
  await page.click('.tabs >> text=Filters');
  await shown(page, 'No filters');
  await page.click('text=New filter >> visible=true');
  await page.fill('[name=name]', 'first');
  await page.click('dialog .is-primary');
  await page.waitForURL('**/accounts/bob@example.org/filters/first');
  await page.fill('[name=script]', 'keep;\n\u00e1\u00e1 nonsense;\n');
  await page.click('main .is-primary');
  await shown(page, 'Line 2, column 4: "nonsense" is no command.');
  assert.equal(await page.locator('.gutter .is-wrong').innerText(), '2');
  assert.equal(await page.evaluate(() => document.activeElement.selectionStart), 'keep;\n\u00e1\u00e1 '.length);
  assert.equal(await page.evaluate(() => document.activeElement.name), 'script');
  assert.equal(await page.getAttribute('[name=script]', 'aria-invalid'), 'true');
  await page.fill('[name=script]', 'keep;\n');
  await page.click('main .is-primary');
  await shown(page, 'Saved.');
  assert.deepEqual(sent('PUT /accounts/bob@example.org/filters/first').at(-1).headers['if-match'], '"1"');
  await page.click('text=Activate');
  await shown(page, 'first is active now.');
  await page.click('[aria-label="More actions"]');
  await page.click('text=Rename >> visible=true');
  await page.fill('dialog [name=name]', 'main filter');
  await page.click('dialog .is-primary');
  await page.waitForURL('**/filters/main%20filter');
  await page.click('[aria-label="More actions"]');
  await page.click('text=Delete filter >> visible=true');
  await shown(page, 'new mail is not filtered by it any more');
  await page.click('dialog .is-danger');
  await page.waitForURL('**/accounts/bob@example.org/filters');
  await shown(page, 'No filters');
  await close(page);
});

test('filters of a domain and of all mail: a place for each, several are active', options, async () => {
  const page = await site.open({ path: '/domains/example.org' });
  await page.click('.tabs >> text=Filters');
  await shown(page, 'Before people\u2019s filters');
  await page.click('text=New filter >> visible=true');
  await page.fill('[name=name]', 'footer');
  await page.selectOption('[name=place]', 'after');
  await page.click('dialog .is-primary');
  await page.waitForURL('**/domains/example.org/filters/after/footer');
  await page.fill('[name=script]', 'keep;\n');
  await page.click('main .is-primary');
  await shown(page, 'Saved.');
  await page.click('text=Activate');
  await shown(page, 'footer is active now.');
  await page.keyboard.press('Escape');
  await page.waitForURL('**/domains/example.org/filters');
  await page.waitForSelector('.open:text-is("footer")');
  assert.deepEqual(await column(page, 3), ['active', 'active']);

  await page.goto(`${site.url}/settings/filters`);
  await shown(page, 'Where a filter includes it');
  assert.deepEqual(await column(page, 3), ['active', 'not active', '']);
  assert.equal(await page.locator('[aria-label="Activate lists"]').count(), 0, 'it is included, never active');
  await page.click('[aria-label="Activate company"]');
  await shown(page, 'company is active now.');
  assert.deepEqual(await column(page, 3), ['active', 'active', '']);
  assert.equal(sent('PATCH /filters/after/company').length, 1);
  await page.click('.open:text-is("spam")');
  await page.waitForURL('**/settings/filters/before/spam');
  assert.equal(await page.locator('text=Try a message').count(), 0);
  await close(page);
});

test('filters: activated in the list, and somebody else was faster in the text', options, async () => {
  const page = await site.open({ path: '/accounts/alice@example.org/filters' });
  await page.click('[aria-label="Activate away"]');
  await shown(page, 'away is active now.');
  assert.deepEqual(await column(page, 2), ['active', 'not active']);
  await page.click('.open:text-is("main")');
  await page.waitForSelector('[name=script]');
  Object.assign(site.server.state.filters.get('alice@example.org')[1], { script: 'discard;', version: 9 });
  await page.fill('[name=script]', 'keep;');
  await page.click('main .is-primary');
  await shown(page, 'Somebody saved another version meanwhile.');
  await page.click('text=Show the newer version');
  assert.equal(await page.inputValue('[name=script]'), 'discard;');
  await close(page);
});

test('a trial of a message says what would be done, step by step', options, async () => {
  const page = await site.open({ path: '/me/filters', as: 'alice@example.org' });
  await page.click('button:text-is("Try")');
  await shown(page, 'This is too short.');
  await page.fill('[name=message]', 'list-id: <news.example.net>\n\nhello\n');
  await page.fill('[name=from]', 'joe');
  await page.click('button:text-is("Try")');
  await shown(page, 'This is not written as it must be.');
  await page.fill('[name=from]', 'joe@example.net');
  await page.click('button:text-is("Try")');
  await shown(page, 'Stored in INBOX. There is no folder Lists/News.');
  assert.deepEqual(await page.locator('.trial code').allInnerTexts(), ['if', 'header', 'fileinto']);
  assert.deepEqual(body('POST /me/filters/test'), { message: 'list-id: <news.example.net>\n\nhello\n', from: 'joe@example.net' });
  await close(page);
});

const savedRules = (name) => parse(body(name).script);

test('rules by form: made, all that is missing said at once, saved as a script, in their new order', options, async () => {
  const page = await site.open({ path: '/me/filters', as: 'bob@example.org' });
  await page.click('text=Make rules >> visible=true');
  await page.waitForURL('**/me/filters/rules');
  await shown(page, 'No rules. New mail goes to the inbox.');
  assert.deepEqual(body('PATCH /me/filters/rules'), { active: true });

  await page.click('text=Add rule');
  assert.equal(await page.evaluate(() => document.activeElement.closest('[data-at]').dataset.at), '/rules/0/conditions/0');
  await page.click('text=Add condition');
  await page.click('text=Add action');
  await page.check('[name=away]');
  await page.click('main .is-primary');
  await page.waitForSelector('.rule [aria-invalid=true]');
  assert.equal(await page.locator('[aria-invalid=true]').count(), 5);
  assert.equal(await page.evaluate(() => document.activeElement.name), 'away-text');
  await shown(page, 'Something is missing above, so this shows what the saved rules would do.');
  assert.equal(sent('PUT /me/filters/rules').length, 1);

  const first = (place) => page.locator(`[data-at="/rules/0/${place}"]`);
  await page.fill('[name=away-from]', '2026-12-20');
  await page.fill('[name=away-until]', '2026-12-19');
  await page.fill('[name=away-text]', 'Away, "really".');
  await first('conditions/0').locator('select >> nth=0').selectOption('header');
  await first('conditions/0').locator('input >> nth=0').fill('X-Spam-Flag');
  await first('conditions/0').locator('input >> nth=1').fill('yes');
  await first('conditions/1').locator('select >> nth=0').selectOption('size');
  await first('conditions/1').locator('input').fill('5');
  await page.selectOption('.rule >> nth=0 >> select >> nth=0', 'any');
  await first('actions/0').locator('input').fill('Junk "1"');
  await first('actions/1').locator('select').selectOption('read');
  await page.click('main .is-primary');
  await shown(page, 'This is before the first day.');
  await page.fill('[name=away-until]', '2027-01-03');
  await page.click('main .is-primary');
  await shown(page, 'Saved.');
  const rule = {
    match: 'any',
    conditions: [
      { field: 'header', header: 'X-Spam-Flag', op: 'contains', value: 'yes' },
      { field: 'size', header: '', op: 'contains', value: '5' },
    ],
    actions: [
      { do: 'move', value: 'Junk "1"' },
      { do: 'read', value: '' },
    ],
  };
  const vacation = { on: true, subject: '', text: 'Away, "really".', from: '2026-12-20', until: '2027-01-03', zone: '+0000', days: '7' };
  assert.deepEqual(savedRules('PUT /me/filters/rules'), { vacation, rules: [rule] });

  await page.click('text=Add rule');
  await page.click('[aria-label="Remove condition 1 of rule 2"]');
  await shown(page, 'Every message');
  await page.selectOption('[data-at="/rules/1/actions/0"] select', 'stop');
  await page.click('[aria-label="Move rule 2 up"]');
  await page.waitForFunction(() => document.activeElement.ariaLabel === 'Move rule 1 down');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.activeElement.ariaLabel === 'Move rule 2 up');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.activeElement.ariaLabel === 'Move rule 1 down');
  await page.click('main .is-primary');
  await until(() => sent('PUT /me/filters/rules').length === 3);
  const stop = { match: 'all', conditions: [], actions: [{ do: 'stop', value: '' }] };
  assert.deepEqual(savedRules('PUT /me/filters/rules').rules, [stop, rule]);
  await page.click('text=Add rule');
  await page.click('[aria-label="Move rule 1 down"]');
  await page.waitForFunction(() => document.activeElement.ariaLabel === 'Move rule 2 down');
  await page.keyboard.press('Escape');
  assert.equal(path(page), '/me/filters/rules', 'what is not saved stays');
  await page.click('[aria-label="Remove rule 1"]');
  await page.waitForFunction(() => document.activeElement.matches('.add-rule'));
  assert.equal(await page.locator('.rule').count(), 2);
  await page.fill('[data-at="/rules/1/conditions/0"] input', 'x');
  await page.fill('[data-at="/rules/1/actions/0"] input', 'x');
  await page.fill('[name=away-from]', '');
  await page.locator('[name=away-from]').pressSequentially('12');
  await page.click('main .is-primary');
  await shown(page, 'This is not written as it must be.');
  assert.equal(await page.getAttribute('[name=away-from]', 'aria-invalid'), 'true');
  await close(page);
});

test('rules by form: tried before they are saved, as a text, and a text from then on', options, async () => {
  const page = await site.open({ path: '/accounts/carol@example.org/filters/rules' });
  const tried = 'POST /accounts/carol@example.org/filters/test';
  await page.fill('[data-at="/rules/1/conditions/0"] input', '7');
  await page.fill('[name=message]', 'list-id: <news.example.net>\n\nhello\n');
  await page.click('button:text-is("Try")');
  await until(() => sent(tried).length === 1);
  assert.equal(parse(body(tried).script).rules[1].conditions[0].value, '7');

  await page.click('summary');
  await shown(page, 'Save before you edit the text.');
  await page.fill('[data-at="/rules/1/conditions/0"] input', '5');
  await page.click('text=Edit as text');
  await page.waitForURL('**/filters/rules?text');
  await shown(page, 'This filter comes from the form.');
  await page.goBack();
  await page.waitForSelector('.rule');
  await page.goForward();
  await page.waitForSelector('text=Edit by form');
  await page.fill('[name=script]', `${await page.inputValue('[name=script]')}keep;\n`);
  await page.click('main .is-primary');
  await shown(page, 'This filter was written or changed by hand, so it opens as text.');
  await page.goto(`${site.url}/accounts/carol@example.org/filters/rules`);
  await page.waitForSelector('[name=script]');
  assert.equal(await page.locator('.rule').count(), 0);
  await close(page);
});

test('rules by form: another filter stays the active one, and somebody else was faster', options, async () => {
  const page = await site.open({ path: '/accounts/alice@example.org/filters' });
  await page.click('text=Make rules >> visible=true');
  await page.waitForURL('**/filters/rules');
  await shown(page, 'New mail does not go through these rules until you activate them.');
  assert.equal(sent('PATCH /accounts/alice@example.org/filters/rules').length, 0);
  Object.assign(site.server.state.filters.get('alice@example.org').find((one) => one.name === 'rules'), {
    script: site.server.state.filters.get('carol@example.org')[0].script,
    version: 9,
  });
  await page.check('[name=away]');
  await page.fill('[name=away-text]', 'Mine');
  await page.click('main .is-primary');
  await shown(page, 'Somebody saved another version meanwhile.');
  await page.click('text=Show the newer version');
  await page.waitForFunction(() => document.querySelectorAll('.rule').length === 2);
  assert.equal(await page.inputValue('[name=away-text]'), 'I am away until Monday.');
  await close(page);
});

test('set an account: quota, suspend with a reason, resume, password, delete', options, async () => {
  const page = await site.open({ path: '/accounts/bob@example.org' });
  await page.fill('[name=quota]', 'much');
  await page.click('.form .is-primary');
  await shown(page, 'This is of the wrong kind.');
  await page.fill('[name=quota]', '7.5');
  await page.click('.form .is-primary');
  await shown(page, 'Saved.');
  assert.equal(body('PATCH /accounts/bob@example.org').quota.limit, 7.5e9);
  await page.fill('[name=perHour]', 'many');
  await page.click('.form .is-primary');
  await shown(page, 'This is of the wrong kind.');
  await page.fill('[name=perHour]', '200');
  await page.fill('[name=perDay]', '');
  await page.click('.form .is-primary');
  await shown(page, 'Saved.');
  const { limits } = body('PATCH /accounts/bob@example.org');
  assert.deepEqual(limits, { recipients_per_hour: 200, recipients_per_day: null });
  const choose = async (item) => {
    await page.click('main .head [aria-label="More actions"]');
    await page.click(`.sheet >> text=${item} >> visible=true`);
  };
  await choose('Suspend');
  await page.fill('[name=reason]', 'on leave');
  await page.click('dialog .is-primary');
  await shown(page, 'nobody can sign in.');
  await page.click('.notice >> text=Resume');
  await shown(page, 'bob@example.org can sign in again.');
  await choose('Set password');
  await page.fill('dialog [name=password]', 'nine green bottles');
  await page.click('dialog .is-primary');
  await shown(page, 'The password is set.');
  await choose('Delete account');
  await page.waitForURL('**/accounts');
  await shown(page, 'bob@example.org is deleted.');
  assert.ok(!(await column(page, 1)).includes('bob@example.org'));
  await page.click('.toast >> text=Undo');
  await page.waitForURL('**/accounts/bob@example.org');
  await shown(page, 'bob@example.org is back.');
  await close(page);
});

test('what was deleted is found, restored, or deleted for good', options, async () => {
  const page = await site.open({ path: '/accounts/bob@example.org' });
  const remove = async () => {
    await page.click('main .head [aria-label="More actions"]');
    await page.click('.sheet >> text=Delete account >> visible=true');
    await page.waitForURL('**/accounts');
  };
  await remove();
  await page.goto(`${site.server.url}/accounts?state=deleted`);
  await shown(page, 'bob@example.org');
  await page.click('tr:has-text("bob@") >> text=Restore');
  await shown(page, 'bob@example.org is back.');
  await page.waitForFunction(() => !document.querySelector('tbody').innerText.includes('bob@'));
  await page.goto(`${site.server.url}/accounts/bob@example.org`);
  await remove();
  await page.goto(`${site.server.url}/accounts/bob@example.org`);
  await shown(page, 'It can be restored until');
  await page.click('main .is-danger');
  await page.fill('dialog input', 'bob@example.org');
  await page.click('dialog .is-danger');
  await page.waitForURL('**/accounts');
  await shown(page, 'bob@example.org is gone.');
  assert.deepEqual(site.server.requests.findLast((r) => r.name.startsWith('DELETE')).query, '?purge=true');
  await page.goto(`${site.server.url}/domains/example.org`);
  await page.click('main .is-danger');
  await page.fill('dialog input', 'example.org');
  await page.click('dialog .is-danger');
  await page.waitForURL('**/domains');
  await page.click('.toast >> text=Undo');
  await page.waitForURL('**/domains/example.org');
  await shown(page, 'example.org is back.');
  await close(page);
});

test('further addresses: added, taken away, back by Undo', options, async () => {
  const page = await site.open({ path: '/accounts/alice@example.org' });
  await page.click('.tabs >> text=Addresses');
  await page.waitForURL('**/accounts/alice@example.org/addresses');
  await page.click('text=Add address');
  await page.fill('[name=address]', 'bob@example.org');
  await page.click('dialog .is-primary');
  await shown(page, 'This address is taken');
  await page.fill('[name=address]', 'alice.s@example.org');
  await page.click('dialog .is-primary');
  await shown(page, 'alice.s@example.org is added.');
  await page.click('[aria-label="Remove a.souza@example.org"]');
  await shown(page, 'a.souza@example.org is no longer its address.');
  await page.click('.toast >> text=Undo');
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 3);
  await close(page);
});

test('the last administrator stays', options, async () => {
  const page = await site.open({ path: '/accounts/admin@example.org' });
  await page.selectOption('[name=role]', 'account');
  await page.click('.form .is-primary');
  await shown(page, 'This is the last administrator who can sign in.');
  await close(page);
});

test('aliases: members are checked, saved, shown', options, async () => {
  const page = await site.open({ path: '/aliases?add' });
  await page.fill('[name=address]', 'info@example.org');
  await page.fill('[name=members]', 'nobody@example.org');
  await page.click('dialog .is-primary');
  await shown(page, 'One of them is on this server, but nobody gets its mail.');
  await page.fill('[name=members]', 'alice@example.org\nfriend@example.net, alice@example.org');
  await page.click('dialog .is-primary');
  await shown(page, 'info@example.org is added.');
  assert.deepEqual(body('PUT /aliases/info@example.org'), { members: ['alice@example.org', 'friend@example.net'] });
  await page.click('tbody >> text=info@example.org');
  await page.fill('[name=members]', 'alice@example.org');
  await page.selectOption('[name=senders]', 'list');
  await page.fill('[name=allowed]', '@example.net');
  await page.click('.form .is-primary');
  await shown(page, 'Saved.');
  assert.deepEqual(body('PATCH /aliases/info@example.org'), {
    members: ['alice@example.org'],
    who_may_send: 'list',
    allowed_senders: ['@example.net'],
    state: 'active',
  });
  await close(page);
});

// Settings and tokens

test(
  'settings: a wrong value is refused in its place, a right one is saved with its version, the default is one click away',
  options,
  async () => {
    const page = await site.open({ path: '/settings/queue' });
    const row = page.locator('.setting', { hasText: 'queue.expire' });
    await row.locator('input').fill('soon');
    await row.locator('text=Save').click();
    await row.locator('text=This is not written as it must be. "soon" is not a duration such as 5m').waitFor();
    await row.locator('input').fill('6d');
    await row.locator('text=Save').click();
    await shown(page, 'Saved; in force within two seconds.');
    assert.equal(sent('PUT /settings/queue.expire').at(-1).headers['if-match'], '"1"');
    await row.locator('text=Back to the default').click();
    await shown(page, 'Back to the default.');
    assert.equal(await row.locator('input').inputValue(), '5d');
    await close(page);
  },
);

test('settings: another person was faster', options, async () => {
  const page = await site.open({ path: '/settings/queue' });
  const setting = site.server.state.settings.find((one) => one.key === 'queue.expire');
  Object.assign(setting, { value: '9d', version: 2 });
  const row = page.locator('.setting', { hasText: 'queue.expire' });
  await row.locator('input').fill('6d');
  await page.keyboard.press('Enter');
  await row.locator('text=Somebody saved').waitFor();
  await row.locator('text=Show the newer version').click();
  assert.equal(await row.locator('input').inputValue(), '9d');
  await close(page);
});

test('settings: what a file or the environment gives is shown and not offered', options, async () => {
  const page = await site.open({ path: '/settings/smtp' });
  const row = page.locator('.setting', { hasText: 'smtp.max_message_size' });
  assert.equal(await row.locator('input').count(), 0);
  assert.match(await row.innerText(), /25 MiB.*Set in the environment; change it there\. Default: 50 MiB\./s);
  await close(page);
});

test('Ctrl-K: an account, a pasted bounce, a page, and what has no name', options, async () => {
  const page = await site.open({ path: '/queue' });
  const ask = async (text) => {
    await page.keyboard.press('Control+k');
    await page.locator('.palette input').waitFor();
    await page.keyboard.insertText(text);
  };
  const search = async (text, href) => {
    await ask(text);
    await page.keyboard.press('Enter');
    await page.waitForURL((url) => url.pathname === href);
  };
  await search('alice', '/accounts/alice@example.org');
  await search('said: 421 4.3.2 (queued as q7f3k9), closing', '/trace/q7f3k9');
  await search('#example.org', '/domains/example.org');
  await ask('zebra crossing');
  await page.getByText('Search all messages for “zebra crossing”').waitFor();
  await page.keyboard.press('Enter');
  await page.waitForURL((url) => url.pathname === '/trace' && url.searchParams.get('q') === 'zebra crossing');
  await ask('x');
  await page.keyboard.press('Escape');
  await page.waitForSelector('dialog', { state: 'detached' });
  await close(page);
});

test('Ctrl-K: actions lead to their page or dialog, and only those that one may do are offered', options, async () => {
  const page = await site.open({ path: '/' });
  const ask = async (text) => {
    await page.keyboard.press('Control+k');
    await page.locator('.palette input').waitFor();
    await page.keyboard.insertText(text);
  };
  const offered = (on) => on.locator('.palette li').evaluateAll((all) => all.filter((li) => li.innerText.includes('action')).map((li) => li.querySelector('span').textContent));
  await ask('>');
  assert.equal((await offered(page)).length, 12);
  await page.keyboard.insertText('create acc');
  assert.deepEqual(await offered(page), ['New account']);
  await page.keyboard.press('Enter');
  await page.waitForURL((url) => url.pathname === '/accounts' && url.search === '?add');
  await page.getByRole('dialog').getByLabel('Address').waitFor();
  await page.keyboard.press('Escape');
  await page.waitForSelector('dialog', { state: 'detached' });
  site.server.requests.length = 0;
  await ask('> pause outbound');
  await page.keyboard.press('Enter');
  await page.waitForURL((url) => url.search === '?group=destination');
  assert.deepEqual(sent('GET /search'), [], 'actions are not asked of the server');
  await ask('retry every');
  await page.getByText('Retry everything that waits').waitFor();
  await page.keyboard.press('Enter');
  await page.waitForURL((url) => url.pathname === '/queue' && url.search === '?state=deferred');
  await page.waitForSelector('dialog .is-primary');
  assert.deepEqual(sent('POST /queue/actions'), [], 'it asks first');
  await page.click('dialog .is-primary');
  await page.waitForSelector('dialog', { state: 'detached' });
  const done = body('POST /queue/actions');
  assert.deepEqual([done.action, done.select], ['retry', { filter: { state: ['deferred'] } }]);
  await page.goBack();
  assert.equal(await page.locator('dialog').count(), 0, 'going back asks nothing again');
  await close(page);

  const some = await site.open({ path: '/queue?state=held&do=delete' });
  assert.equal(await some.locator('dialog').count(), 0, 'an address alone deletes nothing');
  await close(some);

  const person = await site.open({ path: '/me', as: 'alice@example.org' });
  await person.keyboard.press('Control+k');
  await person.locator('.palette input').waitFor();
  await person.keyboard.insertText('>');
  assert.deepEqual(await offered(person), ['Add a device', 'New filter', 'Change your password']);
  await person.goto(`${site.url}/queue?do=retry`);
  await settled(person);
  assert.equal(await person.locator('dialog').count(), 0);
  await close(person);
});

test('the audit log: filtered by the URL, what changed on demand, proved', options, async () => {
  const page = await site.open({ path: '/settings/audit?action=account.' });
  await page.getByText('What changed').first().click();
  await page.getByText('Bob Lima').waitFor();
  await page.getByRole('button', { name: 'Verify' }).click();
  await page.getByText('2 entries follow from each other, unchanged.').waitFor();
  await close(page);
});

test('tokens: made with only what is ticked, shown once, revoked', options, async () => {
  const page = await site.open({ path: '/settings/tokens?add' });
  await page.click('dialog .is-primary');
  await shown(page, 'This is needed.');
  await page.fill('[name=name]', 'report');
  await page.click('dialog >> text=queue:read');
  await page.click('dialog .is-primary');
  await shown(page, 'cor_k7q_Zx81mQv5nB2sT9wLr4yKc7hJ');
  const { expires_at: expires, ...rest } = body('POST /tokens');
  assert.deepEqual(rest, { name: 'report', scopes: ['queue:read'], cidrs: null });
  assert.equal(Math.round((new Date(expires) - Date.now()) / 86400e3), 365);
  await page.click('dialog >> text=Done');
  await page.click('tr:has-text("report") button');
  await page.click('dialog .is-danger');
  await shown(page, '“report” is revoked.');
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 2);
  await close(page);
});

test('the own password', options, async () => {
  const page = await site.open({ path: '/me/security' });
  await page.fill('[name=current]', 'not this');
  await page.fill('[name=password]', 'nine green bottles');
  await page.click('.form .is-primary');
  await shown(page, 'This is not your present password.');
  await page.fill('[name=current]', PASSWORD);
  await page.click('.form .is-primary');
  await shown(page, 'Your password is changed.');
  assert.equal(await page.inputValue('[name=current]'), '');
  await close(page);
});

// Keyboard, focus, language, theme

test('the keyboard alone: go, move, choose, retry, help', options, async () => {
  const page = await site.open({ path: '/' });
  await page.keyboard.press('g');
  await page.keyboard.press('q');
  await page.waitForURL('**/queue');
  await settled(page);
  await page.waitForFunction(() => document.activeElement.tagName === 'H1');
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  assert.equal(await page.evaluate(() => document.activeElement.closest('tr').dataset.id), 'q7f3k9');
  await page.keyboard.press('x');
  assert.equal(await page.innerText('.bulk b'), '1 selected');
  await page.keyboard.press('j');
  await page.keyboard.press('Shift+X');
  assert.equal(await page.innerText('.bulk b'), '2 selected');
  await page.keyboard.press('r');
  await shown(page, 'Retrying 2 messages.');
  await page.keyboard.press('k');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/trace/q7f3k9');
  await page.waitForSelector('.timeline');
  await page.keyboard.press('Escape');
  await page.waitForURL('**/queue');
  await page.keyboard.press('?');
  await page.waitForSelector('dialog[open]');
  await page.keyboard.press('Escape');
  await close(page);
});

test('Escape closes an open menu and does not leave the page', options, async () => {
  const page = await site.open({ path: '/accounts/bob@example.org' });
  await page.click('main .head [aria-label="More actions"]');
  await page.keyboard.press('Escape');
  await page.waitForFunction(() => !document.querySelector(':popover-open'));
  assert.equal(path(page), '/accounts/bob@example.org');
  await page.keyboard.press('Escape');
  await page.waitForURL('**/accounts');
  await close(page);
});

test('single letters can be switched off, and never act in a field', options, async () => {
  const page = await site.open({ path: '/trace' });
  await page.fill('#find', '');
  await page.focus('#find');
  await page.keyboard.type('gq');
  assert.equal(path(page), '/trace');
  await page.focus('h1');
  await page.keyboard.press('?');
  await page.click('dialog label');
  await page.keyboard.press('Escape');
  await page.keyboard.press('g');
  await page.keyboard.press('q');
  assert.equal(path(page), '/trace');
  await close(page);
});

test('theme and language are chosen, at once and for the next time', options, async () => {
  const page = await site.open({ path: '/queue' });
  await page.click('.who');
  await page.selectOption('.sheet select >> nth=0', 'dark');
  await page.selectOption('.sheet select >> nth=1', 'pt-BR');
  await page.waitForFunction(() => document.querySelector('h1').innerText === 'Fila');
  await page.reload();
  await settled(page);
  assert.equal(await page.innerText('h1'), 'Fila');
  assert.equal(await page.getAttribute('html', 'data-theme'), 'dark');
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), 'rgb(20, 23, 26)');
  await close(page);
});

test("the account's language comes before the browser's", options, async () => {
  site.server.state.accounts[0].language = 'pt-BR';
  const page = await site.open({ path: '/queue', locale: 'en-GB' });
  await page.waitForFunction(() => document.querySelector('h1').innerText === 'Fila');
  await close(page);
});

// The ten tasks that exist now: clicks and keys after signing in, typed values not counted

async function budget(page, most) {
  let used = 0;
  return {
    click: async (selector) => {
      used++;
      await page.click(selector);
    },
    press: async (key) => {
      used++;
      await page.keyboard.press(key);
    },
    choose: async (selector, value) => {
      used++;
      await page.selectOption(selector, value);
    },
    end: async () => {
      assert.ok(used <= most, `${used} of ${most}`);
      await close(page);
    },
  };
}

test('task 2, where is this message: 2 and Enter', options, async () => {
  const page = await site.open({ path: '/' });
  const hand = await budget(page, 3);
  await hand.click('.menu >> text=Trace');
  await page.fill('#find', 'joe@example.net');
  await hand.press('Enter');
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 2);
  await hand.end();
});

test('task 3, why is it waiting: 1', options, async () => {
  const page = await site.open({ path: '/queue' });
  const hand = await budget(page, 1);
  await hand.click('tbody tr:nth-child(2) .open');
  await shown(page, 'Waiting: example.net refuses our connection.');
  await hand.end();
});

test('task 4, retry everything for a destination that is back: 3', options, async () => {
  const page = await site.open({ path: '/' });
  const hand = await budget(page, 3);
  await hand.click('.menu >> text=Queue');
  await hand.choose('.filters label select', 'destination');
  await hand.click('tr:has-text("example.net") button');
  await shown(page, 'Retrying 9 messages.');
  await hand.end();
});

test('task 6, a new account: c a, Enter', options, async () => {
  const page = await site.open({ path: '/' });
  const hand = await budget(page, 3);
  await hand.press('c');
  await hand.press('a');
  await page.waitForSelector('dialog[open]');
  await page.keyboard.type('rita@example.org');
  await hand.press('Enter');
  await shown(page, 'Link for rita@example.org');
  await hand.end();
});

test('task 7, a forgotten password: 3', options, async () => {
  const page = await site.open({ path: '/' });
  const hand = await budget(page, 3);
  await hand.click('.menu >> text=Accounts');
  await hand.click('tbody >> text=alice@example.org');
  await hand.click('text=Make one-time link');
  await shown(page, 'Link for alice@example.org');
  await hand.end();
});

test('task 8, a new domain and what DNS needs: 3', options, async () => {
  const page = await site.open({ path: '/' });
  const hand = await budget(page, 3);
  await hand.press('c');
  await hand.press('d');
  await page.waitForSelector('dialog[open]');
  await page.keyboard.type('example.test');
  await hand.press('Enter');
  await shown(page, 'example.test. 3600 IN MX 10 mail.example.org.');
  await hand.end();
});

test('task 9, an alias: c l, then the button', options, async () => {
  const page = await site.open({ path: '/' });
  const hand = await budget(page, 3);
  await hand.press('c');
  await hand.press('l');
  await page.waitForSelector('dialog[open]');
  await page.keyboard.type('info@example.org');
  await page.fill('[name=members]', 'alice@example.org');
  await hand.click('dialog .is-primary');
  await shown(page, 'info@example.org is added.');
  assertQuiet(page);
  await hand.end();
});

test('explain: by keys from anywhere, the question in the URL, each step with its reason', options, async () => {
  const page = await site.open({ path: '/queue' });
  await page.keyboard.press('g');
  await page.keyboard.press('e');
  await page.waitForURL('**/explain');
  await page.fill('[name=from]', 'alice@example.org');
  await page.fill('[name=to]', 'sales@example.org');
  await page.keyboard.press('Enter');
  await page.waitForSelector('text=The message is taken, but does not reach everybody.');
  assert.match(page.url(), /\/explain\?from=alice%40example\.org&to=sales%40example\.org$/);
  assert.equal(await page.locator('.timeline.is-steps > li').count(), 7);
  await page.waitForSelector('text=The domain example.net does not exist, or takes no mail.');
  await page.fill('[name=text]', '550 5.1.1 no such user');
  await page.click('text=Explain the answer');
  await page.waitForSelector('text=The other server does not know the recipient.');
  await close(page);
});

test('explain: e on a message asks about it', options, async () => {
  const page = await site.open({ path: '/trace/q7f3k9' });
  await page.keyboard.press('e');
  await page.waitForURL('**/explain?*');
  assert.equal(await page.inputValue('[name=to]'), 'joe@example.net');
  await page.waitForSelector('.timeline.is-steps');
  await close(page);
});
