// The account's security and devices: what people do, and that the QR codes can be read.
import assert from 'node:assert/strict';
import test, { after, before, beforeEach } from 'node:test';
import jsQR from 'jsqr';
import { close, settled, startSite } from './site.mjs';
import { PASSWORD } from './story.mjs';

let site;
before(async () => {
  site = await startSite();
});
after(() => site?.close());
beforeEach(() => site.server.reset());

const sent = (name) => site.server.requests.filter((request) => request.name === name);
const shown = (page, text) => page.locator(`text=${text} >> visible=true`).first().waitFor();

/** What a camera finds in the page's QR code. */
async function decode(page) {
  const { width, rows } = await page.evaluate(() => {
    const svg = document.querySelector('.qr');
    const side = Number(svg.getAttribute('viewBox').split(' ')[2]);
    const dark = [...svg.querySelector('path').getAttribute('d').matchAll(/M(\d+) (\d+)/g)].map((m) => [Number(m[1]), Number(m[2])]);
    return { width: side, rows: dark };
  });
  const scale = 4;
  const side = width * scale;
  const pixels = new Uint8ClampedArray(side * side * 4).fill(255);
  for (const [x, y] of rows)
    for (let dy = 0; dy < scale; dy++)
      for (let dx = 0; dx < scale; dx++) pixels.fill(0, ((y * scale + dy) * side + x * scale + dx) * 4, ((y * scale + dy) * side + x * scale + dx) * 4 + 3);
  return jsQR(pixels, side, side)?.data;
}

test('QR codes of every length can be read', async () => {
  const page = await site.open({ path: '/nowhere' });
  for (const n of [1, 14, 15, 26, 27, 62, 106, 122, 152, 180, 213, 287, 412, 504, 666]) {
    const text = Array.from({ length: n }, (_, i) => 'otpauth://é'[i % 10]).join('');
    await page.evaluate(async (words) => {
      const { qrModules } = await import('/app/parts/qr.js');
      const rows = qrModules(words);
      const path = rows.flatMap((row, y) => row.map((on, x) => (on ? `M${x + 4} ${y + 4}` : ''))).join('');
      const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
      svg.setAttribute('class', 'qr');
      svg.setAttribute('viewBox', `0 0 ${rows.length + 8} ${rows.length + 8}`);
      const shape = document.createElementNS('http://www.w3.org/2000/svg', 'path');
      shape.setAttribute('d', path);
      svg.append(shape);
      document.querySelector('.qr')?.remove();
      document.body.append(svg);
    }, text);
    assert.equal(await decode(page), text, `${n} characters`);
  }
  await close(page);
});

test('two-step sign-in is set up by a QR code, gives recovery codes once, and is asked for at sign-in', async () => {
  const page = await site.open({ path: '/me/security', as: 'alice@example.org' });
  await page.click('button:text-is("Set up two-step sign-in")');
  await page.waitForSelector('dialog .qr');
  assert.match(await decode(page), /^otpauth:\/\/totp\/mail\.example\.org:alice%40example\.org\?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=/);
  await page.fill('dialog [name=code]', '111111');
  await page.keyboard.press('Enter');
  await shown(page, 'This is not the code of this moment');
  await page.fill('dialog [name=code]', '123456');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.codes');
  assert.equal(await page.locator('.codes li').count(), 10);
  await page.click('button:text-is("I have them")');
  await shown(page, '10 recovery codes are left.');

  await page.click('.who');
  await page.click('button:text-is("Sign out")');
  await page.waitForURL('**/sign-in*');
  await page.fill('[name=address]', 'alice@example.org');
  await page.fill('[name=password]', PASSWORD);
  await page.keyboard.press('Enter');
  await shown(page, 'The second step');
  await page.fill('[name=code]', '000000');
  await page.keyboard.press('Enter');
  await shown(page, 'This code is wrong, or was used before.');
  await page.fill('[name=code]', '123456');
  await page.keyboard.press('Enter');
  await page.waitForSelector('header.bar');
  await close(page);
});

test('a device is added in three steps: its password, servers and QR code are shown once', async () => {
  const page = await site.open({ path: '/me', as: 'alice@example.org' });
  await page.click('.menu a:has-text("Devices")');
  await settled(page);
  await page.click('button:has-text("Add device")');
  await page.fill('dialog [name=name]', 'Tablet');
  await page.click('dialog label:has-text("POP3")');
  await page.keyboard.press('Tab');
  await page.focus('dialog [name=name]');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.password');
  assert.deepEqual(sent('POST /me/app-passwords').at(-1).body, { name: 'Tablet', protocols: ['imap', 'submission', 'managesieve'] });
  assert.equal(await decode(page), 'mbkuo-ezrty-wqhjn-xcvpl');
  await shown(page, 'port 993, SSL/TLS');
  await shown(page, 'port 2587, STARTTLS');
  assert.doesNotMatch(await page.innerText('dialog'), /995|POP3|143/, 'what does not listen, and what is second');
  await page.click('button:text-is("Done")');
  await shown(page, 'Tablet');
  await page.click('tr:has-text("Phone") button');
  await page.click('dialog .is-danger');
  await shown(page, '“Phone” is signed out.');
  await page.click('tr:has-text("IMAP") button:has-text("End")');
  await shown(page, 'The session ends.');
  assert.equal(sent('DELETE /me/sessions/c1').length, 1);
  await close(page);
});

test('after ten minutes the password is asked for again, and the work goes on by itself', async () => {
  const page = await site.open({ path: '/me/devices?add' });
  site.server.state.stale = true;
  await page.fill('dialog [name=name]', 'Tablet');
  await page.keyboard.press('Enter');
  await shown(page, 'Is it you?');
  await page.keyboard.type('wrong');
  await page.keyboard.press('Enter');
  await shown(page, 'This is not your present password.');
  await page.locator('dialog [name=password]').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.waitForSelector('.password');
  await page.click('button:text-is("Done")');
  await close(page);
});

test('a stolen account: frozen, sessions ended, its queue a click away', async () => {
  const page = await site.open({ path: '/accounts/bob@example.org' });
  await page.click('main .head .is-icon');
  await page.click('button:text-is("Freeze sending")');
  await page.keyboard.type('spam');
  await page.keyboard.press('Enter');
  await shown(page, 'Sending is stopped since');
  await shown(page, 'Reason: spam');
  assert.deepEqual(sent('PUT /accounts/bob@example.org/freeze').at(-1).body, { reason: 'spam' });
  await page.click('.notice button:text-is("End all sessions")');
  await shown(page, 'All sessions end.');
  assert.equal(sent('DELETE /accounts/bob@example.org/sessions').length, 1);
  await shown(page, '1 message is held:');
  await page.click('.notice button:text-is("Unfreeze")');
  await shown(page, 'bob@example.org may send again');
  await close(page);
});
