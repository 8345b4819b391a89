// The table of contents: which page belongs to which path, who may see it, and the start.
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { readSession } from '/app/api.js';
import { startEvents, stopEvents } from '/app/events.js';
import { html } from '/app/html.js';
import { loadLanguage, pickLanguage, t } from '/app/i18n.js';
import { watchKeys } from '/app/keys.js';
import { Failure, Heading } from '/app/parts/page.js';
import { Shell } from '/app/parts/shell.js';
import { match, navigate, useLocation, watchLinks } from '/app/router.js';
import { can, remembered, store, useStore } from '/app/store.js';

const PAGES = [
  { path: '/', scope: 'queue:read', load: () => import('/app/pages/overview.js') },
  { path: '/queue', scope: 'queue:read', load: () => import('/app/pages/queue.js') },
  { path: '/queue/holds', scope: 'queue:read', load: () => import('/app/pages/holds.js') },
  { path: '/trace', scope: 'trace:read', load: () => import('/app/pages/traces.js') },
  { path: '/trace/:id', scope: 'trace:read', load: () => import('/app/pages/message.js') },
  { path: '/explain', scope: 'trace:read', load: () => import('/app/pages/explain.js') },
  { path: '/domains', scope: 'domains:read', load: () => import('/app/pages/domains.js') },
  { path: '/domains/:domain', scope: 'domains:read', load: () => import('/app/pages/domain.js') },
  { path: '/domains/:domain/admins', scope: 'domains:read', load: () => import('/app/pages/domain-admins.js') },
  { path: '/domains/:domain/filters', scope: 'domains:read', load: () => import('/app/pages/filters.js') },
  { path: '/domains/:domain/filters/:place/:name', scope: 'domains:read', load: () => import('/app/pages/filter.js') },
  { path: '/accounts', scope: 'accounts:read', load: () => import('/app/pages/accounts.js') },
  { path: '/accounts/import', scope: 'accounts:write', load: () => import('/app/pages/import.js') },
  { path: '/accounts/:address', scope: 'accounts:read', load: () => import('/app/pages/account.js') },
  { path: '/accounts/:address/devices', scope: 'accounts:read', load: () => import('/app/pages/devices.js') },
  { path: '/accounts/:address/activity', scope: 'accounts:read', load: () => import('/app/pages/activity.js') },
  { path: '/accounts/:address/addresses', scope: 'accounts:read', load: () => import('/app/pages/addresses.js') },
  { path: '/accounts/:address/filters', scope: 'accounts:read', load: () => import('/app/pages/filters.js') },
  { path: '/accounts/:address/filters/:name', scope: 'accounts:read', load: () => import('/app/pages/filter.js') },
  { path: '/aliases', scope: 'aliases:read', load: () => import('/app/pages/aliases.js') },
  { path: '/aliases/:address', scope: 'aliases:read', load: () => import('/app/pages/alias.js') },
  { path: '/settings', scope: 'settings:read', load: () => import('/app/pages/settings.js') },
  { path: '/settings/tokens', scope: 'tokens:read', load: () => import('/app/pages/tokens.js') },
  { path: '/settings/audit', scope: 'audit:read', load: () => import('/app/pages/audit.js') },
  { path: '/settings/filters', scope: 'settings:read', of: { server: true }, load: () => import('/app/pages/filters.js') },
  { path: '/settings/filters/:place/:name', scope: 'settings:read', of: { server: true }, load: () => import('/app/pages/filter.js') },
  { path: '/settings/:group', scope: 'settings:read', load: () => import('/app/pages/settings.js') },
  { path: '/me', scope: null, load: () => import('/app/pages/me.js') },
  { path: '/me/mail', scope: null, load: () => import('/app/pages/mail.js') },
  { path: '/me/mail/:id', scope: null, load: () => import('/app/pages/own-message.js') },
  { path: '/me/devices', scope: null, load: () => import('/app/pages/devices.js') },
  { path: '/me/security', scope: null, load: () => import('/app/pages/security.js') },
  { path: '/me/activity', scope: null, load: () => import('/app/pages/activity.js') },
  { path: '/me/filters', scope: null, load: () => import('/app/pages/filters.js') },
  { path: '/me/filters/:name', scope: null, load: () => import('/app/pages/filter.js') },
  { path: '/welcome', scope: 'settings:write', load: () => import('/app/pages/welcome.js') },
  { path: '/welcome/:step', scope: 'settings:write', load: () => import('/app/pages/welcome.js') },
  { path: '/problems/:name', scope: null, load: () => import('/app/pages/problem.js') },
];
const SIGN_IN = { load: () => import('/app/pages/sign-in.js') };

