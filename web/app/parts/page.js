// What every page has: its heading, times, notices, the mark of being live.
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { html } from '/app/html.js';
import { ago, clock, duration, has, t, utc } from '/app/i18n.js';
import { Icon, State } from '/app/parts/icon.js';
import { takeArrival } from '/app/router.js';
import { useStore } from '/app/store.js';

/** The page's h1: sets the window's title, and takes the focus when another path was opened. */
export function Heading({ title, className, children }) {
  const ref = useRef(null);
  useEffect(() => {
    document.title = `${title} · Correio`;
  }, [title]);
  useLayoutEffect(() => { // before anybody can type into what is shown with it
    if (takeArrival()) ref.current.focus({ preventScroll: true });
  }, []);
  return html`<h1 ref=${ref} class=${className} tabindex="-1">${children ?? title}</h1>`;
}

/** A moment: clock time (with the date on another day), or how long ago; UTC in the title. */
export function Time({ at, seconds, relative, now }) {
  const text = relative ? ago(at, now) : clock(at, { seconds, now });
  return html`<time datetime=${at} title=${utc(at)}>${text}</time>`;
}

export function Age({ since, now }) {
  return html`<time datetime=${since} title=${utc(since)}>${duration((now - new Date(since)) / 1000)}</time>`;
}

/** A banner. answer: the one thing that this page says, its first line 20 px. */
export function Notice({ tone, icon, answer, label, role, lead, actions, children }) {
  const lines = html`<div><p class="lead">${lead}</p>${children}</div>`;
  return html`<section class=${`notice is-${tone}${answer ? ' is-answer' : ''}`} role=${role} aria-label=${label}>
    <${Icon} name=${icon} />${lines}${actions && html`<div class="row">${actions}</div>`}
  </section>`;
}

/** What a refusal means, in the reader's language: the problem's own title when it is not known. */
export function problemText(error) {
  const key = `problem.${error.kind}`;
  return has(key) ? t(key) : (error.problem.detail ?? error.problem.title ?? t('problem.internal'));
}

/** Why a single value was refused. */
export function fieldText(field) {
  const key = `invalid.${field.code}`;
  return has(key) ? t(key) : field.detail;
}

/** Something could not be read or done; the rest of the page goes on. lead: what, as a sentence. */
export function Failure({ error, lead, retry }) {
  const request =
    error.requestId && html` <span class="muted">${t('failure.request')} <code>${error.requestId}</code></span>`;
  const again = retry && html`<button class="button" type="button" onClick=${retry}>${t('action.try-again')}</button>`;
  return html`<${Notice} tone="fail" icon="fail" role="alert" lead=${lead} actions=${again}>
    <p>${problemText(error)}${request}</p>
  <//>`;
}

/** "By admin@example.org. Reason: …", as far as either is known. */
export function byWhom({ by, reason }) {
  const sentences = [by && t('by.whom', { by }), reason && t('by.reason', { reason })];
  return sentences.filter(Boolean).join(' ');
}

/** "Live, updated 14:28:05", or why not. */
export function LiveMark({ at }) {
  const link = useStore((s) => s.link);
  const live = useStore((s) => s.live);
  const state = !live || link === 'off' ? 'paused' : link;
  const tone = { live: 'ok', lost: 'wait' }[state] ?? 'plain';
  const updated = at && html`<span>${t('live.updated', { time: clock(at, { seconds: true }) })}</span>`;
  return html`<p class="row muted"><${State} tone=${tone} icon="dot">${t(`live.${state}`)}<//>${updated}</p>`;
}

/** The way back up: Domains / example.org. */
export function Crumb({ href, text, children }) {
  return html`<p class="crumb"><a href=${href}>${text}</a>${children && html` / ${children}`}</p>`;
}

export function Facts({ children }) {
  return html`<dl class="facts">${children}</dl>`;
}

export function Fact({ name, children }) {
  return html`<div><dt>${name}</dt><dd>${children}</dd></div>`;
}
