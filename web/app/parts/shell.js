// The frame around every page: bar, menu, the stale bar, the account's menu, help, toasts.
import { useEffect, useState } from 'preact/hooks';
import { get, signOut } from '/app/api.js';
import { useEvents } from '/app/events.js';
import { html } from '/app/html.js';
import { clock, duration, LANGUAGES, loadLanguage, t } from '/app/i18n.js';
import { useKeys } from '/app/keys.js';
import { Icon } from '/app/parts/icon.js';
import { Help } from '/app/parts/help.js';
import { toast, Toasts } from '/app/parts/toast.js';
import { useNow } from '/app/query.js';
import { navigate, useLocation } from '/app/router.js';
import { can, remember, remembered, store, useStore } from '/app/store.js';

/** key: the letter after g; create: after c. rest: under More below 1080 px. */
const MENU = [
  { name: 'overview', path: '/', icon: 'overview', scope: 'queue:read', key: 'o' },
  { name: 'queue', path: '/queue', icon: 'queue', scope: 'queue:read', key: 'q' },
  { name: 'trace', path: '/trace', icon: 'trace', scope: 'trace:read', key: 't' },
  { name: 'domains', path: '/domains', scope: 'domains:read', key: 'd', rest: true },
  { name: 'accounts', path: '/accounts', icon: 'account', scope: 'accounts:read', key: 'a' },
  { name: 'aliases', path: '/aliases', scope: 'aliases:read', key: 'l', rest: true },
  { name: 'explain', path: '/explain', scope: 'trace:read', key: 'e', rest: true },
  { name: 'settings', path: '/settings', scope: 'settings:read', key: 's', rest: true },
];
/** Of a person who administers nothing; the others have these under their name. */
const PERSON_MENU = [
  { name: 'me', path: '/me', exact: true, icon: 'account' },
  { name: 'mail', path: '/me/mail', icon: 'trace' },
  { name: 'devices', path: '/me/devices', icon: 'device' },
  { name: 'filters', path: '/me/filters', icon: 'filter' },
  { name: 'security', path: '/me/security', icon: 'key', rest: true },
  { name: 'activity', path: '/me/activity', icon: 'overview', rest: true },
];

const CREATE = [
  ['a', 'accounts:write', '/accounts?add'],
  ['d', 'domains:write', '/domains?add'],
  ['l', 'aliases:write', '/aliases?add'],
  ['t', 'tokens:write', '/settings/tokens?add'],
];

const isHere = (item, path) =>
  item.path === '/' || item.exact ? path === item.path : path === item.path || path.startsWith(`${item.path}/`);

/** Fetches /status for the menu's count, Overview and Queue; events say when. */
export function refreshStatus() {
  return get('/status').then((status) => store.set({ status, statusAt: new Date() }));
}

function useStatus() {
  const quietly = () => {
    refreshStatus().catch(() => {});
  }; // Overview shows what went wrong, the bar needs not
  useEffect(() => {
    if (can('queue:read')) quietly();
  }, []);
  useEvents(['status', 'queue.changed'], () => {
    if (can('queue:read')) quietly();
  });
}

function Menu({ path }) {
  const waiting = useStore((s) => s.status?.queue.waiting);
  const admin = MENU.filter((item) => can(item.scope));
  const items = admin.length > 0 ? admin : PERSON_MENU;
  const rest = items.filter((item) => item.rest);
  const here = (item) => (isHere(item, path) ? 'page' : undefined);
  const count = html` <span class="count" aria-hidden="true">${waiting}</span><span class="hidden">
    ${t('menu.waiting', { n: waiting ?? 0 })}</span>`;
  const word = (item) =>
    html`<span>${t(`menu.${item.name}`)}${item.name === 'queue' && waiting > 0 && count}</span>`;
  const close = (event) => event.currentTarget.closest('[popover]').hidePopover();
  return html`<nav class="menu" aria-label=${t('menu.label')}>
      ${items.map(
        (
          item,
        ) => html`<a key=${item.name} href=${item.path} class=${item.rest ? 'rest' : undefined}
          aria-current=${here(item)}>
        ${item.icon && html`<${Icon} name=${item.icon} />`}${word(item)}</a>`,
      )}
      ${
        rest.length > 0 &&
        html`<button class="more" type="button" popovertarget="more-pages"
          aria-current=${rest.some(here) ? 'true' : undefined}>
        <${Icon} name="more" /><span>${t('menu.more')}</span></button>`
      }
    </nav>
    <div class="sheet" id="more-pages" popover="auto" role="group" aria-label=${t('menu.more')}>
      ${rest.map((item) => html`<a class="button" key=${item.name} href=${item.path} aria-current=${here(item)}
        onClick=${close}>${t(`menu.${item.name}`)}</a>`)}
    </div>`;
}

