// What happened, who can act, what to do: the sentences of daemon/mail/advice.c in the reader's language.
import { html } from '/app/html.js';
import { has, needWords, t } from '/app/i18n.js';
import { actorSentence, firstLine } from '/app/parts/reason.js';

await needWords('advice');

/** A sentence about the destination. */
export function reasonSentence(explanation, destination, reply) {
  const key = `advice.${explanation?.id}.text`;
  if (explanation && has(key)) return t(key, { destination });
  return (
    explanation?.text ??
    (reply
      ? t('reason.reply.long', { destination, reply: firstLine(reply) })
      : t('reason.unknown.long', { destination }))
  );
}

/** What to do; empty when nothing is known. */
export function stepsSentence(explanation, destination) {
  const key = `advice.${explanation?.id}.do`;
  return has(key) ? t(key, { destination }) : (explanation?.steps ?? '');
}

/** Who can act, what to do, and the exact answer of host (or of nobody in particular). */
export function Advice({ explanation, destination, reply, host }) {
  return html`<p><b>${actorSentence(explanation, destination)}</b> ${stepsSentence(explanation, destination)}
    ${explanation && !explanation.certain && reply && html` ${t('reason.guess')}`}</p>
    ${
      reply &&
      html`<p class="muted">${host ? t('message.exact-answer-of', { host }) : t('message.exact-answer')}
      ${' '}<code>${reply.code}${reply.enhanced && ` ${reply.enhanced}`} ${reply.text}</code></p>`
    }`;
}
