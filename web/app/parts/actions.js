// What can be done to queued messages, from every page that shows them. How is in acting.js, loaded with the first action.
import { useState } from 'preact/hooks';
import { html } from '/app/html.js';
import { clock, t } from '/app/i18n.js';

/**
 * onDone() after each change. Gives {act, dialog}: put `dialog` on the page. act(action, target) with target
 * {rows} for these messages, or {filter, count} for all that match; ask: true to ask in any case.
 */
export function useQueueActions(onDone) {
  const [asked, setAsked] = useState(null);
  const act = async (action, target) => {
    const { Acting } = await import('/app/parts/acting.js');
    setAsked((before) => ({ action, target, Acting, n: (before?.n ?? 0) + 1 }));
  };
  const dialog =
    asked &&
    html`<${asked.Acting} key=${asked.n} action=${asked.action} target=${asked.target} onDone=${onDone} />`;
  return { act, dialog };
}

/** "14:32", "now", or "–". */
export function nextWords(row, now) {
  if (row.state === 'sending') return t('time.now');
  return row.next_attempt_at ? clock(row.next_attempt_at, { now }) : '–';
}
