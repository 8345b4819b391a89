// Reading: useQuery keeps the old answer while the new one is on its way, and says so.
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

/**
 * Loads when `key` changes (null: nothing to load). `load(signal)` gives the answer.
 * Gives {data, error, at, busy, old, reload, refresh, put}: old is true while data belongs to another key;
 * reload() fetches again without dimming and resolves to the answer, undefined when it failed;
 * refresh(merge) fetches in the background and shows what merge(shown, answer) gives, unless the key changed
 * or a reload began meanwhile; failures are left to the next one.
 */
export function useQuery(key, load) {
  const [state, setState] = useState({ key: null, data: null, error: null, at: null, busy: key !== null });
  const latest = useRef({ load, key });
  latest.current = { load, key };
  const running = useRef(null);
  const background = useRef(null);
  const current = useRef(state);
  current.current = state;

  const run = useCallback(async () => {
    running.current?.abort();
    background.current?.abort();
    const abort = new AbortController();
    running.current = abort;
    const { load: loadNow, key: keyNow } = latest.current;
    setState((before) => ({ ...before, busy: true }));
    try {
      const data = await loadNow(abort.signal);
      if (abort.signal.aborted) return undefined;
      setState({ key: keyNow, data, error: null, at: new Date(), busy: false });
      return data;
    } catch (error) {
      if (abort.signal.aborted) return undefined;
      // Another key's rows are no answer to this one; the same key's are, and are marked as stale.
      setState((before) => ({
        ...before,
        busy: false,
        error,
        data: before.key === keyNow ? before.data : null,
        key: keyNow,
      }));
      return undefined;
    }
  }, []);

  // In the layout phase, for its end: what comes after the page has gone must not look for what was drawn in it,
  // and other effects end some frames later.
  useLayoutEffect(() => {
    if (key === null) return undefined;
    run();
    return () => {
      running.current?.abort();
      background.current?.abort();
    };
  }, [key]);

  const refresh = useCallback(async (merge) => {
    background.current?.abort();
    const abort = new AbortController();
    background.current = abort;
    let answer;
    try {
      answer = await latest.current.load(abort.signal);
    } catch {
      return; // the bar over the page says when the server is away
    }
    if (abort.signal.aborted || current.current.busy) return;
    const data = merge(current.current.data, answer);
    setState((before) => ({ ...before, data, error: null, at: new Date() }));
  }, []);
  const put = useCallback((data) => setState((before) => ({ ...before, data, at: new Date() })), []);
  return { ...state, old: state.data !== null && state.key !== key, reload: run, refresh, put };
}

/** True once `busy` has lasted 150 ms: before that a skeleton would only flicker. */
export function useSlow(busy) {
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    if (!busy) {
      setSlow(false);
      return undefined;
    }
    const timer = setTimeout(() => setSlow(true), 150);
    return () => clearTimeout(timer);
  }, [busy]);
  return slow;
}

/** The present time, renewed every `ms`, so that ages on the screen stay true. */
export function useNow(ms = 10000) {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const timer = setInterval(() => setNow(new Date()), ms);
    return () => clearInterval(timer);
  }, [ms]);
  return now;
}
