// The first steps: from the one-time link on an empty server to a message that arrived, the list on Overview, and who
// sees any of it.
import assert from 'node:assert/strict';
import test, { after, before, beforeEach } from 'node:test';
import { close, real, settled, startSite } from './site.mjs';

const options = { skip: real };
const NEW_PASSWORD = 'a long enough password';
let site;
before(async () => {
  if (!real) site = await startSite();
});
after(() => site?.close());
beforeEach(() => site?.server.reset());

const sent = (name) => site.server.requests.filter((request) => request.name === name);
const shown = (page, text) => page.locator(`text=${text} >> visible=true`).first().waitFor();
const heading = (page, text) => page.waitForFunction((wanted) => document.querySelector('h1')?.innerText === wanted, text);
const path = (page) => new URL(page.url()).pathname + new URL(page.url()).search;
/** [words, done] of each step beside the page. */
const steps = (page) =>
  page.locator('nav .check').evaluateAll((rows) =>
    rows.map((row) => [row.querySelector('a, b').innerText, row.classList.contains('is-ok')]),
  );
const done = async (page) => (await steps(page)).filter(([, is]) => is).map(([words]) => words);

/** All records of the domain become what they should be. */
function mendDns() {
  const { dns } = site.server.state;
  site.server.state.dns = (domain) => {
    const answer = dns(domain);
    return { ...answer, right: answer.wanted, records: answer.records.map((one) => ({ ...one, state: one.optional ? one.state : 'found' })) };
  };
}

/** A certificate of somebody whom others trust. */
function mendCertificate() {
  const { status } = site.server.state;
  site.server.state.status = () => ({ ...status(), certificate: { ...status().certificate, self_signed: false } });
}

/** Presses Tab until the focus is on what has these words; fails after too many. */
async function tabTo(page, words) {
  for (let i = 0; i < 40; i++) {
    await page.keyboard.press('Tab');
    const here = await page.evaluate(() => {
      const { activeElement: one } = document;
      return one.labels?.[0]?.innerText ?? one.innerText ?? '';
    });
    if (here.trim() === words) return;
  }
  assert.fail(`Tab never comes to ${words}`);
}

test('the link of an empty server leads by the keyboard alone to a message that arrived', options, async () => {
  site.server.empty();
  mendCertificate();
  const page = await site.open({ path: '/sign-in#link=good-link', signedIn: false });
  await page.keyboard.press('Enter'); // "Use the link" has the focus
  await heading(page, 'Choose your password');
  await page.keyboard.type(NEW_PASSWORD);
  await page.keyboard.press('Enter');
  await page.waitForURL('**/welcome/hostname');
  await heading(page, 'Name of the server');
  await page.waitForFunction(() => document.activeElement.tagName === 'H1');
  await settled(page);

  await tabTo(page, 'Name of the server');
  await page.keyboard.type('mail');
  await page.keyboard.press('Enter');
  await shown(page, 'The name needs a domain');
  assert.equal(sent('PUT /settings/server.hostname').length, 0);
  await page.keyboard.type('.example.net');
  await page.keyboard.press('Enter');
  await heading(page, 'First domain');
  assert.deepEqual(sent('PUT /settings/server.hostname').at(-1).body, { value: 'mail.example.net' });
  assert.equal(sent('PUT /settings/server.hostname').at(-1).headers['if-match'], '"0"');
  assert.deepEqual(await done(page), ['Name of the server', 'A certificate that others trust']);

  await tabTo(page, 'Domain');
  await page.keyboard.type('wrong name');
  await page.keyboard.press('Enter');
  await page.waitForSelector('[aria-invalid=true]:focus');
  await page.keyboard.press('Control+A');
  await page.keyboard.type('example.net');
  await page.keyboard.press('Enter');
  await shown(page, 'Mail to example.net belongs here.');
  await page.waitForFunction(() => document.activeElement.tagName === 'H1');
  await shown(page, '2 of 5 are right.');
  mendDns();
  await tabTo(page, 'Check now');
  await page.keyboard.press('Enter');
  await shown(page, 'Next step');
  await tabTo(page, 'Next step');
  await page.keyboard.press('Enter');
  await heading(page, 'First account');

  await tabTo(page, 'Address');
  await page.keyboard.type('ana@example.net');
  await page.keyboard.press('Enter');
  await page.waitForSelector('dialog[open] code');
  await tabTo(page, 'Done');
  await page.keyboard.press('Enter');
  await heading(page, 'A certificate that others trust');
  await shown(page, 'The certificate is one that others trust.');
  await tabTo(page, 'Next step');
  await page.keyboard.press('Enter');
  await heading(page, 'A test message');

  await settled(page);
  await tabTo(page, 'Send the test message');
  await page.keyboard.press('Enter');
  await shown(page, 'It arrived: ana@example.net has it.');
  assert.equal(sent('POST /accounts/ana@example.net/test-message').length, 1);
  await shown(page, 'Finish');
  await tabTo(page, 'Finish');
  await page.keyboard.press('Enter');
  await heading(page, 'All steps are done');
  await tabTo(page, 'Go to Overview');
  await page.keyboard.press('Enter');
  await heading(page, 'Mail flows. Nothing needs you.');
  await settled(page);
  assert.equal(await page.locator('h2:text-is("First steps")').count(), 0);
  await close(page);
});

