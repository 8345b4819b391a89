// What "Change time" and "Reroute" ask for: inside the dialog of parts/actions.js.
import { useState } from 'preact/hooks';
import { html } from '/app/html.js';
import { t } from '/app/i18n.js';
import { Input, Radios, Select } from '/app/parts/form.js';

const TIMES = ['+15m', '+1h', '+4h', '+12h', '+24h'];

/** now + 1 h as <input type="datetime-local"> wants it, in the viewer's zone. */
function soon() {
  const at = new Date(Date.now() + 3600e3);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60e3).toISOString().slice(0, 16);
}

/** Calls onChange({at}), which is null while there is none. */
export function ChooseTime({ error, onChange }) {
  const [choice, setChoice] = useState('+1h');
  const [time, setTime] = useState(soon);
  const tell = (what, at) => {
    const chosen = new Date(at);
    onChange({ at: what !== 'at' ? what : Number.isNaN(chosen.getTime()) ? null : chosen.toISOString() });
  };
  const options = [...TIMES.map((one) => [one, t(`choose.time.${one.slice(1)}`)]), ['at', t('choose.time.at')]];
  return html`<${Select} label=${t('choose.time')} name="when" options=${options} value=${choice}
      error=${choice === 'at' ? undefined : error}
      onInput=${(event) => {
        setChoice(event.target.value);
        tell(event.target.value, time);
      }} />
    ${choice === 'at' && html`<${Input} label=${t('choose.time.moment')} type="datetime-local" name="at" required
      value=${time} error=${error}
      onInput=${(event) => {
        setTime(event.target.value);
        tell('at', event.target.value);
      }} />`}`;
}

/** Calls onChange({route}): null is back to normal; undefined while there is none. */
export function ChooseRoute({ error, onChange }) {
  const [choice, setChoice] = useState('host');
  const [host, setHost] = useState('');
  const tell = (what, text) => onChange({ route: what === 'own' ? null : text.trim() || undefined });
  return html`<${Radios} label=${t('choose.route')} name="way" value=${choice}
      options=${['host', 'own'].map((one) => [one, t(`choose.route.${one}`)])}
      onInput=${(event) => {
        setChoice(event.target.value);
        tell(event.target.value, host);
      }} />
    ${choice === 'host' && html`<${Input} label=${t('choose.route.name')} name="route" mono autocomplete="off"
      spellcheck=${false} hint=${t('choose.route.hint')} value=${host} error=${error}
      onInput=${(event) => {
        setHost(event.target.value);
        tell('host', event.target.value);
      }} />`}`;
}
