// Doing something to queued messages: ask where it must, do it, say so, offer to take it back.
import { useEffect, useState } from 'preact/hooks';
import { get, request } from '/app/api.js';
import { html } from '/app/html.js';
import { duration, has, number, t } from '/app/i18n.js';
import { Confirm } from '/app/parts/dialog.js';
import { Fact, Facts, fieldText } from '/app/parts/page.js';
import { toast } from '/app/parts/toast.js';

const DANGER = ['bounce', 'delete']; // after a minute nothing brings these back
const ASKS = ['reschedule', 'reroute']; // when, and which way
const ASK_ABOVE = 50;
const TYPE_ABOVE = 500;

/** Takes an action back; says what could not be. */
async function takeBack(undo, onDone) {
  try {
    const { restored, skipped } = await request('POST', '/queue/undo', { body: { undo: undo.id } });
    const text = t('undo.done', { n: restored });
    toast(skipped > 0 ? t('done.and-busy', { done: text, busy: t('undo.skipped', { n: skipped }) }) : text);
  } catch (error) {
    toast(has(`problem.${error.kind}`) ? t(`problem.${error.kind}`) : t('failure.refused'));
  }
  await onDone('undo');
}

function sayDone(action, result, onDone) {
  const busy = result.total === undefined ? result.skipped.filter((one) => one.type.endsWith('/busy')).length : result.skipped;
  const text = t(`done.${action}`, { n: result.changed });
  toast(
    busy > 0 ? t('done.and-busy', { done: text, busy: t('done.busy', { n: busy }) }) : text,
    result.undo && (() => takeBack(result.undo, onDone)),
  );
}

/** The question's facts, from the groups by destination of what is selected. */
function Selected({ groups }) {
  const top = groups.slice(0, 3);
  const oldest = groups.map((group) => group.oldest_accepted_at).sort()[0];
  const recipients = groups.reduce((sum, group) => sum + group.recipients, 0);
  return html`<${Facts}>
    <${Fact} name=${t('queue.recipients')}>${number(recipients)}<//>
    ${oldest && html`<${Fact} name=${t('queue.oldest')}>${duration((Date.now() - new Date(oldest)) / 1000)}<//>`}
    <${Fact} name=${t('queue.destinations')}>${top.map((group, i) => html`${i > 0 && ', '}
      <span class="mono">${group.key}</span> ${number(group.messages)}`)}
      ${groups.length > top.length && ` ${t('queue.more-destinations', { n: groups.length - top.length })}`}<//>
  <//>`;
}

/** Groups rows of the page by destination, as the API does for a filter. */
function groupRows(rows) {
  const groups = new Map();
  for (const row of rows) {
    const group = groups.get(row.destination) ?? {
      key: row.destination,
      messages: 0,
      recipients: 0,
      oldest_accepted_at: row.accepted_at,
    };
    group.messages++;
    group.recipients += row.recipient_count;
    if (row.accepted_at < group.oldest_accepted_at) group.oldest_accepted_at = row.accepted_at;
    groups.set(row.destination, group);
  }
  return [...groups.values()].sort((a, b) => b.recipients - a.recipients);
}

/** Refusals that have words of their own here. */
function explain(error) {
  if (error.kind === 'selection-changed') return t('actions.changed', { n: error.problem.matched });
  return has(`problem.${error.kind}`) ? t('failure.refused') : null;
}

/** The API wants lists and numbers; the URL has texts. null is every message. */
function filterBody(filter) {
  const entries = Object.entries(filter);
  if (entries.length === 0) return { all: true };
  const single = { age_min: (values) => Number(values[0]), q: (values) => values[0] };
  return { filter: Object.fromEntries(entries.map(([name, values]) => [name, single[name]?.(values) ?? values])) };
}

/** One action on a target (parts/actions.js), from its beginning to its end: there is something to see while it asks. */
export function Acting({ action: wanted, target: on, onDone }) {
  const [question, setQuestion] = useState(null);
  const [long, setLong] = useState(null); // {operation, Progress}: more than one transaction holds

  const run = async (action, target, more = {}) => {
    const body = target.rows
      ? { action, select: { ids: target.rows.map((row) => row.id) }, ...more }
      : { action, select: filterBody(target.filter), max: target.count, ...more };
    const result = await request('POST', '/queue/actions', { body });
    if (result.total !== undefined) {
      const { Progress } = await import('/app/parts/progress.js');
      setLong({ operation: result, Progress });
      return;
    }
    sayDone(action, result, onDone);
    await onDone(action);
  };
  const finished = async (operation) => {
    setLong(null);
    sayDone(operation.action, operation, onDone);
    await onDone(operation.action);
  };
  const act = async (action, target) => {
    const count = target.rows ? target.rows.length : target.count;
    if (!target.ask && !ASKS.includes(action) && count <= ASK_ABOVE) {
      try {
        await run(action, target);
      } catch (error) {
        const text = explain(error) ?? t('failure.refused');
        toast(has(`problem.${error.kind}`) && error.kind !== 'selection-changed' ? t(`problem.${error.kind}`) : text);
        await onDone(action);
      }
      return;
    }
    let groups = null;
    try {
      groups = target.rows
        ? groupRows(target.rows)
        : (await get('/queue/messages', { query: { ...target.filter, group: 'destination', limit: 200 } })).data;
    } catch {
      /* the question can be asked without them */
    }
    const choose = ASKS.includes(action) ? await import('/app/parts/choose.js') : null;
    setQuestion({ action, target, count, groups, choose, more: action === 'reschedule' ? { at: '+1h' } : {} });
  };
  const withMore = (more) => setQuestion((now) => ({ ...now, more, error: null }));
  const send = async () => {
    try {
      await run(question.action, question.target, question.more);
    } catch (error) {
      const field = error.fields?.['/at'] ?? error.fields?.['/route'];
      setQuestion((now) => ({ ...now, error: field && fieldText(field) }));
      throw error;
    }
  };
  const Choose = question?.choose?.[question.action === 'reschedule' ? 'ChooseTime' : 'ChooseRoute'];

  const dialog = html`${long && html`<${long.Progress} operation=${long.operation} onDone=${finished} />`}${
    question &&
    html`<${Confirm}
    title=${t(`confirm.${question.action}.title`, { n: question.count })}
    verb=${t(`confirm.${question.action}.verb`, { n: question.count })} keep=${t('confirm.keep', { n: question.count })}
    danger=${DANGER.includes(question.action)} type=${question.count > TYPE_ABOVE ? String(question.count) : null}
      explain=${explain}
    run=${send} wait=${Choose && !question.more.at && question.more.route === undefined}
      onClose=${() => setQuestion(null)}>
    <p>${t(`confirm.${question.action}.text`)}</p>
    ${Choose && html`<${Choose} error=${question.error} onChange=${withMore} />`}
    ${question.count > 1 && question.groups && question.groups.length > 0 && html`<${Selected} groups=${question.groups} />`}
  <//>`
  }`;
  useEffect(() => {
    act(wanted, on);
  }, []);
  return dialog;
}
