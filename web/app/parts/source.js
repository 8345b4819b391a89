// The header of a message that waits, and its whole source: for a reason that is written down. Both are text, never a page.
import { useState } from 'preact/hooks';
import { get, segment } from '/app/api.js';
import { html } from '/app/html.js';
import { needWords, size, t } from '/app/i18n.js';
import { Confirm } from '/app/parts/dialog.js';
import { Input } from '/app/parts/form.js';
import { Failure } from '/app/parts/page.js';
import { save } from '/app/parts/save.js';
import { can } from '/app/store.js';

await needWords('source');

const SHOWN_BYTES = 200_000;

const TYPE = 'message/rfc822';

/** The bytes, and their beginning as text; a character that the end cuts in two is left out. */
async function read(id, query) {
  const blob = await get(`/queue/messages/${segment(id)}/source`, { accept: TYPE, query });
  return { blob, text: new TextDecoder().decode(await blob.slice(0, SHOWN_BYTES).arrayBuffer(), { stream: true }) };
}

function Text({ label, blob, text, name }) {
  const cut = blob.size > SHOWN_BYTES && t('source.cut', { shown: size(SHOWN_BYTES), size: size(blob.size) });
  return html`<div class="near">${cut && html`<p class="muted">${cut}</p>`}
    <pre class="source" tabindex="0" aria-label=${label}>${text}</pre>
    <p><button class="button" type="button" onClick=${() => save(name, TYPE, blob)}>${t('source.save')}</button></p></div>`;
}

function Reason({ id, onRead, onClose }) {
  const [reason, setReason] = useState('');
  const run = async () => onRead(await read(id, { reason: reason.trim() }));
  return html`<${Confirm} title=${t('source.title')} verb=${t('source.verb')} wait=${reason.trim() === ''} run=${run}
    onClose=${onClose}>
    <p>${t('source.text')}</p>
    <${Input} label=${t('source.reason')} name="reason" maxlength="200" autocomplete="off" value=${reason}
      onInput=${(event) => setReason(event.target.value)} /><//>`;
}

/** Of the message `id`, which is in the queue. */
export function Source({ id }) {
  const [header, setHeader] = useState(null);
  const [whole, setWhole] = useState(null);
  const [asking, setAsking] = useState(false);
  const [error, setError] = useState(null);
  const toggleHeader = async () => {
    setError(null);
    if (header) return setHeader(null);
    try {
      setHeader(await read(id, { part: 'headers' }));
    } catch (refused) {
      setError(refused);
    }
  };
  return html`<section class="near"><h2>${t('source.heading')}</h2>
    <div class="row">
      <button class="button" type="button" aria-expanded=${header !== null} onClick=${toggleHeader}>
        ${t(header ? 'source.hide-header' : 'source.show-header')}</button>
      ${
        can('mail:content') &&
        html`<button class="button" type="button" aria-expanded=${whole !== null}
          onClick=${() => (whole ? setWhole(null) : setAsking(true))}>
          ${t(whole ? 'source.hide-whole' : 'source.show-whole')}</button>`
      }
    </div>
    ${error && html`<${Failure} error=${error} lead=${t('failure.refused')} />`}
    ${header && html`<${Text} label=${t('source.header')} name=${`${id}-header.txt`} ...${header} />`}
    ${whole && html`<${Text} label=${t('source.whole')} name=${`${id}.eml`} ...${whole} />`}
    ${asking && html`<${Reason} id=${id} onRead=${setWhole} onClose=${() => setAsking(false)} />`}</section>`;
}
