// Why a message waits or failed, in the reader's language.
import { html } from '/app/html.js';
import { has, needWords, t } from '/app/i18n.js';

await needWords('advice');

const firstLine = (reply) => reply?.text.split('\n')[0];

/** A few words: "refuses connections". The server's English, or the reply, when the id is not known. */
export function reasonWords(explanation, reply) {
  if (explanation && has(`advice.${explanation.id}.short`)) return t(`advice.${explanation.id}.short`);
  return explanation?.text ?? firstLine(reply) ?? '–';
}

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

/** Who can do something about it. */
export function actorSentence(explanation, destination) {
  return explanation ? t(`actor.${explanation.actor}`, { destination }) : '';
}

export function ReplyCode({ reply }) {
  if (!reply) return null;
  return html`<code class="muted" title=${reply.text}>${reply.code}${reply.enhanced ? ` ${reply.enhanced}` : ''}</code>`;
}

/** For a row: words, and the exact code beside them. */
export function Why({ explanation, reply }) {
  return html`${reasonWords(explanation, reply)} <${ReplyCode} reply=${reply} />`;
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
