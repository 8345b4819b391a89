// Paths to pages. What is on the screen is in the URL: path = object, query = filters.
import { useEffect, useState } from 'preact/hooks';

const listeners = new Set();
let steps = 0; // of this page in the history, so that back() stays in it
let arrived = false; // another path was opened: its h1 is to take the focus

const here = () => ({ path: location.pathname, query: new URLSearchParams(location.search) });

/** True once after each change of the path: whoever draws the h1 then focuses it. */
export function takeArrival() {
  const was = arrived;
  arrived = false;
  return was;
}

function tell() {
  for (const listener of [...listeners]) listener(here());
}

/** Goes to a URL of this page; replace: without a step in the history. */
export function navigate(url, { replace = false } = {}) {
  const before = location.pathname;
  if (replace) {
    history.replaceState(null, '', url);
  } else {
    history.pushState(null, '', url);
    steps++;
  }
  if (location.pathname !== before) {
    arrived = true;
    scrollTo(0, 0);
  }
  tell();
}

/** Back to where one came from, or to `fallback` when that was another site. */
export function back(fallback) {
  if (steps === 0) {
    navigate(fallback);
    return;
  }
  steps -= 1;
  history.back();
}

/** Changes the query of the present path; values as in api.query(). */
export function setQuery(params, options) {
  const text = params.toString();
  navigate(location.pathname + (text === '' ? '' : `?${text}`), options);
}

export function useLocation() {
  const [now, setNow] = useState(here);
  useEffect(() => {
    listeners.add(setNow);
    setNow(here());
    return () => listeners.delete(setNow);
  }, []);
  return now;
}

/** Matches '/trace/:id' and gives {id}, or null. Parts are decoded; a part that cannot be is no match. */
export function match(pattern, path) {
  const want = pattern.split('/');
  const have = path.replace(/(.)\/$/, '$1').split('/');
  if (want.length !== have.length) return null;
  const params = {};
  for (let i = 0; i < want.length; i++) {
    if (!want[i].startsWith(':')) {
      if (want[i] !== have[i]) return null;
      continue;
    }
    if (have[i] === '') return null;
    try {
      params[want[i].slice(1)] = decodeURIComponent(have[i]);
    } catch {
      return null;
    }
  }
  return params;
}

/** Makes plain links to our own paths go through the router; modified clicks stay the browser's. */
export function watchLinks() {
  addEventListener('popstate', () => {
    arrived = true;
    tell();
  });
  document.addEventListener('click', (event) => {
    const link = event.target.closest?.('a[href]');
    if (!link || event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const url = new URL(link.href);
    if (link.target || link.hasAttribute('download') || url.origin !== location.origin) return;
    if (url.pathname === location.pathname && url.search === location.search && url.hash !== '') return;
    event.preventDefault();
    navigate(url.pathname + url.search + url.hash);
  });
}
