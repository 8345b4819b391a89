// What filters would do with a message: the question, each step, and the result. Nothing is delivered.
import { useState } from 'preact/hooks';
import { request } from '/app/api.js';
import { html } from '/app/html.js';
import { needWords, t } from '/app/i18n.js';
import { inCharacters } from '/app/parts/code.js';
import { Icon } from '/app/parts/icon.js';
import { Input, Submit, TextArea, useForm } from '/app/parts/form.js';
import { Notice } from '/app/parts/page.js';

await needWords('trial');
await needWords('sieve');

/** A sentence that says what an action does. */
function actionText(action) {
  const { kind, mailbox, asked, made, address, text, flags, program } = action;
  if (kind === 'keep' || kind === 'fileinto') {
    return [
      t('trial.stored', { mailbox }),
      made && t('trial.made'),
      !made && asked !== undefined && asked !== mailbox && t('trial.missing', { asked }),
      program !== undefined && t('trial.program', { program }),
      flags?.length > 0 && t('trial.flags', { flags: flags.join(' ') }),
    ]
      .filter(Boolean)
      .join(' ');
  }
  return t(`trial.action.${kind}`, { address: address ?? '', text: text ?? '' });
}

/** A command whose action follows at once is told by that. */
const isToldNext = (step, next) =>
  step.kind === 'command' && next?.kind === 'action' && next.name === step.name && next.line === step.line;

function Step({ step }) {
  const verdict =
    step.kind === 'test'
      ? html`<${Icon} name=${step.result ? 'ok' : 'close'} /> ${t(step.result ? 'trial.true' : 'trial.false')}`
      : step.detail;
  return html`<li class=${step.kind === 'error' ? 'is-fail' : undefined}>
    <span class="num muted">${step.line > 0 && step.line}</span>
    <code>${step.name}</code><span class="break">${verdict}</span></li>`;
}

function Steps({ trial }) {
  const groups = [];
  trial.steps.forEach((step, i) => {
    if (isToldNext(step, trial.steps[i + 1])) return;
    if (groups.at(-1)?.script !== step.script) groups.push({ script: step.script, steps: [] });
    groups.at(-1).steps.push(step);
  });
  const title = ({ place, name }) => {
    const where = t(`sieve.place.${place}`);
    return name === null ? t('trial.this') : `${where}: ${name}`;
  };
  return html`${groups.map(
    (group, i) => html`<div key=${i}>${trial.scripts.length > 1 && html`<h3>${title(trial.scripts[group.script])}</h3>`}
      <ol class="trial">${group.steps.map((step, k) => html`<${Step} key=${k} step=${step} />`)}</ol></div>`,
  )}
  ${trial.cut && html`<p class="muted">${t('trial.cut')}</p>`}`;
}

/** Where an error is, and what it is; {line, column, text}. */
export const placeText = ({ line, column, text, detail }) => t('sieve.error-at', { line, column, text: text ?? detail });

/** Each step of a trial, and what would be done. */
export function Result({ trial }) {
  const broken = trial.scripts.filter((script) => script.error !== null);
  const failed = trial.failed && html`<${Notice} tone="fail" icon="fail" lead=${t('trial.failed')}>
    <p>${placeText(trial.failed)}</p><//>`;
  return html`<div class="near" aria-live="polite">${failed}
    ${broken.map((script) => html`<${Notice} key=${script.name} tone="fail" icon="fail"
      lead=${t('trial.broken', { name: script.name })}><p>${placeText(script.error)}</p><//>`)}
    <h3>${t('trial.result')}</h3>
    <ul>${trial.actions.map((action, i) => html`<li key=${i} class="break">${actionText(action)}</li>`)}</ul>
    <h3>${t('trial.steps')}</h3>
    ${trial.steps.length === 0 ? html`<p class="muted">${t('trial.no-steps')}</p>` : html`<${Steps} trial=${trial} />`}
  </div>`;
}

/** path: of the API's filters; script: the text to try, or null for all that run on delivery; lead: what is tried. */
export function Trial({ path, script, lead }) {
  const [trial, setTrial] = useState(null);
  const form = useForm({
    initial: { message: '', from: '', to: '' },
    save: async ({ message, from, to }) => {
      setTrial(null);
      const body = { message, from: from.trim() };
      if (to.trim() !== '') body.to = to.trim();
      if (script !== null) body.script = script;
      setTrial(await request('POST', `${path}/test`, { body }));
    },
    places: { '/message': 'message', '/from': 'from', '/to': 'to' },
  });
  const wrong = form.failure?.fields?.['/script'];
  const explain = () => (wrong ? `${t('trial.script-wrong')} ${placeText(inCharacters(script, wrong))}` : null);
  return html`<section class="near"><h2>${t('trial.title')}</h2><p class="muted">${lead}</p>
    <form class="near" ...${form.form}>
      <${TextArea} label=${t('trial.message')} hint=${t('trial.message-hint')} ...${form.field('message')} rows="7" />
      <div class="pair"><${Input} label=${t('trial.from')} ...${form.field('from')} mono inputmode="email"
          autocapitalize="none" autocomplete="off" spellcheck=${false} />
        <${Input} label=${t('trial.to')} hint=${t('trial.to-hint')} ...${form.field('to')} mono inputmode="email"
          autocapitalize="none" autocomplete="off" spellcheck=${false} /></div>
      <${Submit} state=${form} verb=${t('trial.run')} explain=${explain} quiet />
    </form>
    ${trial && html`<${Result} trial=${trial} />`}
  </section>`;
}
