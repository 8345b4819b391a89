// Filters live in the URL. This bar shows them as chips and adds new ones.
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { html } from '/app/html.js';
import { t } from '/app/i18n.js';
import { useKeys } from '/app/keys.js';
import { Icon } from '/app/parts/icon.js';
import { setQuery } from '/app/router.js';

/** The values of the named filters in a URLSearchParams: {state: ['held'], q: ['x']}; absent ones left out. */
export function filtersOf(query, fields) {
  const out = {};
  for (const { name } of fields) {
    const values = query.getAll(name).filter((value) => value !== '');
    if (values.length > 0) out[name] = values;
  }
  return out;
}

/** A changed copy: values is a list (empty: none). The page's cursor always goes. */
export function withQuery(query, name, values) {
  const next = new URLSearchParams(query);
  next.delete(name);
  for (const value of values) next.append(name, value);
  next.delete('cursor');
  return next;
}

const wordOf = (field, value) => field.options?.find(([key]) => key === value)?.[1] ?? value;

function Chip({ field, value, query }) {
  const word = wordOf(field, value);
  const rest = query.getAll(field.name).filter((one) => one !== value);
  const shown = html`<b class=${field.options ? undefined : 'mono'}>${word}</b>`;
  return html`<span class="filter">${field.label} ${shown}
    <button type="button" aria-label=${t('filter.remove', { name: field.label, value: word })}
      onClick=${() => setQuery(withQuery(query, field.name, rest))}><${Icon} name="close" /></button></span>`;
}

function AddFilter({ fields, query, onDone, initial }) {
  const [name, setName] = useState(initial ?? fields[0].name); // initial: the field that / opens, with the focus in its text
  const [value, setValue] = useState('');
  const field = fields.find((one) => one.name === name);
  const kind = useRef(null);
  const text = useRef(null);
  useLayoutEffect(() => {
    (initial === null ? kind : text).current?.focus();
  }, []);
  const add = (event) => {
    event.preventDefault();
    const chosen = value !== '' ? value : (field.options?.[0][0] ?? '');
    if (chosen.trim() === '') return;
    const before = field.single ? [] : query.getAll(name);
    setQuery(withQuery(query, name, [...new Set([...before, chosen.trim()])]));
    onDone();
  };
  const escape = (event) => {
    if (event.key === 'Escape') {
      event.stopPropagation();
      onDone();
    }
  };
  const input = field.options
    ? html`<select class="button" key=${name} aria-label=${t('filter.value')} onInput=${(e) => setValue(e.target.value)}>
        ${field.options.map(([key, words]) => html`<option key=${key} value=${key}>${words}</option>`)}</select>`
    : html`<input class="button" aria-label=${t('filter.value')} placeholder=${field.hint} autocomplete="off"
      spellcheck=${false}
        value=${value} ref=${text} onInput=${(e) => setValue(e.target.value)} />`;
  return html`<form class="add-filter row" onSubmit=${add} onKeyDown=${escape}>
    <select class="button" aria-label=${t('filter.name')} ref=${kind} onInput=${(e) => {
      setName(e.target.value);
      setValue('');
    }}>
      ${fields.map((one) => html`<option key=${one.name} value=${one.name}
        selected=${one.name === name}>${one.label}</option>`)}</select>
    ${input}
    <button class="button">${t('filter.add')}</button>
    <button class="button is-icon" type="button" aria-label=${t('action.cancel')} onClick=${onDone}>
      <${Icon} name="close" /></button>
  </form>`;
}

/**
 * fields: {name, label, hint, options: [[value, words]] for a choice, single: at most one value}.
 * `text` names the field that the / key opens. children: what stands at the right.
 */
export function Filters({ fields, query, text = 'q', children }) {
  const [adding, setAdding] = useState(null); // null, 'any', or the name of a field
  const button = useRef(null);
  useKeys({ '/': () => text !== null && (setAdding(text), true) });
  const done = () => {
    setAdding(null);
    requestAnimationFrame(() => button.current?.focus());
  };
  const chips = fields.flatMap((field) =>
    query
      .getAll(field.name)
      .filter((value) => value !== '')
      .map((value) => html`<${Chip} key=${`${field.name}=${value}`} field=${field} value=${value} query=${query} />`),
  );
  return html`<div class="filters" role="search" aria-label=${t('filter.label')}>
    ${chips}
    ${
      adding === null
        ? html`<button type="button" class="button is-quiet" ref=${button} onClick=${() => setAdding('any')}>
          <${Icon} name="add" />${t('filter.filter')}</button>`
        : html`<${AddFilter} key=${adding} fields=${fields} query=${query} onDone=${done}
          initial=${adding === 'any' ? null : adding} />`
    }
    ${children && html`<div class="row push">${children}</div>`}
  </div>`;
}