/** Loads a page's module once; keeps the page before until the next one is there. */
function useModule(load) {
  const [state, setState] = useState({ load: null, module: null, error: null });
  useEffect(() => {
    let here = true;
    load().then(
      (module) => here && setState({ load, module, error: null }),
      () => here && setState({ load, module: null, error: { kind: 'network', problem: {}, requestId: null } }),
    );
    return () => {
      here = false;
    };
  }, [load]);
  return state.load === load ? state : { module: null, error: null };
}

function NotFound() {
  return html`<div class="near"><${Heading} title=${t('not-found.title')} /><p>${t('not-found.text')}</p></div>`;
}

function Page({ path, query }) {
  for (const page of PAGES) {
    const params = match(page.path, path);
    if (params === null) continue;
    if (page.scope !== null && !can(page.scope)) break;
    return html`<${Loaded} key=${path} page=${page} params=${params} query=${query} />`;
  }
  return html`<${NotFound} />`;
}

function Loaded({ page, params, query }) {
  const { module, error } = useModule(page.load);
  if (error) return html`<${Failure} error=${error} lead=${t('failure.page')} retry=${() => location.reload()} />`;
  return module && html`<${module.default} ...${page.of} ...${params} query=${query} />`;
}

function App({ hostname }) {
  const { path, query } = useLocation();
  const session = useStore((s) => s.session);
  useStore((s) => s.language); // a new language draws everything again
  const link = useStore((s) => s.linkToken !== null);
  const inside = session !== null && !session.password_required && !(link && path === '/sign-in');

  useEffect(() => {
    if (!inside) {
      stopEvents();
      return;
    }
    if (can('queue:read')) startEvents();
    const wanted = pickLanguage(remembered('language'), session.account?.language, navigator.languages);
    if (wanted !== store.get().language) loadLanguage(wanted).catch(() => {});
  }, [inside]);
  const home = inside && (path === '/sign-in' || (path === '/' && !can('queue:read')));
  useEffect(() => {
    if (!home) return;
    const to = query.get('to');
    const start = can('queue:read') ? '/' : '/me';
    navigate(path === '/sign-in' && to?.startsWith('/') && !to.startsWith('//') ? to : start, { replace: true });
  }, [home]);
  useEffect(() => {
    if (session !== null || path === '/sign-in' || path.startsWith('/problems/')) return;
    const to = path === '/' ? '' : `?to=${encodeURIComponent(path + location.search)}`;
    navigate(`/sign-in${to}`, { replace: true });
  }, [session, path]);

  if (home) return null;
  if (inside) return html`<${Shell}><${Page} path=${path} query=${query} /><//>`;
  if (path.startsWith('/problems/'))
    return html`<main id="main" class="stack"><${Page} path=${path} query=${query} /></main>`;
  return html`<${Loaded} page=${SIGN_IN} params=${{ hostname: session?.hostname ?? hostname }} query=${query} />`;
}

/** Takes the token of /sign-in#link=… out of the URL, so that it stays in no history. */
function takeLink() {
  const token = /^#link=([\w.-]+)$/.exec(location.hash)?.[1];
  if (token === undefined || location.pathname !== '/sign-in') return;
  history.replaceState(null, '', location.pathname + location.search);
  store.set({ linkToken: token });
}

async function start() {
  const root = document.getElementById('app');
  const words = loadLanguage(pickLanguage(remembered('language'), null, navigator.languages));
  const session = readSession();
  session.catch(() => {}); // looked at below, when there are words to say what went wrong
  try {
    await words;
  } catch {
    root.textContent = 'The page could not be loaded. · A página não pôde ser carregada.'; // no catalogue to take it from
    return;
  }
  takeLink();
  addEventListener('hashchange', takeLink);
  watchKeys();
  watchLinks();
  try {
    const { hostname } = await session;
    render(html`<${App} hostname=${hostname} />`, root);
  } catch (error) {
    render(
      html`<main id="main" class="gate"><p class="brand">Correio</p>
      <${Failure} error=${error} lead=${t('failure.start')} retry=${() => location.reload()} /></main>`,
      root,
    );
  }
}

start();
