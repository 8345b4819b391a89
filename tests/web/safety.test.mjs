// What the page may never do: draw text as markup, load from elsewhere, break its content security policy, grow.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import test, { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { close, real, settled, startSite } from './site.mjs';

const WEB = fileURLToPath(new URL('../../web/', import.meta.url));
const FIRST_VIEW = 60_000; // bytes, gzip, of all that the first view loads

let site;
before(async () => {
  site = await startSite();
});
after(() => site.close());

const EVIL = '<img src=x onerror="window.evil=1"><script>window.evil=1</script>{n}&amp;';

test('texts from outside are drawn as text: subject, names, addresses, replies, dialogue', { skip: real }, async () => {
  const { state } = site.server;
  Object.assign(state.queue[1], { subject: EVIL, sender: `"${EVIL}"@example.org` });
  Object.assign(state.queue[1].recipients[0], { explanation: null, reply: { code: 451, enhanced: null, text: EVIL } });
  Object.assign(
    state.traces.find((trace) => trace.id === 'q7f3k9'),
    { subject: EVIL, sender: EVIL, message_id: EVIL },
  );
  state.attempts.get('q7f3k9')[1].dialogue.push({ t: 1, s: EVIL });
  state.accounts[1].name = EVIL;
  state.tokens[0].name = EVIL;
  state.audit[0].objects = [EVIL];
  state.audit[0].after = { name: EVIL };
  state.settings.find((setting) => setting.key === 'relay.routes').value = EVIL;
  for (const path of [
    '/queue',
    '/trace/q7f3k9',
    '/trace',
    '/accounts',
    '/accounts/alice@example.org',
    '/settings/tokens',
    '/settings/audit',
    '/settings/relay',
    `/queue?q=${encodeURIComponent(EVIL)}`,
    `/problems/${encodeURIComponent(EVIL)}`,
  ]) {
    const page = await site.open({ path });
    assert.equal(await page.evaluate(() => window.evil), undefined, path);
    assert.equal(await page.locator('#app img, #app script').count(), 0, path);
    await close(page);
  }
  site.server.reset();
});

test('the policy of the page', async () => {
  const answer = await fetch(site.url);
  const csp = answer.headers.get('Content-Security-Policy');
  const map = /<script type="importmap">([^<]*)<\/script>/.exec(await answer.text())[1];
  const hash = createHash('sha256').update(map).digest('base64');
  assert.equal(
    csp,
    `default-src 'none'; script-src 'self' 'sha256-${hash}'; style-src 'self'; img-src 'self' data:; connect-src 'self'; ` +
      "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  );
  assert.equal(answer.headers.get('X-Content-Type-Options'), 'nosniff');
  assert.equal(answer.headers.get('Referrer-Policy'), 'no-referrer');
});

test('the sources use no sink that takes markup, no inline style, no other host', () => {
  for (const name of readdirSync(`${WEB}app`, { recursive: true }).filter((one) => one.endsWith('.js'))) {
    const text = readFileSync(`${WEB}app/${name}`, 'utf8');
    assert.doesNotMatch(
      text,
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|dangerouslySet| style=/,
      name,
    );
    assert.doesNotMatch(text.replace(/placeholder=\S+/g, ''), /https?:\/\//, name);
    for (const [, from] of text.matchAll(/(?:from |import\()'([^']+)'/g))
      assert.match(from, /^(\/app\/|preact$|preact\/hooks$|htm$|uplot$)/, name);
  }
});

test('what is vendored is what its manifest says', () => {
  const listed = JSON.parse(readFileSync(`${WEB}vendor/manifest.json`, 'utf8'));
  assert.deepEqual(
    listed.map((one) => one.file).sort(),
    readdirSync(`${WEB}vendor`)
      .filter((name) => name !== 'manifest.json')
      .sort(),
  );
  for (const { file, sha256 } of listed)
    assert.equal(
      createHash('sha256')
        .update(readFileSync(`${WEB}vendor/${file}`))
        .digest('hex'),
      sha256,
      file,
    );
});

test('the modules that every view needs are preloaded, no others', async () => {
  const index = readFileSync(`${WEB}index.html`, 'utf8');
  const preloaded = [...index.matchAll(/rel="modulepreload" href="([^"]+)"/g)].map((found) => found[1]);
  const { imports } = JSON.parse(/<script type="importmap">([^<]*)</.exec(index)[1]);
  const needed = new Set(['/app/main.js']);
  for (const path of needed) {
    const text = readFileSync(WEB + path.slice(1), 'utf8');
    for (const [, from] of text.matchAll(/from ?['"]([^'"]+)['"]/g)) needed.add(imports[from] ?? from);
  }
  needed.delete('/app/main.js');
  assert.deepEqual(preloaded.sort(), [...needed].sort());
});

/** Notes when the page is first drawn: with its heading. */
const MARK = `new MutationObserver((_, observer) => {
  if (document.querySelector('h1') === null) return;
  performance.mark('drawn');
  observer.disconnect();
}).observe(document, { childList: true, subtree: true });`;

test('the first view is small and comes from this server alone; the chart comes behind it', async () => {
  const page = await site.open({ path: '/', init: MARK });
  const loaded = await page.evaluate(() => {
    const [drawn] = performance.getEntriesByName('drawn');
    const resources = performance.getEntriesByType('resource');
    return [
      { url: location.href, first: true },
      ...resources.map(({ name, startTime }) => ({ url: name, first: startTime <= drawn.startTime })),
    ];
  });
  const own = loaded.filter(({ url }) => !url.includes('/api/'));
  let total = 0;
  for (const { url, first } of own) {
    assert.ok(url.startsWith(site.url), url);
    if (first) total += gzipSync(Buffer.from(await (await fetch(url)).arrayBuffer()), { level: 9 }).length;
  }
  assert.ok(own.filter(({ first }) => first).length > 10, 'the list of what was loaded is not empty');
  assert.ok(total <= FIRST_VIEW, `${total} bytes`);
  const later = own.filter(({ first }) => !first).map(({ url }) => new URL(url).pathname);
  for (const path of ['/app/parts/chart.js', '/app/parts/history.js', '/css/chart.css', '/i18n/chart.en.json', '/vendor/uplot.css', '/vendor/uplot.mjs'])
    assert.ok(later.includes(path), `${path} comes behind the first view`);
  await close(page);
});

test('a page without a chart does not load what draws one', async () => {
  const page = await site.open({ path: '/queue' });
  const loaded = await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name));
  assert.deepEqual(loaded.filter((url) => /chart|history|uplot/.test(url)), []);
  await close(page);
});

test('writes carry the CSRF token, reads do not', { skip: real }, async () => {
  const page = await site.open({ path: '/queue' });
  site.server.requests.length = 0;
  await page.click('tbody tr:nth-child(1) input');
  await page.keyboard.press('r');
  await page.waitForSelector('.bulk', { state: 'detached' });
  await settled(page);
  for (const { name, headers } of site.server.requests)
    assert.equal(headers['x-csrf-token'], name.startsWith('GET ') ? undefined : 'csrf-1', name);
  assert.ok(site.server.requests.some(({ name }) => name === 'POST /queue/actions'));
  await close(page);
});
