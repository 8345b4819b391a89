// Explain this delivery: what would become of a message, step by step; and what a mail server's answer means.
import { useEffect, useState } from 'preact/hooks';
import { request } from '/app/api.js';
import { html } from '/app/html.js';
import { has, needWords, size, t } from '/app/i18n.js';
import { Advice, reasonSentence } from '/app/parts/advice.js';
import { Input, Submit, TextArea, useForm } from '/app/parts/form.js';
import { Icon } from '/app/parts/icon.js';
import { Heading, Notice } from '/app/parts/page.js';
import { Result as TrialResult } from '/app/parts/trial.js';
import { setQuery } from '/app/router.js';
import { can } from '/app/store.js';

await needWords('explain');

const FIELDS = ['from', 'to', 'size', 'account', 'ip'];
const TONES = {
  ok: ['ok', 'ok'],
  info: ['plain', 'next'],
  waits: ['wait', 'wait'],
  refused: ['fail', 'fail'],
  unknown: ['held', 'warn'],
};
const RESULTS = {
  accepted: ['ok', 'ok'],
  partly: ['wait', 'warn'],
  returned: ['fail', 'fail'],
  later: ['wait', 'wait'],
  refused: ['fail', 'fail'],
};
const OUTCOMES = {
  delivered: ['ok', 'ok'],
  forwarded: ['ok', 'ok'],
  queued: ['plain', 'send'],
  waits: ['wait', 'wait'],
  discarded: ['held', 'close'],
  returned: ['fail', 'fail'],
  refused: ['fail', 'fail'],
  unknown: ['held', 'warn'],
};

/** Bytes are written as people read them. */
function inWords({ key, args, because }) {
  if (!has(`explain.${key}`)) return because;
  const words = { ...args };
  for (const name of ['size', 'limit', 'used']) if (/^-?\d+$/.test(words[name] ?? '')) words[name] = size(Number(words[name]));
  return t(`explain.${key}`, words);
}

const domainOf = (address) => (address ?? '').split('@').at(-1);

function Step({ step }) {
  const [tone, icon] = TONES[step.verdict] ?? TONES.unknown;
  const advice = step.explanation && step.verdict !== 'ok';
  const name = t(`explain.page.step.${step.step}`);
  return html`<li class=${`is-${tone}`}><${Icon} name=${icon} /><div>
    <b>${name}</b>${step.for && html` <span class="mono muted">${step.for}</span>`}
    <span class="hidden">${t(`explain.page.verdict.${step.verdict}`)}</span><br />${inWords(step)}
    ${step.setting && html` <a href=${step.setting}>${t('explain.page.setting')}</a>`}
    ${
      advice &&
      html`<p>${reasonSentence(step.explanation, domainOf(step.for))}</p>
      <${Advice} explanation=${step.explanation} destination=${domainOf(step.for)} />`
    }
    ${
      step.trial &&
      html`<details><summary>${t('explain.page.trial')}</summary><${TrialResult} trial=${step.trial} /></details>`
    }</div></li>`;
}

function Recipient({ recipient }) {
  const [tone, icon] = OUTCOMES[recipient.outcome] ?? OUTCOMES.unknown;
  const args = { mailbox: recipient.mailbox ?? '' };
  return html`<li><span class=${`state is-${tone}`}><${Icon} name=${icon} />
    ${t(`explain.page.outcome.${recipient.outcome}`, args)}</span> <span class="mono">${recipient.address}</span></li>`;
}

function Explanation({ answer }) {
  const [tone, icon] = RESULTS[answer.result] ?? RESULTS.partly;
  return html`<section class="near" aria-live="polite">
    <${Notice} answer tone=${tone} icon=${icon} label=${t('explain.page.result')}
      lead=${t(`explain.page.result.${answer.result}`)}>
      ${
        answer.reply &&
        html`<p>${t('explain.page.reply')} <code>${answer.reply.code} ${answer.reply.enhanced} ${answer.reply.text}</code></p>`
      }
      ${answer.recipients.length > 0 && html`<ul class="plain">
        ${answer.recipients.map((one) => html`<${Recipient} key=${one.address} recipient=${one} />`)}</ul>`}<//>
    <h2>${t('explain.page.steps')}</h2>
    <ol class="timeline is-steps">${answer.steps.map((step, i) => html`<${Step} key=${i} step=${step} />`)}</ol>
  </section>`;
}

