// What the browser tests share: one browser, the site under test, and an eye on the console.
//
// Without an environment the site is the fake server. CORREIO_URL names a real one instead; CORREIO_ADDRESS and
// CORREIO_PASSWORD are an administrator of it. Tests that need the fake's story or its faults are skipped then.
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';
import { startFakeServer } from './fake-server.mjs';
import { PASSWORD } from './story.mjs';

const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** How long a test waits for what has to come; long, since other tests want the processor, too. */
const PATIENCE_MS = 30000;

export const real = process.env.CORREIO_URL !== undefined;
const address = process.env.CORREIO_ADDRESS ?? 'admin@example.org';
const password = process.env.CORREIO_PASSWORD ?? PASSWORD;

/** What a browser says about answers that a test asked for: a 401 before sign-in, a 403, a 409, a stream that was cut. */
const EXPECTED =
  /^Failed to load resource: (the server responded with a status of (401|403|404|409|410|412|422|429|503)|net::ERR_)/;

/** Signs in to a real server, and gives the cookies for all pages of this run. */
async function signInOnce(browser, url) {
  const context = await browser.newContext({ locale: 'en-GB' });
  const page = await context.newPage();
  await page.goto(`${url}/sign-in`);
  await page.fill('[name=address]', address);
  await page.fill('[name=password]', password);
  await page.click('.is-primary');
  await page.waitForSelector('header.bar');
  const cookies = await context.cookies();
  await context.close();
  return cookies;
}

/**
 * {url, server (the fake, or null), browser, open, renew, close}. open(options) gives a page that is signed in; renew()
 * signs in again, when a test has ended the session.
 */
export async function startSite() {
  const server = real ? null : await startFakeServer();
  const url = real ? process.env.CORREIO_URL : server.url;
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium-headless-shell', args: ARGS });

  let cookies;
  const renew = async () => {
    cookies = await signInOnce(browser, url);
  };
  if (real) await renew();

  const newPage = async (locale, init) => {
    const context = await browser.newContext({ locale, timezoneId: 'UTC', reducedMotion: 'reduce' });
    if (init) await context.addInitScript(init);
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    page.complaints = [];
    page.on('console', (message) => {
      if (!['error', 'warning'].includes(message.type()) || EXPECTED.test(message.text())) return;
      page.complaints.push(message.text());
    });
    page.on('pageerror', (error) => page.complaints.push(error.stack));
    return page;
  };
  /** Pages that a test has closed, by language, for the next one: to open one takes longer than most of what is done in it. */
  const idle = new Map();

  /**
   * options: locale, theme, width, path, signedIn (true), as (the fake's account), own (true: no other test gets this page;
   * for those that change its clock, its routes or its listeners), init (a script before each document; own, too).
   */
  const open = async (options = {}) => {
    const { locale = 'en-GB', theme = 'light', width = 1280, path = '/', signedIn = true, init, own = init !== undefined, as } = options;
    const page = (own ? undefined : idle.get(locale)?.pop()) ?? (await newPage(locale, init));
    if (!own) page.leave = () => leave(page, locale);
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme: theme });
    if (signedIn && real) await page.context().addCookies(cookies);
    if (signedIn) server?.signIn(as);
    await page.goto(url + path);
    await settled(page);
    return page;
  };
  /** Nothing of what was done in it is left but what the browser keeps of the site's files; another site is another process. */
  const leave = async (page, locale) => {
    await page.evaluate(() => [localStorage, sessionStorage].forEach((one) => one.clear()));
    await page.goto(`${url}/icon.svg`);
    await page.context().clearCookies();
    idle.set(locale, [...(idle.get(locale) ?? []), page]);
  };
  return {
    url,
    server,
    browser,
    open,
    renew,
    close: async () => {
      await browser.close();
      await server?.close();
    },
  };
}

/** Waits until the page has drawn what it shows: an h1 or a dialog, and no list that is still on its way. */
export async function settled(page) {
  await page.waitForFunction(() => document.querySelector('h1') && !document.querySelector('#app [aria-busy="true"]'));
}

/** Nothing was thrown, logged as an error, or blocked by the content security policy. */
export function assertQuiet(page) {
  assert.deepEqual(page.complaints, []);
}

export async function close(page) {
  assertQuiet(page);
  await (page.leave?.() ?? page.context().close());
}

/** The texts of the cells of a column, by position. */
export const column = (page, n) => page.locator(`tbody tr td:nth-child(${n})`).allInnerTexts();

/** Waits for something of the server's side. */
export async function until(condition) {
  const end = Date.now() + PATIENCE_MS;
  while (!condition()) {
    assert.ok(Date.now() < end, `not in time: ${condition}`);
    await new Promise(setImmediate);
  }
}