export function setTheme(theme) {
  remember('theme', theme === 'system' ? null : theme);
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

export function setLanguage(code) {
  remember('language', code);
  return loadLanguage(code).catch(() => toast(t('failure.language')));
}

function Choice({ label, options, value, onChoose }) {
  return html`<label class="field choice">${label}
    <select class="button" onInput=${(event) => onChoose(event.target.value)}>
      ${Object.entries(options).map(([key, words]) => html`<option key=${key} value=${key} selected=${key === value}
        lang=${key in LANGUAGES ? key : undefined}>${words}</option>`)}
    </select></label>`;
}

/** Two letters: of two words, else the first two. */
function initialsOf(name) {
  const words = name.split(/[\s.@-]+/).filter(Boolean);
  const letters = words.length > 1 && !name.includes('@') ? words[0][0] + words.at(-1)[0] : name.slice(0, 2);
  return letters.toUpperCase();
}

function Who({ account }) {
  const language = useStore((s) => s.language);
  const initials = initialsOf(account.name || account.address);
  const themes = { system: t('theme.system'), light: t('theme.light'), dark: t('theme.dark') };
  const close = (event) => event.currentTarget.closest('[popover]').hidePopover();
  const leave = async () => {
    try {
      await signOut();
      navigate('/sign-in');
    } catch {
      toast(t('failure.sign-out'));
    }
  };
  return html`<button class="who" type="button" popovertarget="who">${initials}
    <span class="hidden"> ${account.address}</span></button>
    <div class="sheet near" id="who" popover="auto" role="group" aria-label=${account.address}>
      <p class="who-name"><b>${account.name}</b><br /><span class="mono">${account.address}</span></p>
      <${Choice} label=${t('theme.label')} options=${themes} value=${remembered('theme') ?? 'system'}
        onChoose=${setTheme} />
      <${Choice} label=${t('language.label')} options=${LANGUAGES} value=${language} onChoose=${setLanguage} />
      <div>
        <a class="button" href="/me" onClick=${close}>${t('menu.me')}</a>
        <button class="button" type="button" onClick=${(event) => {
          close(event);
          store.set({ help: true });
        }}>${t('menu.keyboard')}</button>
        <button class="button" type="button" onClick=${leave}>${t('menu.sign-out')}</button>
      </div>
    </div>`;
}

/** Old figures are marked as old, once the stream has been away for more than 3 s. */
function Stale() {
  const link = useStore((s) => s.link);
  const since = useStore((s) => s.linkSince);
  const at = useStore((s) => s.statusAt);
  const now = useNow(1000);
  const seconds = since ? Math.round((now - since) / 1000) : 0;
  if (link !== 'lost' || seconds < 3) return null;
  return html`<p class="stale">${
    at
      ? t('stale.showing', { duration: duration(seconds), time: clock(at, { seconds: true }) })
      : t('stale.lost', { duration: duration(seconds) })
  }</p>`;
}

/** The module of the palette, once it was asked for; null until it is there. */
function usePalette() {
  const open = useStore((s) => s.palette);
  const [module, setModule] = useState(null);
  useEffect(() => {
    const onKey = (event) => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
      event.preventDefault();
      if (document.querySelector('dialog[open]') === null) store.set({ palette: true });
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
  useEffect(() => {
    if (open && module === null) import('/app/parts/palette.js').then(setModule, () => toast(t('failure.page')));
  }, [open]);
  return open ? module : null;
}

function SearchButton() {
  const mac = /mac|iphone|ipad/i.test(navigator.platform);
  return html`<button class="button search" type="button" onClick=${() => store.set({ palette: true })}>
    <${Icon} name="search" /><span>${t('search.button')}</span><kbd>${mac ? '⌘ K' : 'Ctrl K'}</kbd></button>`;
}

function useShellKeys() {
  const bindings = {
    '?': () => store.set({ help: true }),
    '.': () => {
      const live = !store.get().live;
      store.set({ live });
      toast(t(live ? 'live.turned-on' : 'live.turned-off'));
    },
  };
  for (const item of MENU) bindings[`g ${item.key}`] = () => (can(item.scope) ? navigate(item.path) : false);
  for (const [key, scope, url] of CREATE) bindings[`c ${key}`] = () => (can(scope) ? navigate(url) : false);
  useKeys(bindings);
}

/** The dialog that asks for the password again, when a request needs it. */
function Proof({ account }) {
  const answer = useStore((s) => s.proof);
  const [dialog, setDialog] = useState(null);
  useEffect(() => {
    if (answer === null || dialog !== null) return;
    import('/app/parts/proof.js').then(
      (module) => setDialog(() => module.default),
      () => {
        store.set({ proof: null });
        answer(false);
      },
    );
  }, [answer]);
  return answer !== null && dialog !== null && html`<${dialog} account=${account} answer=${answer} />`;
}

export function Shell({ children }) {
  const { path } = useLocation();
  const account = useStore((s) => s.session?.account);
  const help = useStore((s) => s.help);
  const palette = usePalette();
  const pages = MENU.filter((item) => can(item.scope)).map((item) => ({ words: t(`menu.${item.name}`), path: item.path }));
  useStatus();
  useShellKeys();
  return html`
    <a class="skip" href="#main" onClick=${(event) => {
      event.preventDefault();
      document.querySelector('main h1')?.focus();
    }}>${t('skip')}</a>
    <header class="bar">
      <a class="brand" href="/">Correio</a>
      <${Menu} path=${path} />
      <${SearchButton} />
      ${account && html`<${Who} account=${account} />`}
    </header>
    <${Stale} />
    <main id="main" class="stack">${children}</main>
    <${Toasts} />
    ${palette && html`<${palette.Palette} pages=${pages} onClose=${() => store.set({ palette: false })} />`}
    <${Proof} account=${account} />
    ${help && html`<${Help} onClose=${() => store.set({ help: false })} />`}`;
}
