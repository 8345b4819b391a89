// Every page in both themes and languages, wide and at 320 px: axe finds nothing, nothing overflows, nothing is
// said in the wrong language, and the browser has nothing to complain about.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test, { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { assertQuiet, close, real, settled, startSite } from './site.mjs';

const AXE = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
const RULES = { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] };
const LOCALES = ['en-GB', 'pt-BR'];
const WIDTHS = [1280, 320];
/** The theme at each width: both languages together have seen all four. */
const THEMES = { 'en-GB': ['light', 'dark'], 'pt-BR': ['dark', 'light'] };

const PAGES = [
  '/',
  '/?range=7d&as=table',
  '/queue',
  '/queue?group=destination',
  '/trace',
  '/explain',
  '/domains',
  '/domains?add',
  '/accounts',
  '/accounts?add',
  '/accounts/import',
  '/aliases',
  '/aliases?add',
  '/settings/server',
  '/settings/smtp',
  '/settings/auth',
  '/settings/queue',
  '/settings/relay',
  '/settings/accounts',
  '/settings/tokens',
  '/settings/tokens?add',
  '/settings/audit',
  '/me',
  '/me/devices',
  '/me/devices?add',
  '/me/security',
  '/me/activity',
  '/me/mail',
  '/me/filters',
  '/me/filters?add',
  '/problems/csrf',
  '/welcome/hostname',
  '/welcome/domain',
  '/welcome/account',
  '/welcome/certificate',
  '/welcome/message',
  '/welcome/done',
  '/nowhere',
];
const STORY_PAGES = [
  '/queue?state=held&q=parcel',
  '/queue?q=nothing-like-this',
  '/trace/q7f3k9',
  '/trace/q7f3q4',
  '/trace/q7f3w0',
  '/trace/q7f2a3',
  '/trace/none',
  '/me/mail/q7f2b4',
  '/explain?from=joe%40example.net&to=sales%40example.org&account=alice%40example.org',
  '/domains/example.org',
  '/domains/partner.example',
  '/accounts/alice@example.org',
  '/accounts/hugo@example.org',
  '/accounts/elisa@example.org',
  '/accounts/alice@example.org/devices',
  '/accounts/alice@example.org/addresses',
  '/accounts?state=deleted',
  '/accounts/gita@example.org',
  '/domains?state=deleted',
  '/domains/old.example',
  '/domains/example.org/admins',
  '/domains/partner.example/admins',
  '/aliases/sales@example.org',
  '/accounts/alice@example.org/filters',
  '/accounts/alice@example.org/filters?add',
  '/accounts/alice@example.org/filters/main',
  '/accounts/alice@example.org/filters/none',
  '/accounts/carol@example.org/filters/rules',
  '/accounts/carol@example.org/filters/rules?text',
  '/accounts/carol@example.org/filters/rules%20by%20hand',
  '/domains/example.org/filters',
  '/settings/filters',
  '/settings/filters?add',
  '/settings/filters/before/spam',
];
const OUTSIDE = ['/sign-in', '/sign-in#link=good-link'];

let site;
before(async () => {
  site = await startSite();
});
after(() => site.close());

async function findings(page) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(AXE);
  const { violations } = await page.evaluate(
    (rules) => window.axe.run(document, { runOnly: rules, resultTypes: ['violations'] }),
    RULES,
  );
  return violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.target} ${node.failureSummary}`).join(' | ')}`,
  );
}

/** axe at both widths, in one theme each, and no sideways scrolling; `where` names the state in messages. */
async function check(page, where, locale = LOCALES[0]) {
  for (const [i, width] of WIDTHS.entries()) {
    const colorScheme = THEMES[locale][i];
    await fits(page, where, width);
    await page.emulateMedia({ colorScheme });
    assert.deepEqual(await findings(page), [], `${where}, ${width} px, ${colorScheme}`);
  }
  assertQuiet(page);
}

/** No sideways scrolling. */
async function fits(page, where, width) {
  await page.setViewportSize({ width, height: 900 });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(overflow <= 0, `${where} at ${width} is ${overflow} px too wide`);
}

/** Opens a path inside the site, by way of a page without anything: what the last path left open is gone. */
async function go(page, path) {
  for (const to of ['/nowhere', path])
    await page.evaluate((url) => {
      history.pushState(null, '', url);
      dispatchEvent(new PopStateEvent('popstate'));
      return new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
    }, to);
  await settled(page);
  await page.evaluate(still);
}

