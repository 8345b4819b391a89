// State that several parts share, and what this browser remembers.
import { useEffect, useState } from 'preact/hooks';

/** A value with subscribers. set() merges, and tells nobody when nothing changed. */
function createStore(initial) {
  let value = initial;
  const listeners = new Set();
  return {
    get: () => value,
    set(change) {
      if (Object.keys(change).every((key) => Object.is(value[key], change[key]))) return;
      value = { ...value, ...change };
      for (const listener of [...listeners]) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/**
 * session: the answer of GET /session, or null. status: the last GET /status. language: the catalogue in use.
 * proof: who waits for the password to be given again, or null.
 * linkToken: of a one-time link that was opened, or null.
 * link: 'off' | 'connecting' | 'live' | 'lost' with linkSince; live: whether pages follow events.
 */
export const store = createStore({
  session: null,
  proof: null,
  linkToken: null,
  status: null,
  statusAt: null,
  language: 'en',
  link: 'off',
  linkSince: null,
  live: true,
  help: false,
  palette: false,
});

/** Reads one thing out of the store and draws again when it changes. */
export function useStore(select) {
  const [picked, setPicked] = useState(() => select(store.get()));
  useEffect(() => {
    const look = () => setPicked(() => select(store.get()));
    look();
    return store.subscribe(look);
  }, []);
  return picked;
}

/** True when the session may do this, e.g. can('queue:write'). */
export function can(scope) {
  const { session } = store.get();
  return session !== null && session.scopes.includes(scope);
}

const PREFIX = 'correio.';

/** What this browser remembers (theme, language, keys); null when nothing, or when storage is off. */
export function remembered(name) {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

export function remember(name, value) {
  try {
    if (value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, value);
  } catch {
    /* storage is off: it holds for this page only */
  }
}