test('a link on a server that is set up leads to Overview', options, async () => {
  const page = await site.open({ path: '/sign-in#link=good-link', signedIn: false });
  await page.click('text=Use the link');
  await page.fill('[name=password]', NEW_PASSWORD);
  await page.click('.is-primary');
  await heading(page, 'Mail flows. One thing needs you.');
  assert.equal(path(page), '/');
  await close(page);
});

test('every step can be skipped and come back to; what is left is listed', options, async () => {
  site.server.empty();
  const page = await site.open({ path: '/welcome' });
  for (const title of ['Name of the server', 'First domain', 'First account', 'A certificate that others trust', 'A test message']) {
    await heading(page, title);
    assert.equal(await page.innerText('nav [aria-current=step]'), title);
    await page.click('text=Skip this step');
  }
  await heading(page, '5 steps are left');
  await page.click('text=Go to Overview');
  await shown(page, '0 of 6 done');
  await page.click('li:has-text("First domain") >> text=Do it');
  await heading(page, 'First domain');
  await page.click('text=Back');
  await heading(page, 'Name of the server');
  await page.click('text=The rest later');
  await page.waitForURL(`${site.url}/`);
  await page.goto(`${site.url}/welcome/nowhere`);
  await heading(page, 'Name of the server');
  await close(page);
});

test('what somebody else does meanwhile is seen; a name from the file is only shown', options, async () => {
  site.server.empty();
  const page = await site.open({ path: '/welcome/account' });
  await shown(page, 'An account belongs to a domain, and there is none yet.');
  site.server.state.domains.push({ ...site.server.state.domains[0], name: 'example.net' });
  site.server.emit('status', {});
  await page.waitForSelector('[name=address]');
  const name = site.server.state.settings.find((one) => one.key === 'server.hostname');
  Object.assign(name, { value: 'mx.example.net', source: 'file', editable: false });
  await page.click('nav >> text=Name of the server');
  await shown(page, 'It is mx.example.net, from the configuration file or the environment.');
  assert.equal(await page.locator('main input').count(), 0);
  await shown(page, 'Next step');
  await close(page);
});

test('an account with a password goes on at once; one that is refused says why', options, async () => {
  site.server.empty();
  site.server.state.domains.push({ ...site.server.state.domains[0], name: 'example.net' });
  const page = await site.open({ path: '/welcome/account' });
  await page.fill('[name=address]', 'ana@elsewhere.example');
  await page.check('[value=password]');
  await page.fill('[name=password]', NEW_PASSWORD);
  await page.click('main .is-primary');
  await page.waitForSelector('[name=address][aria-invalid=true]');
  await page.fill('[name=address]', 'ana@example.net');
  await page.click('main .is-primary');
  await heading(page, 'A certificate that others trust');
  assert.deepEqual(sent('PUT /accounts/ana@example.net').at(-1).body, { name: '', password: NEW_PASSWORD });
  await close(page);
});