/** In the page: waits until nothing has been drawn for 100 ms; parts of a page ask for what they show by themselves. */
const still = () =>
  new Promise((done) => {
    const end = () => {
      observer.disconnect();
      done();
    };
    let timer = setTimeout(end, 100);
    const observer = new MutationObserver(() => {
      clearTimeout(timer);
      timer = setTimeout(end, 100);
    });
    observer.observe(document.getElementById('app'), { subtree: true, childList: true, characterData: true });
  });

/** A page of each language goes from path to path: to load a document takes longer than to look at it. */
const visitors = new Map();
async function visit(locale, path) {
  site.server?.signIn();
  if (!visitors.has(locale)) visitors.set(locale, await site.open({ locale, path: '/nowhere' }));
  const page = visitors.get(locale);
  page.complaints.length = 0;
  await page.setViewportSize({ width: WIDTHS[0], height: 900 });
  await go(page, path);
  return page;
}

for (const locale of LOCALES) {
  for (const path of [...PAGES, ...(real ? [] : STORY_PAGES)]) {
    test(`${path} in ${locale}`, async () => {
      const page = await visit(locale, path);
      assert.equal(await page.getAttribute('html', 'lang'), locale === 'pt-BR' ? 'pt-BR' : 'en');
      assert.equal(await page.locator('h1').count(), 1);
      assert.notEqual((await page.title()).replace(' · Correio', ''), '');
      await check(page, path, locale);
    });
  }
  for (const path of OUTSIDE) {
    test(`${path} in ${locale}`, async () => {
      site.server?.reset();
      const page = await site.open({ locale, path, signedIn: false });
      await check(page, path, locale);
      await close(page);
    });
  }
}

const chooseFile = (page, text) => page.setInputFiles('[name=file]', { name: 'a.csv', mimeType: 'text/csv', buffer: Buffer.from(text) });

/** States that no URL opens: [name, path, how to get there]. */
const STATES = [
  [
    'a device that was added',
    '/me/devices?add',
    async (page) => {
      await page.fill('[name=name]', 'Phone');
      await page.click('dialog .is-primary');
      await page.waitForSelector('.password');
    },
  ],
  [
    'setting two-step sign-in up',
    '/me/security',
    async (page) => {
      await page.click('section:nth-of-type(2) .is-primary');
      await page.waitForSelector('dialog .qr');
    },
  ],
  [
    'recovery codes',
    '/me/security',
    async (page) => {
      await page.click('section:nth-of-type(2) .is-primary');
      await page.fill('dialog [name=code]', '123456');
      await page.click('dialog .is-primary');
      await page.waitForSelector('.codes');
    },
  ],
  ['freezing', '/accounts/alice@example.org', async (page) => {
    await page.click('main .head .is-icon');
    await page.click('button:text-is("Freeze sending")');
  }],
  [
    'the cursor on the chart',
    '/?range=1h',
    async (page) => {
      await page.focus('.chart-box');
      await page.keyboard.press('ArrowLeft');
    },
  ],
  ...['/', '/welcome/hostname', '/welcome/domain', '/welcome/account', '/welcome/done'].map((path) => [
    'an empty server',
    path,
    async (page) => {
      site.server.empty();
      site.server.signIn();
      await page.reload();
      await settled(page);
    },
  ]),
  [
    'a name without a domain',
    '/welcome/hostname',
    async (page) => {
      site.server.empty();
      site.server.signIn();
      await page.reload();
      await page.fill('[name=name]', 'mail');
      await page.click('main .is-primary');
      await page.waitForSelector('[aria-invalid=true]');
    },
  ],
  [
    'a test message that arrived',
    '/welcome/message',
    async (page) => {
      await page.click('main .is-primary');
      await page.waitForSelector('.notice.is-ok');
    },
  ],
  ['the account menu', '/queue', (page) => page.click('.who')],
  ['the help', '/queue', (page) => page.keyboard.press('?')],
  ['a new filter', '/accounts', (page) => page.click('.filters .is-quiet')],
  ['a selection', '/queue', (page) => page.click('tbody tr:nth-child(2) input')],
  [
    'a question',
    '/queue',
    async (page) => {
      await page.click('tbody tr:nth-child(2) input');
      await page.click('.bulk .is-danger >> visible=true');
    },
  ],
  ['a link', '/accounts/alice@example.org', (page) => page.click('main .head .button >> nth=0')],
  ['an open dialogue', '/trace/q7f3k9', (page) => page.waitForSelector('details[open] .dialogue')],
  [
    'wrong values',
    '/aliases?add',
    async (page) => {
      await page.fill('[name=address]', 'x@nowhere.example');
      await page.click('dialog .is-primary');
      await page.waitForSelector('[aria-invalid=true]');
    },
  ],
  [
    'an error in a script',
    '/accounts/alice@example.org/filters/main',
    async (page) => {
      await page.fill('[name=script]', 'keep;\n  nonsense;\n');
      await page.click('main .is-primary');
      await page.waitForSelector('.gutter .is-wrong');
    },
  ],
  [
    'wrong rules and their text',
    '/accounts/carol@example.org/filters/rules',
    async (page) => {
      await page.click('summary');
      await page.click('.add-rule');
      await page.click('main .is-primary');
      await page.waitForSelector('.rule [aria-invalid=true]');
      await page.evaluate(() => scrollTo(0, 0)); // a row that the bar cuts is no small target
    },
  ],
  [
    'bad lines of a file',
    '/accounts/import',
    async (page) => {
      await chooseFile(page, 'address,name,role\nrita@example.org,Rita\nan.address.that.is.long@example.org,Long,viceroy\nbob@example.org,Bob,\nzoe@example.org,Zoe,\n');
      await page.waitForSelector('table');
      await page.click('summary');
    },
  ],
  [
    'an import that is done',
    '/accounts/import',
    async (page) => {
      await chooseFile(page, 'address,name\nrita@example.org,Rita\nan.address.that.is.long@example.org,A name that is long\n');
      await page.click('.notice .is-primary');
      await page.waitForSelector('code');
    },
  ],
  [
    'a trial',
    '/accounts/alice@example.org/filters/main',
    async (page) => {
      await page.fill('[name=message]', 'list-id: <news.example.net>\n\nhello\n');
      await page.click('button:text-is("Try")');
      await page.waitForSelector('.trial');
    },
  ],
];
for (const [name, path, act] of STATES) {
  test(`${name} on ${path}`, { skip: real }, async () => {
    site.server.reset();
    const page = await site.open({ path });
    await act(page);
    await check(page, name);
    await close(page);
  });
}

