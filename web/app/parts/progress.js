// How far a long action is, and a way to stop it; it goes on by itself when this page is left.
import { useEffect, useState } from 'preact/hooks';
import { get, request, segment } from '/app/api.js';
import { html } from '/app/html.js';
import { number, t } from '/app/i18n.js';
import { Notice } from '/app/parts/page.js';

const LOOK_MS = 1000;

export function Progress({ operation, onDone }) {
  const [now, setNow] = useState(operation);
  const path = `/operations/${segment(operation.id)}`;
  useEffect(() => {
    const abort = new AbortController();
    const timer = setInterval(async () => {
      const fresh = await get(path, { signal: abort.signal }).catch(() => null);
      if (fresh === null || abort.signal.aborted) return; // the bar over the page says when the server is away
      setNow(fresh);
      if (fresh.state !== 'running') {
        clearInterval(timer);
        onDone(fresh);
      }
    }, LOOK_MS);
    return () => {
      abort.abort();
      clearInterval(timer);
    };
  }, [path]);
  const stop = () => request('DELETE', path).catch(() => {}); // the next look says how it ended
  const words = t('progress.done', { done: number(now.done), total: number(now.total) });
  return html`<${Notice} tone="plain" icon="send" label=${t('progress.label')} lead=${words}
    actions=${html`<button class="button" type="button" onClick=${stop}>${t('progress.stop')}</button>`}>
    <p><progress value=${now.done} max=${now.total} aria-label=${t('progress.label')}></progress>${' '}
      ${t('progress.text')}</p><//>`;
}