test('the certificate: the lines for the file, and another look', options, async () => {
  const page = await site.open({ path: '/welcome/certificate' });
  await shown(page, 'certificate = /etc/letsencrypt/live/mail.example.org/fullchain.pem');
  await page.click('text=Look again');
  await shown(page, 'It is still the one that this server made itself.');
  mendCertificate();
  await page.click('text=Look again');
  await shown(page, 'The certificate is one that others trust.');
  assert.ok((await done(page)).includes('A certificate that others trust'));
  await close(page);
});

test('a test message that is refused, lost or late says so', options, async () => {
  const page = await site.open({ path: '/welcome/message', own: true });
  assert.equal(await page.inputValue('[name=to]'), 'admin@example.org', 'oneself first');
  await page.selectOption('[name=to]', 'alice@example.org');
  site.server.state.testOutcome = 'refused';
  await page.click('text=Send the test message');
  await shown(page, 'It was not accepted for alice@example.org.');
  await shown(page, '452 The mailbox is full');
  site.server.state.testOutcome = 'bounced';
  await page.click('text=Send another');
  await shown(page, 'It did not reach alice@example.org.');
  site.server.state.testOutcome = 'waiting';
  await page.clock.install();
  await page.click('text=Send another');
  await shown(page, 'Accepted. Looking whether alice@example.org has it.');
  for (let i = 0; i < 45 && (await page.locator('text=does not have it yet').count()) === 0; i++) await page.clock.runFor(500);
  await shown(page, 'It is accepted, and alice@example.org does not have it yet.');
  site.server.fail('POST /accounts/alice@example.org/test-message', 429, 'rate-limited');
  await page.click('text=Send another');
  await page.waitForSelector('.notice.is-fail');
  await close(page);
});

test('the list on Overview is hidden for everybody, and Settings brings it back', options, async () => {
  const page = await site.open({ path: '/' });
  await shown(page, 'DNS of example.org');
  await page.click('section:has(h2:text-is("First steps")) >> text=Hide');
  await shown(page, 'Hidden. Settings, Server shows it again.');
  await page.waitForFunction(() => document.activeElement.tagName === 'H1');
  assert.deepEqual(sent('PUT /settings/server.first_steps').at(-1).body, { value: 'false' });
  await page.reload();
  await settled(page);
  assert.equal(await page.locator('h2:text-is("First steps")').count(), 0);
  await page.goto(`${site.url}/settings/server`);
  await page.click('.setting:has-text("server.first_steps") >> text=Back to the default');
  await shown(page, 'Back to the default.');
  await page.click('text=Go through the first steps');
  await heading(page, 'First domain'); // the first that is left: its DNS is not right
  await page.click('.bar >> text=Overview');
  await shown(page, 'DNS of example.org');
  await close(page);
});

test('hiding that is refused says why, and the list stays', options, async () => {
  site.server.fail('PUT /settings/server.first_steps', 409, 'read-only');
  const page = await site.open({ path: '/' });
  await page.click('section:has(h2:text-is("First steps")) >> text=Hide');
  await page.waitForSelector('.toast');
  assert.equal(await page.locator('h2:text-is("First steps")').count(), 1);
  await close(page);
});

test('a person who administers nothing has no first steps', options, async () => {
  const page = await site.open({ path: '/welcome', as: 'alice@example.org' });
  await heading(page, 'There is no such page');
  await page.goto(`${site.url}/welcome/domain`);
  await heading(page, 'There is no such page');
  assert.equal(sent('GET /settings/server.hostname').length, 0);
  await close(page);
});

test('without the state of the server the steps say so', options, async () => {
  site.server.fail('GET /status', 503, 'database-unavailable');
  const page = await site.open({ path: '/welcome' });
  await shown(page, 'The state of the server could not be read.');
  site.server.heal('GET /status');
  await page.click('text=Try again');
  await heading(page, 'First domain');
  await close(page);
});