test('a failure and lost events', { skip: real }, async () => {
  site.server.reset();
  site.server.fail('GET /queue/messages', 503, 'database-unavailable');
  const page = await site.open({ path: '/queue' });
  site.server.cut();
  await page.waitForSelector('.stale', { timeout: 10000 });
  await check(page, 'failure');
  await close(page);
});

test(
  'pseudo-locale: longer words overflow nothing, and no text is outside the catalogues',
  { skip: real },
  async () => {
    site.server.reset();
    const longer = (text) => `⟦${text}${'·'.repeat(Math.ceil(text.replace(/\{\w+\}/g, '').length * 0.4))}⟧`;
    const longerOf = (entry) =>
      typeof entry === 'string'
        ? longer(entry)
        : Object.fromEntries(Object.entries(entry).map(([form, text]) => [form, longer(text)]));
    const pseudo = (route) => {
      const name = new URL(route.request().url()).pathname.split('/').pop();
      const english = JSON.parse(readFileSync(fileURLToPath(new URL(`../../web/i18n/${name}`, import.meta.url)), 'utf8'));
      return route.fulfill({ json: Object.fromEntries(Object.entries(english).map(([key, entry]) => [key, longerOf(entry)])) });
    };
    const page = await site.open({ path: '/nowhere', own: true });
    await page.context().route('**/i18n/*en.json', pseudo);
    await page.reload();
    for (const path of [
      '/',
      '/queue',
      '/trace/q7f3k9',
      '/accounts',
      '/accounts/hugo@example.org',
      '/accounts/import',
      '/me/filters',
      '/me/mail',
      '/me/devices',
      '/me/security',
      '/me/activity',
      '/settings/audit',
      '/queue/holds',
      '/explain',
      '/domains/example.org',
      '/accounts/carol@example.org/filters/rules',
      '/settings/filters/before/spam',
      '/domains/example.org/filters',
      '/settings/smtp',
      '/settings/tokens?add',
      '/welcome/hostname',
      '/welcome/domain',
      '/welcome/certificate',
      '/welcome/message',
      '/welcome/done',
    ]) {
      await go(page, path);
      for (const width of WIDTHS) {
        await fits(page, path, width);
      }
      for (const selector of ['h1', 'h2', 'th', 'dt', 'button', 'label', 'legend', '.lead']) {
        for (const text of await page.locator(`#app ${selector} >> visible=true`).allInnerTexts()) {
          const data = /^[\w.@:·/\s-]*$/.test(text) && /[@.:]|^\d|^Message|^AD|^Invoice|^SPF$/.test(text.trim());
          assert.ok(
            text.trim() === '' || text.includes('⟦') || data,
            `${path} ${selector}: "${text}" is in no catalogue`,
          );
        }
      }
    }
    await close(page);
  },
);
