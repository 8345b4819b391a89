// The list of keys, and the switch that turns single letters off (WCAG 2.1.4).
import { useState } from 'preact/hooks';
import { html } from '/app/html.js';
import { t } from '/app/i18n.js';
import { Dialog } from '/app/parts/dialog.js';
import { remember, remembered } from '/app/store.js';

const KEYS = [
  ['Ctrl k', 'help.search'],
  ['g o', 'help.overview'],
  ['g q', 'help.queue'],
  ['g t', 'help.trace'],
  ['g d', 'help.domains'],
  ['g a', 'help.accounts'],
  ['g l', 'help.aliases'],
  ['g e', 'help.explain'],
  ['g s', 'help.settings'],
  ['c a', 'help.add-account'],
  ['c d', 'help.add-domain'],
  ['c l', 'help.add-alias'],
  ['c t', 'help.add-token'],
  ['j k', 'help.move'],
  ['x', 'help.select'],
  ['Shift x', 'help.range'],
  ['Enter', 'help.open'],
  ['Esc', 'help.back'],
  ['/', 'help.filter'],
  ['r', 'help.retry'],
  ['h', 'help.hold'],
  ['.', 'help.live'],
  ['?', 'help.help'],
];

export function Help({ onClose }) {
  const [on, setOn] = useState(remembered('keys') !== 'off');
  const change = (event) => {
    setOn(event.target.checked);
    remember('keys', event.target.checked ? null : 'off');
  };
  return html`<${Dialog} title=${t('help.title')} onClose=${onClose}>
    <dl class="keys">${KEYS.map(
      ([keys, words]) => html`<div key=${keys}>
      <dt>${keys.split(' ').map((key, i) => html`${i > 0 && ' '}<kbd>${key}</kbd>`)}</dt><dd>${t(words)}</dd></div>`,
    )}</dl>
    <label class="row"><input type="checkbox" checked=${on} onInput=${change} /> ${t('help.on')}</label>
    <div class="row"><button class="button is-primary" type="button" autofocus
      onClick=${onClose}>${t('action.close')}</button></div>
  <//>`;
}
