// Forms: one state for values, refusals by field, and whether it is under way.
import { useId, useRef, useState } from 'preact/hooks';
import { html } from '/app/html.js';
import { t } from '/app/i18n.js';
import { Icon } from '/app/parts/icon.js';
import { Failure, fieldText } from '/app/parts/page.js';

/**
 * initial: {name: value}. save(values) does the work and may reject with ApiError. places: {pointer or
 * parameter of the API: name of the field}. Gives what the fields need; `form` goes to <form ...>.
 */
export function useForm({ initial, save, places = {} }) {
  const [values, setValues] = useState(initial);
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const ref = useRef(null);

  const errors = {};
  for (const [place, field] of Object.entries(error?.fields ?? {})) {
    const name = places[place] ?? places[place.replace(/\/\d+$/, '')];
    if (name) errors[name] ??= fieldText(field);
  }
  const submit = async (event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setError(null);
    try {
      await save(values);
    } catch (refused) {
      setError(refused);
      requestAnimationFrame(() => ref.current?.querySelector('[aria-invalid="true"]')?.focus());
    }
    setBusy(false);
  };
  const field = (name) => ({
    name,
    value: values[name],
    error: errors[name],
    onInput: (event) => setValues((now) => ({ ...now, [name]: event.target.value })),
  });
  const set = (name, value) => setValues((now) => ({ ...now, [name]: value }));
  const changed = Object.keys(initial).some((name) => values[name] !== initial[name]);
  return {
    values,
    set,
    field,
    busy,
    error,
    errors,
    changed,
    form: { ref, onSubmit: submit, noValidate: true },
    /** What was refused and belongs to no field. */
    failure: error !== null && Object.keys(errors).length === 0 ? error : null,
  };
}

/** A field with its label, hint and error around the control `children`. */
export function Frame({ id, label, hint, error, children }) {
  return html`<div class="field">
    <label for=${id}>${label}</label>${children}
    ${hint && html`<small class="muted" id=${`${id}-hint`}>${hint}</small>`}
    ${error && html`<small class="error" id=${`${id}-error`}><${Icon} name="fail" /> ${error}</small>`}
  </div>`;
}

/** What the control in a Frame needs. */
export const described = (id, hint, error) => ({
  id,
  'aria-invalid': error ? 'true' : undefined,
  'aria-describedby': [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ') || undefined,
});

export function Input({ label, hint, error, mono, ...rest }) {
  const id = useId();
  return html`<${Frame} id=${id} label=${label} hint=${hint} error=${error}>
    <input class=${`input${mono ? ' mono' : ''}`} ...${described(id, hint, error)} ...${rest} />
  <//>`;
}

export function TextArea({ label, hint, error, value, ...rest }) {
  const id = useId();
  return html`<${Frame} id=${id} label=${label} hint=${hint} error=${error}>
    <textarea class="input mono" spellcheck=${false} ...${described(id, hint, error)} value=${value} ...${rest} />
  <//>`;
}

/** options: [[value, words], …] */
export function Select({ label, hint, error, options, value, onInput, name }) {
  const id = useId();
  return html`<${Frame} id=${id} label=${label} hint=${hint} error=${error}>
    <select class="input" name=${name} ...${described(id, hint, error)} value=${value} onInput=${onInput}>
      ${options.map(([key, words]) => html`<option key=${key} value=${key} selected=${key === value}>${words}</option>`)}
    </select>
  <//>`;
}

/** A password with a way to see it; paste and password managers work. */
export function Password({ label, hint, error, autocomplete, ...rest }) {
  const id = useId();
  const [shown, setShown] = useState(false);
  return html`<${Frame} id=${id} label=${label} hint=${hint} error=${error}>
    <span class="with-button">
      <input class="input" type=${shown ? 'text' : 'password'} autocomplete=${autocomplete} spellcheck=${false}
        ...${described(id, hint, error)} ...${rest} />
      <button class="button is-quiet" type="button" aria-pressed=${String(shown)} onClick=${() => setShown(!shown)}>
        ${t('password.show')}</button>
    </span>
  <//>`;
}

/** options as in Select; for a choice whose answers need to be seen at once. */
export function Radios({ label, name, options, value, onInput }) {
  return html`<fieldset class="choices"><legend>${label}</legend>
    ${options.map(
      ([key, words]) => html`<label class="row" key=${key}>
      <input type="radio" name=${name} value=${key} checked=${key === value} onInput=${onInput} /> ${words}</label>`,
    )}
  </fieldset>`;
}

/** The buttons under a form, and what was refused as a whole. */
export function Submit({ state, verb, onCancel, lead, explain, quiet }) {
  const words = state.failure && (explain?.(state.failure) ?? lead ?? t('failure.refused'));
  return html`${state.failure && html`<${Failure} error=${state.failure} lead=${words} />`}
    <div class="row">
      ${onCancel && html`<button class="button" type="button" onClick=${onCancel}>${t('action.cancel')}</button>`}
      <button class=${quiet ? 'button' : 'button is-primary'} disabled=${state.busy}>${verb}</button>
    </div>`;
}
