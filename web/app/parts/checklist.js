// What is left of the first steps: on Overview until all is done or somebody hides it, and beside the steps themselves.
import { get, request } from '/app/api.js';
import { html } from '/app/html.js';
import { needWords, t } from '/app/i18n.js';
import { Icon } from '/app/parts/icon.js';
import { problemText } from '/app/parts/page.js';
import { toast } from '/app/parts/toast.js';
import { can, store } from '/app/store.js';

await needWords('welcome');

const HIDES = '/settings/server.first_steps';

/** The page of a step; the domain's has its DNS, too. */
export const pageOf = (step) => `/welcome/${step.id === 'dns' ? 'domain' : step.id}`;

const wordsOf = (step) =>
  step.id === 'dns' && step.domain ? t('welcome.todo.dns-of', { domain: step.domain }) : t(`welcome.todo.${step.id}`);

/** Hides it for everybody; the settings bring it back. */
async function hide() {
  try {
    const { version } = await get(HIDES);
    await request('PUT', HIDES, { version, body: { value: 'false' } });
    store.set({ status: { ...store.get().status, checklist_shown: false } });
    document.querySelector('h1').focus({ preventScroll: true });
    toast(t('welcome.hidden'));
  } catch (error) {
    toast(problemText(error));
  }
}

/** Overview's card. */
export default function Checklist({ steps }) {
  const done = steps.filter((step) => step.done).length;
  const sorted = [...steps].sort((a, b) => a.done - b.done);
  const mayDo = can('settings:write');
  return html`<div class="head"><div class="row"><h2>${t('welcome.title')}</h2>
        <span class="muted small">${t('welcome.done-of', { n: done, total: steps.length })}</span></div>
      ${mayDo && html`<button class="button is-quiet" type="button" onClick=${hide}>${t('welcome.hide')}
        <span class="hidden"> ${t('welcome.title')}</span></button>`}</div>
    <ul>${sorted.map(
      (step) => html`<li key=${step.id} class=${`check is-${step.done ? 'ok' : 'wait'}`}>
      <${Icon} name=${step.done ? 'ok' : 'warn'} /><span class="break">${wordsOf(step)}</span>
      ${!step.done && mayDo && html`<a class="button is-quiet" href=${pageOf(step)}>${t('welcome.do')}
        <span class="hidden"> ${wordsOf(step)}</span></a>`}</li>`,
    )}</ul>`;
}
