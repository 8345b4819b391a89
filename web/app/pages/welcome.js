// First run: from an empty server to a message that arrives. Each step can be skipped and come back to; what is done is
// what the server says.
import { useEffect } from 'preact/hooks';
import { html } from '/app/html.js';
import { needWords, t } from '/app/i18n.js';
import { Icon } from '/app/parts/icon.js';
import { Account, Certificate, Domain, Hostname, settle } from '/app/parts/first-steps.js';
import { Crumb, Failure, Heading } from '/app/parts/page.js';
import { refreshStatus } from '/app/parts/shell.js';
import { TestMessage } from '/app/parts/test-message.js';
import { useQuery } from '/app/query.js';
import { navigate } from '/app/router.js';
import { useStore } from '/app/store.js';

await needWords('welcome');

/** of: what the server's checklist must have as done. */
const STEPS = [
  { id: 'hostname', body: Hostname, of: ['hostname'] },
  { id: 'domain', body: Domain, of: ['domain', 'dns'] },
  { id: 'account', body: Account, of: ['account'] },
  { id: 'certificate', body: Certificate, of: ['certificate'] },
  { id: 'message', body: TestMessage, of: ['message'] },
];
const urlOf = (id) => `/welcome/${id}`;

function useSteps() {
  const first = useQuery('status', refreshStatus);
  const status = useStore((s) => s.status);
  if (status === null) return { error: first.error, retry: first.reload, steps: null };
  const isDone = (id) => status.checklist.find((one) => one.id === id)?.done ?? false;
  return { status, steps: STEPS.map((step) => ({ ...step, done: step.of.every(isDone) })) };
}

/** All steps, to go to any of them. */
function List({ steps, here }) {
  return html`<nav class="near" aria-label=${t('welcome.title')}>
    <div class="head"><h2>${t('welcome.title')}</h2><span class="muted small">${t('welcome.done-of', {
      n: steps.filter((step) => step.done).length,
      total: steps.length,
    })}</span></div>
    <ol>${steps.map(
      ({ id, done }) => html`<li key=${id} class=${`check is-${done ? 'ok' : 'wait'}`}>
      <${Icon} name=${done ? 'ok' : 'warn'} /><span>${
        id === here ? html`<b aria-current="step">${t(`welcome.todo.${id}`)}</b>` : html`<a href=${urlOf(id)}>${t(`welcome.todo.${id}`)}</a>`
      }<span class="hidden"> ${t(done ? 'welcome.is-done' : 'welcome.is-open')}</span></span></li>`,
    )}</ol></nav>`;
}

/** Back, on, and out. */
function Ways({ steps, n }) {
  const { done } = steps[n];
  const next = steps[n + 1]?.id ?? 'done';
  const onward = next === 'done' ? t('welcome.finish') : t('welcome.next');
  return html`<div class="row">
    ${n > 0 && html`<a class="button" href=${urlOf(steps[n - 1].id)}>${t('welcome.back')}</a>`}
    <a class=${`button${done ? ' is-primary' : ''}`} href=${urlOf(next)}>${done ? onward : t('welcome.skip')}</a>
    <a class="button is-quiet" href="/">${t('welcome.later')}</a></div>`;
}

function End({ steps }) {
  const left = steps.filter((step) => !step.done).length;
  const title = left === 0 ? t('welcome.end') : t('welcome.left', { n: left });
  return html`<div><${Crumb} href="/" text=${t('menu.overview')}>${t('welcome.title')}<//><${Heading} title=${title} /></div>
    <div class="split"><div class="stack">
      <p class="break">${t(left === 0 ? 'welcome.end-text' : 'welcome.left-text')}</p>
      <div class="row"><a class="button is-primary" href="/">${t('welcome.overview')}</a>
        <a class="button" href="/me/security">${t('welcome.security')}</a></div></div>
      <${List} steps=${steps} here=${null} /></div>`;
}

export default function Welcome({ step }) {
  const { steps, status, error, retry } = useSteps();
  const n = STEPS.findIndex(({ id }) => id === step);
  const known = n >= 0 || step === 'done';
  useEffect(() => {
    if (!known && steps !== null) navigate(urlOf(steps.find(({ done }) => !done)?.id ?? 'done'), { replace: true });
  }, [known, steps === null]);
  if (error) return html`<${Heading} title=${t('welcome.title')} /><${Failure} error=${error} lead=${t('overview.unreadable')} retry=${retry} />`;
  if (steps === null || !known) return html`<div aria-busy="true"></div>`;
  if (step === 'done') return html`<${End} steps=${steps} />`;
  const { id, body, done, of } = steps[n];
  const onDone = async () => {
    await settle(of[0]);
    navigate(urlOf(steps[n + 1].id));
  };
  return html`<div><${Crumb} href="/" text=${t('menu.overview')}>${t('welcome.title')} / ${t('welcome.of', {
      n: n + 1,
      total: steps.length,
    })}<//>
      <${Heading} title=${t(`welcome.todo.${id}`)} /></div>
    <div class="split"><div class="stack">
      <section class="near break" aria-label=${t(`welcome.todo.${id}`)}><${body} status=${status} done=${done} onDone=${onDone} /></section>
      <${Ways} steps=${steps} n=${n} /></div>
      <${List} steps=${steps} here=${id} /></div>`;
}
