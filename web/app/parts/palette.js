// Ctrl-K: one field for everything that has a name. Objects come from the server, pages from the menu; actions lead to
// the page or dialog that does them.
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { get } from '/app/api.js';
import { html } from '/app/html.js';
import { needWords, t } from '/app/i18n.js';
import { Dialog } from '/app/parts/dialog.js';
import { Icon } from '/app/parts/icon.js';
import { problemText } from '/app/parts/page.js';
import { navigate } from '/app/router.js';
import { can, store } from '/app/store.js';

await needWords('palette');

const WAIT_MS = 120;
const SHORTEST = 2; // characters, before the server is asked
const KIND_OF_PREFIX = { '@': 'account', '#': 'domain', '>': 'action' };
const PATH = { account: '/accounts/', domain: '/domains/', alias: '/aliases/', message: '/trace/' };
const ICON = { account: 'account', domain: 'domain', alias: 'next', message: 'trace', action: 'next', page: 'next', text: 'search' };

const whole = () => store.get().session?.domains === null; // who sees some domains pauses nothing
const own = () => Boolean(store.get().session?.account);
/** What can be done: its words are palette.do.NAME, what else it is found by palette.also.NAME. */
const ACTIONS = [
  ['new-account', () => can('accounts:write'), '/accounts?add'],
  ['new-domain', () => can('domains:write'), '/domains?add'],
  ['new-alias', () => can('aliases:write'), '/aliases?add'],
  ['new-token', () => can('tokens:write'), '/settings/tokens?add'],
  ['retry-all', () => can('queue:write'), '/queue?state=deferred&do=retry'],
  ['release-all', () => can('queue:write'), '/queue?state=held&do=release'],
  ['pause', () => can('queue:write') && whole(), '/queue?group=destination'],
  ['hold-new', () => can('queue:write'), '/queue/holds?add'],
  ['explain', () => can('trace:read'), '/explain'],
  ['new-device', own, '/me/devices?add'],
  ['new-filter', own, '/me/filters?add'],
  ['password', own, '/me/security'],
];

/** What the text asks for: without its prefix, and of which kind alone. */
function parse(text) {
  const kind = KIND_OF_PREFIX[text[0]] ?? null;
  return { kind, q: (kind === null ? text : text.slice(1)).trim() };
}

const folded = (text) =>
  text
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .toLowerCase();

/** Each word of the text begins one of these words. */
function matches(q, words) {
  const all = folded(words).split(/\s+/);
  return folded(q).split(/\s+/).every((wanted) => all.some((word) => word.startsWith(wanted)));
}

const pagesFor = (q, pages) =>
  pages.filter(({ words }) => matches(q, words)).map(({ words, path }) => ({ kind: 'page', id: path, title: words, href: path }));

const actionsFor = (q) =>
  ACTIONS.filter(([name, may]) => may() && matches(q, `${t(`palette.do.${name}`)} ${t(`palette.also.${name}`)}`)).map(
    ([name, , href]) => ({ kind: 'action', id: name, title: t(`palette.do.${name}`), href }),
  );

/** What goes on looking for the text where it may stand in many places. */
function furtherFor(q) {
  const items = [];
  const add = (scope, path, key) => {
    if (can(scope)) items.push({ kind: 'text', id: path, title: t(key, { text: q }), href: `${path}?q=${encodeURIComponent(q)}` });
  };
  if (q.length <= 320) {
    add('trace:read', '/trace', 'palette.trace');
    add('queue:read', '/queue', 'palette.queue');
  }
  return items;
}

function useHits({ q, kind }) {
  const [state, setState] = useState({ q: '', hits: [], error: null });
  useEffect(() => {
    if (q.length < SHORTEST || kind === 'action') {
      setState({ q, hits: [], error: null });
      return undefined;
    }
    const abort = new AbortController();
    const timer = setTimeout(async () => {
      try {
        const { data } = await get('/search', { signal: abort.signal, query: { q: q.slice(0, 1000), kind } });
        setState({ q, hits: data, error: null });
      } catch (error) {
        if (error.name !== 'AbortError') setState({ q, hits: [], error });
      }
    }, WAIT_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [q, kind]);
  return { ...state, busy: state.q !== q && kind !== 'action' };
}

const rank = { message: 0, account: 1, domain: 2, alias: 3 };

function itemsOf({ q, kind }, hits, pages) {
  if (kind === 'action') return actionsFor(q);
  const objects = hits
    .map((hit) => ({ ...hit, href: PATH[hit.kind] + encodeURIComponent(hit.id).replaceAll('%40', '@') }))
    .sort((a, b) => rank[a.kind] - rank[b.kind]);
  if (kind !== null || q === '') return q === '' && kind === null ? pagesFor('', pages) : objects;
  return [...objects, ...actionsFor(q), ...pagesFor(q, pages), ...furtherFor(q)];
}

function Option({ item, id, selected, onChoose }) {
  const named = ['action', 'page', 'text'].includes(item.kind);
  return html`<li id=${id} role="option" aria-selected=${selected} class="hit"
    onMouseDown=${(event) => event.preventDefault()} onClick=${onChoose}>
    <${Icon} name=${ICON[item.kind]} />
    ${named ? html`<span>${item.title}</span>` : html`<span class="mono">${item.id}</span> <span class="muted">${item.title}</span>`}
    <small class="muted">${t(`palette.kind.${item.kind}`)}</small></li>`;
}

/** pages: {words, path} of the menu. */
export function Palette({ pages, onClose }) {
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const [entered, setEntered] = useState(false); // Enter came before the answer
  const list = useRef(null);
  const id = useId();
  const asked = parse(text.trimStart());
  const found = useHits(asked);
  const items = itemsOf(asked, found.busy ? [] : found.hits, pages);
  const current = Math.min(at, items.length - 1);
  useEffect(() => {
    list.current?.children[current]?.scrollIntoView({ block: 'nearest' });
  }, [current]);

  const choose = (item) => {
    onClose();
    navigate(item.href);
  };
  const onKeyDown = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && items.length > 0) {
      event.preventDefault();
      setAt((current + step + items.length) % items.length);
    }
  };
  const onSubmit = (event) => {
    event.preventDefault();
    setEntered(true);
  };
  useEffect(() => {
    if (!entered || found.busy) return;
    if (items.length > 0) choose(items[current]);
    else setEntered(false);
  }, [entered, found.busy]);
  return html`<${Dialog} title=${t('palette.title')} onClose=${onClose} className="palette">
    <form class="near" onSubmit=${onSubmit}>
      <input class="input" role="combobox" aria-expanded=${items.length > 0} aria-controls=${id} aria-autocomplete="list"
        aria-activedescendant=${items.length > 0 ? `${id}-${current}` : undefined} aria-label=${t('palette.label')}
        placeholder=${t('palette.hint')} autocomplete="off" autocapitalize="none" spellcheck=${false} autofocus value=${text}
        onInput=${(event) => {
          setText(event.target.value);
          setAt(0);
          setEntered(false);
        }} onKeyDown=${onKeyDown} />
      <ul class="hits" id=${id} role="listbox" aria-label=${t('palette.hits')} ref=${list}>
        ${items.map(
          (item, i) => html`<${Option} key=${item.kind + item.id} item=${item} id=${`${id}-${i}`} selected=${i === current}
            onChoose=${() => choose(item)} />`,
        )}
      </ul>
      <p class="muted" role="status">${
        found.error ? problemText(found.error) : !found.busy && items.length === 0 ? t('palette.nothing') : ''
      }</p>
    </form>
  <//>`;
}
