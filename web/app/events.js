// One event stream for each browser: Web Locks elect a tab, a BroadcastChannel feeds the others.
// Events are hints; whoever shows something fetches it again, at most once a second.
import { useLayoutEffect, useRef } from 'preact/hooks';
import { readSession } from '/app/api.js';
import { store } from '/app/store.js';

const STREAM = '/api/v1/events?topics=queue,status';
const EVENTS = ['queue.changed', 'status', 'reset'];
const RETRY_MS = 5000;

const handlers = new Set();
let channel = null;
let source = null;
let stop = null; // gives up the lock, or the wish for it
let retry = 0;

function setLink(link) {
  const now = store.get();
  if (now.link === link) return;
  const since = link === 'lost' ? (now.linkSince ?? Date.now()) : null;
  store.set({ link, linkSince: since });
}

function deliver(event) {
  if (event.link !== undefined) setLink(event.link);
  else if (event.ask) source && channel?.postMessage({ link: store.get().link });
  else for (const handler of [...handlers]) handler(event);
}

function publish(event) {
  deliver(event);
  channel?.postMessage(event);
}

function connect() {
  source = new EventSource(STREAM);
  source.onopen = () => {
    const wasLost = store.get().link === 'lost';
    publish({ link: 'live' });
    if (wasLost) publish({ type: 'reset', data: {} });
  };
  source.onerror = () => {
    publish({ link: 'lost' });
    if (source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
    retry = setTimeout(async () => {
      try {
        if ((await readSession()).session === null) return;
      } catch {
        /* no answer yet: try the stream again */
      }
      if (stop) connect();
    }, RETRY_MS);
  };
  for (const type of EVENTS) {
    source.addEventListener(type, (message) => publish({ type, data: JSON.parse(message.data) }));
  }
}

/** Starts the stream, here or in another tab; does nothing when it is started. */
export function startEvents() {
  if (stop) return;
  setLink('connecting');
  channel = new BroadcastChannel('correio-events');
  channel.onmessage = (message) => deliver(message.data);
  channel.postMessage({ ask: true });
  const abort = new AbortController();
  let release = () => {};
  const held = new Promise((resolve) => {
    release = resolve;
  });
  stop = () => {
    abort.abort();
    release();
  };
  const lead = () => {
    connect();
    return held;
  };
  if (navigator.locks) navigator.locks.request('correio-events', { signal: abort.signal }, lead).catch(() => {});
  else lead(); // plain HTTP away from loopback has no locks: one stream a tab
}

export function stopEvents() {
  if (!stop) return;
  clearTimeout(retry);
  source?.close();
  channel.close();
  stop();
  source = channel = stop = null;
  setLink('off');
}

/** Calls `refresh` after events of these types, at most once a second, never while the tab is hidden. */
export function useEvents(types, refresh) {
  const latest = useRef(refresh);
  latest.current = refresh;
  useLayoutEffect(() => {
    let timer = 0;
    let last = 0;
    let due = false;
    const run = () => {
      timer = 0;
      if (document.hidden || !store.get().live) {
        due = true;
        return;
      }
      due = false;
      last = Date.now();
      latest.current();
    };
    const handler = (event) => {
      if (event.type !== 'reset' && !types.includes(event.type)) return;
      if (timer === 0) timer = setTimeout(run, Math.max(0, last + 1000 - Date.now()));
    };
    const wake = () => {
      if (due && timer === 0) run();
    };
    handlers.add(handler);
    document.addEventListener('visibilitychange', wake);
    const unsubscribe = store.subscribe(wake);
    return () => {
      clearTimeout(timer);
      handlers.delete(handler);
      document.removeEventListener('visibilitychange', wake);
      unsubscribe();
    };
  }, []);
}
