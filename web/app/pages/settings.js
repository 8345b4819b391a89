// Settings: each with its value, where that comes from, its default, and a way back to it.
import { useId, useState } from 'preact/hooks';
import { get, request } from '/app/api.js';
import { html } from '/app/html.js';
import { has, t, tx } from '/app/i18n.js';
import { Icon } from '/app/parts/icon.js';
import { Failure, fieldText, problemText } from '/app/parts/page.js';
import { ScheduleTimes } from '/app/parts/schedule.js';
import { GROUPS, SettingsHead } from '/app/parts/settings-tabs.js';
import { toast } from '/app/parts/toast.js';
import { useQuery } from '/app/query.js';
import { can } from '/app/store.js';

/** The words of a value: an empty one is "none", a switch is said. */
function valueWords(setting, value) {
  if (setting.type === 'boolean') return t(`settings.${value}`);
  if (setting.type === 'choice' && has(`settings.${setting.key}.${value}`))
    return t(`settings.${setting.key}.${value}`);
  return value === '' ? t('settings.none') : html`<code>${value}</code>`;
}

function Control({ setting, value, onInput, describe, invalid }) {
  const common = {
    ...describe,
    'aria-invalid': invalid ? 'true' : undefined,
    value,
    onInput: (event) => onInput(event.target.value),
  };
  if (setting.type === 'boolean' || setting.type === 'choice') {
    const choices = setting.type === 'boolean' ? ['true', 'false'] : setting.choices;
    const word = (choice) =>
      setting.type === 'boolean'
        ? t(`settings.${choice}`)
        : has(`settings.${setting.key}.${choice}`)
          ? t(`settings.${setting.key}.${choice}`)
          : choice;
    return html`<select class="input" ...${common}>${choices.map((choice) => html`<option key=${choice} value=${choice}
      selected=${choice === value}>${word(choice)}</option>`)}</select>`;
  }
  if (setting.type === 'routes') return html`<textarea class="input mono" rows="3" spellcheck=${false} ...${common} />`;
  return html`<input class="input mono" autocomplete="off" spellcheck=${false} ...${common} />`;
}

/** Where the value comes from, and what the default is. */
function Source({ setting, reset, busy }) {
  const where = t(`settings.source.${setting.editable ? setting.source : `${setting.source}-only`}`);
  const plain = setting.source !== 'default' && tx('settings.default', { value: valueWords(setting, setting.default) });
  const mayReset = setting.editable && setting.source === 'page' && can('settings:write');
  const back =
    mayReset &&
    html` <button class="button is-quiet is-flush" type="button" disabled=${busy} onClick=${reset}>
      ${t('settings.back')}</button>`;
  return html`<p class="muted small">${where} ${plain}${back}</p>`;
}

function SettingForm({ setting, replace, onEdit }) {
  const id = useId();
  const [value, setText] = useState(setting.value);
  const setValue = (text) => {
    setText(text);
    onEdit?.(setting.key, text);
  };
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const mayWrite = setting.editable && can('settings:write');
  const field = error && (error.fields['/value'] ?? null);
  const stale = error?.kind === 'stale' && error.problem.current;

  const run = async (method, options, done) => {
    setBusy(true);
    setError(null);
    try {
      const fresh = await request(method, `/settings/${setting.key}`, { version: setting.version, ...options });
      replace(fresh);
      setValue(fresh.value);
      toast(t(done));
    } catch (refused) {
      setError(refused);
    }
    setBusy(false);
  };
  const save = (event) => {
    event.preventDefault();
    run('PUT', { body: { value } }, setting.applies === 'restart' ? 'settings.saved-restart' : 'settings.saved');
  };
  const reset = () => run('DELETE', {}, 'settings.is-default');
  const take = () => {
    replace(stale);
    setValue(stale.value);
    setError(null);
  };

  const name = has(`settings.${setting.key}`) ? t(`settings.${setting.key}`) : setting.key;
  const help = has(`settings.${setting.key}.help`) && t(`settings.${setting.key}.help`);
  const describe = {
    id,
    'aria-describedby': [help && `${id}-help`, error && `${id}-error`].filter(Boolean).join(' ') || undefined,
  };
  return html`<form class="setting" onSubmit=${save} noValidate>
    <div><h2>${mayWrite ? html`<label for=${id}>${name}</label>` : name}</h2>
      ${help && html`<p class="muted" id=${`${id}-help`}>${help}</p>`}<p class="muted small mono">${setting.key}</p></div>
    <div class="near">
      ${
        mayWrite
          ? html`<div class="setting-value"><${Control} setting=${setting} value=${value} onInput=${setValue}
            describe=${describe} invalid=${field !== null} />
            ${value !== setting.value && html`<button class="button is-primary" disabled=${busy}>${t('action.save')}
              <span class="hidden"> ${name}</span></button>`}</div>`
          : html`<p>${valueWords(setting, setting.value)}</p>`
      }
      ${
        error &&
        html`<p class="error" id=${`${id}-error`} role="alert"><${Icon} name="fail" /> ${
          stale
            ? tx('settings.stale', { value: valueWords(setting, stale.value) })
            : field
              ? html`${fieldText(field)}${field.detail && has(`invalid.${field.code}`) && html` <span
                lang="en">${field.detail}</span>`}`
              : problemText(error)
        }
        ${stale && html` <button class="button is-quiet is-flush" type="button"
          onClick=${take}>${t('stale.take')}</button>`}</p>`
      }
      ${mayWrite && setting.applies === 'restart' && html`<p class="small">${t('settings.restart')}</p>`}
      <${Source} setting=${setting} reset=${reset} busy=${busy} />
    </div>
  </form>`;
}

export default function Settings({ group }) {
  const shown = GROUPS.includes(group) ? group : GROUPS[0];
  const list = useQuery('settings', (signal) => get('/settings', { signal }));
  const replace = (fresh) =>
    list.put({ ...list.data, data: list.data.data.map((one) => (one.key === fresh.key ? fresh : one)) });
  const rows = list.data?.data.filter((setting) => setting.key.startsWith(`${shown}.`));
  const [edited, setEdited] = useState({});
  const edit = (key, value) => setEdited((now) => ({ ...now, [key]: value }));
  const values = { ...Object.fromEntries((rows ?? []).map((one) => [one.key, one.value])), ...edited };
  return html`<${SettingsHead} group=${shown} />
    ${list.error && html`<${Failure} error=${list.error} lead=${t('settings.unreadable')} retry=${list.reload} />`}
    ${list.busy && !rows && html`<div aria-busy="true"></div>`}
    ${rows && html`<div class="settings">${rows.map((setting) => html`<${SettingForm} key=${setting.key}
      setting=${setting} replace=${replace} onEdit=${shown === 'queue' ? edit : undefined} />`)}
      ${shown === 'queue' && html`<${ScheduleTimes} values=${values} />`}</div>`}
    ${rows && shown === 'server' && can('settings:write') && html`<p><a href="/welcome">${t('settings.to-first-steps')}</a></p>`}`;
}