function Delivery({ query }) {
  const [answer, setAnswer] = useState(null);
  const initial = Object.fromEntries(FIELDS.map((name) => [name, query.get(name) ?? '']));
  const form = useForm({
    initial: { ...initial, headers: '', probe: false },
    save: async ({ headers, probe, ...values }) => {
      setAnswer(null);
      const given = Object.entries(values).filter(([name, value]) => name === 'from' || value.trim() !== '');
      const body = Object.fromEntries(given.map(([name, value]) => [name, name === 'size' ? Number(value) : value.trim()]));
      if (headers.trim() !== '') body.headers = headers;
      if (probe) body.probe = true;
      setQuery(new URLSearchParams(given.filter(([, value]) => value !== '')), { replace: true });
      setAnswer(await request('POST', '/explain/delivery', { body }));
    },
    places: { '/from': 'from', '/to': 'to', '/size': 'size', '/ip': 'ip', '/account': 'account', '/headers': 'headers' },
  });
  useEffect(() => {
    if (query.get('to')) form.form.onSubmit({ preventDefault() {} });
  }, []);
  const address = { mono: true, inputmode: 'email', autocapitalize: 'none', autocomplete: 'off', spellcheck: false };
  return html`<form class="near" ...${form.form}>
      <div class="pair"><${Input} label=${t('explain.page.from')} hint=${t('explain.page.from-hint')} ...${form.field('from')}
          ...${address} />
        <${Input} label=${t('explain.page.to')} ...${form.field('to')} ...${address} required /></div>
      <details open=${initial.account !== '' || initial.ip !== '' || initial.size !== ''}>
        <summary>${t('explain.page.more')}</summary><div class="near">
        <div class="pair"><${Input} label=${t('explain.page.account')} hint=${t('explain.page.account-hint')}
            ...${form.field('account')} ...${address} />
          <${Input} label=${t('explain.page.ip')} hint=${t('explain.page.ip-hint')} ...${form.field('ip')} mono
            autocomplete="off" /></div>
        <${Input} label=${t('explain.page.size')} ...${form.field('size')} type="number" min="0" />
        <${TextArea} label=${t('explain.page.headers')} hint=${t('explain.page.headers-hint')} ...${form.field('headers')}
          rows="4" />
        ${
          can('explain:probe') &&
          html`<label class="row"><input type="checkbox" checked=${form.values.probe}
            onChange=${(event) => form.set('probe', event.target.checked)} /> ${t('explain.page.probe')}</label>`
        }</div></details>
      <${Submit} state=${form} verb=${t('explain.page.run')} />
    </form>
    ${answer && html`<${Explanation} answer=${answer} />`}`;
}

function Reply() {
  const [answer, setAnswer] = useState(null);
  const form = useForm({
    initial: { text: '' },
    save: async ({ text }) => {
      setAnswer(null);
      setAnswer(await request('POST', '/explain/reply', { body: { text } }));
    },
    places: { '/text': 'text' },
  });
  return html`<section class="near"><h2>${t('explain.page.answer-title')}</h2>
    <form class="near" ...${form.form}>
      <${TextArea} label=${t('explain.page.answer')} hint=${t('explain.page.answer-hint')} ...${form.field('text')} rows="3"
        required />
      <${Submit} state=${form} verb=${t('explain.page.answer-run')} quiet />
    </form>
    ${
      answer &&
      html`<div aria-live="polite"><${Notice} tone=${answer.known ? 'plain' : 'held'} icon=${answer.known ? 'ok' : 'warn'}
        lead=${reasonSentence(answer.explanation, t('explain.page.other-server'))}>
        <${Advice} explanation=${answer.explanation} destination=${t('explain.page.other-server')} /><//></div>`
    }</section>`;
}

export default function Explain({ query }) {
  return html`<div class="near"><${Heading} title=${t('menu.explain')} />
    <p class="muted">${t('explain.page.intro')}</p>
    <${Delivery} query=${query} /></div>
    <${Reply} />`;
}
