// Why a message waits or failed, in the reader's language.
import { html } from '/app/html.js';
import { has, needWords, t } from '/app/i18n.js';

await needWords('reason'); // a few words for each; the sentences are needed by fewer pages: parts/advice.js

export const firstLine = (reply) => reply?.text.split('\n')[0];

/** A few words: "refuses connections". The server's English, or the reply, when the id is not known. */
export function reasonWords(explanation, reply) {
  if (explanation && has(`reason.${explanation.id}`)) return t(`reason.${explanation.id}`);
  return explanation?.text ?? firstLine(reply) ?? '–';
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
