// Rules and the automatic answer as a form; what it saves is a script (sieve-rules.js).
import { useId, useMemo, useRef, useState } from 'preact/hooks';
import { ApiError, request } from '/app/api.js';
import { html } from '/app/html.js';
import { needWords, t } from '/app/i18n.js';
import { useKeys } from '/app/keys.js';
import { Code, inCharacters } from '/app/parts/code.js';
import { Input, Select, Submit, TextArea, useForm } from '/app/parts/form.js';
import { Icon } from '/app/parts/icon.js';
import { toast } from '/app/parts/toast.js';
import { placeText, Trial } from '/app/parts/trial.js';
import {
  ACTIONS,
  FIELDS,
  generate,
  MAX,
  newAction,
  newCondition,
  newRule,
  OPS,
  takesValue,
  validate,
  zoneOf,
} from '/app/sieve-rules.js';

await needWords('sieve');
await needWords('rules');

const without = (list, index) => list.filter((_, i) => i !== index);
const replaced = (list, index, value) => list.map((one, i) => (i === index ? value : one));
const fields = () => FIELDS.map((key) => [key, t(`rules.field.${key}`)]);
const ops = () => OPS.map((key) => [key, t(`rules.op.${key}`)]);
const actionWords = () => ACTIONS.map((key) => [key, t(`rules.action.${key}`)]);

/** As the API refuses: {pointer: code}. */
const refusal = (wrong) =>
  new ApiError(422, {
    type: '/problems/validation',
    errors: Object.entries(wrong).map(([pointer, code]) => ({ pointer, code })),
  });

function Remove({ label, run }) {
  return html`<button class="button is-quiet is-icon" type="button" aria-label=${label} onClick=${run}>
    <${Icon} name="close" /></button>`;
}

/** at: pointer of this condition; change(condition); remove(). Its labels are for those who cannot see the row. */
function Condition({ condition, at, errors, change, remove, name }) {
  const { field, header, op, value } = condition;
  const input = (key) => (event) => change({ ...condition, [key]: event.target.value });
  const isSize = field === 'size';
  return html`<div class="rule-row" data-at=${at}>
    <${Select} label=${t('rules.field-label')} options=${fields()} value=${field} onInput=${input('field')} />
    ${
      field === 'header' &&
      html`<${Input} label=${t('rules.header')} placeholder="X-Spam-Flag" value=${header} error=${errors[`${at}/header`]}
        onInput=${input('header')} mono maxlength="100" autocapitalize="none" autocomplete="off" spellcheck=${false} />`
    }
    ${
      isSize
        ? html`<span class="rule-word">${t('rules.over')}</span>`
        : html`<${Select} label=${t('rules.op-label')} options=${ops()} value=${op} onInput=${input('op')} />`
    }
    <${Input} label=${t(isSize ? 'rules.megabytes' : 'rules.value')} value=${value} error=${errors[`${at}/value`]}
      onInput=${input('value')} inputmode=${isSize ? 'numeric' : undefined} maxlength="500" autocapitalize="none"
      autocomplete="off" />
    <${Remove} label=${name} run=${remove} />
  </div>`;
}

function Action({ action, at, errors, change, remove, name }) {
  const input = (key) => (event) => change({ ...action, [key]: event.target.value });
  const isForward = action.do === 'forward';
  return html`<div class="rule-row" data-at=${at}>
    <${Select} label=${t('rules.action-label')} options=${actionWords()} value=${action.do} onInput=${input('do')} />
    ${
      takesValue(action) &&
      html`<${Input} label=${t(isForward ? 'rules.address' : 'rules.folder')} value=${action.value}
        error=${errors[`${at}/value`]} onInput=${input('value')} inputmode=${isForward ? 'email' : undefined} maxlength="500"
        autocapitalize="none" autocomplete="off" spellcheck=${false} />`
    }
    ${remove && html`<${Remove} label=${name} run=${remove} />`}
  </div>`;
}

/** Rule i; change(rule), move(by: -1 or 1), remove(); focus(...selectors): to the first of them, once it is drawn. */
function Rule({ rule, i, count, errors, change, move, remove, focus }) {
  const id = useId();
  const at = `/rules/${i}`;
  const n = i + 1;
  const { match, conditions, actions } = rule;
  const add = (list, one) => {
    change({ ...rule, [list]: [...rule[list], one] });
    focus(`[data-at="${at}/${list}/${rule[list].length}"] select`);
  };
  const drop = (list, k) => () => {
    change({ ...rule, [list]: without(rule[list], k) });
    focus(`[data-at="${at}"] .add-${list}`);
  };
  const put = (list, k) => (one) => change({ ...rule, [list]: replaced(rule[list], k, one) });
  const more = (list, make, word) =>
    rule[list].length < MAX[list] &&
    html`<button class=${`button is-quiet is-flush add-${list}`} type="button" onClick=${() => add(list, make())}>
      <${Icon} name="add" />${word}</button>`;
  const either = [
    ['all', t('rules.all')],
    ['any', t('rules.any')],
  ];
  return html`<div class="rule near" role="group" aria-labelledby=${id} data-at=${at}>
    <div class="head"><h3 id=${id}>${t('rules.name', { n })}</h3>
      <div class="row">
        <button class="button is-quiet up" type="button" disabled=${i === 0} aria-label=${t('rules.up-name', { n })}
          onClick=${() => move(-1)}>${t('rules.up')}</button>
        <button class="button is-quiet down" type="button" disabled=${n === count} aria-label=${t('rules.down-name', { n })}
          onClick=${() => move(1)}>${t('rules.down')}</button>
        <button class="button is-quiet" type="button" aria-label=${t('rules.remove-name', { n })} onClick=${remove}>
          ${t('rules.remove')}</button></div></div>
    ${
      conditions.length > 1
        ? html`<div class="rule-row"><${Select} label=${t('rules.match')} options=${either} value=${match}
            onInput=${(event) => change({ ...rule, match: event.target.value })} /></div>`
        : html`<p class="muted">${t(conditions.length === 0 ? 'rules.every' : 'rules.if')}</p>`
    }
    ${conditions.map(
      (condition, k) => html`<${Condition} key=${k} condition=${condition} at=${`${at}/conditions/${k}`} errors=${errors}
        change=${put('conditions', k)} remove=${drop('conditions', k)}
        name=${t('rules.remove-condition', { k: k + 1, n })} />`,
    )}
    ${more('conditions', newCondition, t('rules.add-condition'))}
    <p class="muted">${t('rules.then')}</p>
    ${actions.map(
      (action, k) => html`<${Action} key=${k} action=${action} at=${`${at}/actions/${k}`} errors=${errors}
        change=${put('actions', k)} remove=${actions.length > 1 && drop('actions', k)}
        name=${t('rules.remove-action', { k: k + 1, n })} />`,
    )}
    ${more('actions', newAction, t('rules.add-action'))}
  </div>`;
}

/** The zone is this browser's on the first day that counts: a day begins where the person is, not where the server is. */
function withDay(vacation, name, value) {
  const next = { ...vacation, [name]: value };
  const first = next.from || next.until;
  return { ...next, zone: first === '' ? '+0000' : zoneOf(new Date(`${first}T00:00`).getTimezoneOffset()) };
}

function Vacation({ vacation, errors, change }) {
  const input = (name) => ({
    name: `away-${name}`,
    value: vacation[name],
    error: errors[`/vacation/${name}`],
    onInput: (event) => change({ ...vacation, [name]: event.target.value }),
  });
  const date = (name) => ({ ...input(name), onInput: (event) => change(withDay(vacation, name, event.target.value)) });
  const toggle = (event) => change({ ...vacation, on: event.target.checked });
  return html`<section class="near"><h2>${t('rules.away')}</h2>
    <label class="row">
      <input type="checkbox" name="away" checked=${vacation.on} onInput=${toggle} /> ${t('rules.away.on')}</label>
    ${
      vacation.on &&
      html`<div class="pair">
        <${Input} label=${t('rules.away.from')} hint=${t('rules.away.from-hint')} type="date" ...${date('from')} />
        <${Input} label=${t('rules.away.until')} hint=${t('rules.away.until-hint')} type="date" ...${date('until')} /></div>
      <div class="pair">
        <${Input} label=${t('rules.away.subject')} hint=${t('rules.away.subject-hint')} ...${input('subject')}
          maxlength="500" />
        <${Input} label=${t('rules.away.days')} ...${input('days')} inputmode="numeric" maxlength="2" /></div>
      <${TextArea} label=${t('rules.away.text')} ...${input('text')} class="input" spellcheck rows="5" maxlength="10000" />`
    }</section>`;
}

/** object: of the filter; model: what its script says; textHref: the same as a text; change: may it be saved? */
export function RulesForm({ object, stale, url, path, model, textHref, change }) {
  const filter = object.data;
  const root = useRef(null);
  const [wrong, setWrong] = useState({});
  const form = useForm({
    initial: model,
    save: async (values) => {
      const found = validate(values);
      // A day that is half typed is empty to the page, and must not become "from now on".
      for (const { name } of root.current.querySelectorAll('[type="date"]:invalid'))
        found[`/vacation/${name.replace('away-', '')}`] = 'syntax';
      setWrong(found);
      if (Object.keys(found).length > 0) throw refusal(found);
      object.put(await request('PUT', url, { body: { script: generate(values) }, version: filter.version }));
      toast(t('saved'));
    },
    places: Object.fromEntries(Object.keys(wrong).map((pointer) => [pointer, pointer])),
  });
  const { rules, vacation } = form.values;
  const text = useMemo(() => {
    const complete = Object.keys(validate(form.values)).length === 0;
    return complete ? generate(form.values) : null;
  }, [form.values]);
  const focus = (...selectors) =>
    requestAnimationFrame(() => {
      const found = selectors.map((selector) => root.current?.querySelector(selector)).find(Boolean);
      found?.focus();
    });
  const set = (list) => form.set('rules', list);
  const add = () => {
    set([...rules, newRule()]);
    focus(`[data-at="/rules/${rules.length}/conditions/0"] select`);
  };
  const move = (i) => (by) => {
    const to = i + by;
    set(replaced(replaced(rules, i, rules[to]), to, rules[i]));
    const rule = `[data-at="/rules/${to}"]`;
    focus(`${rule} .${by < 0 ? 'up' : 'down'}:enabled`, `${rule} :enabled`);
  };
  const remove = (i) => () => {
    set(without(rules, i));
    focus('.add-rule');
  };
  const explain = (error) => {
    const line = error.fields?.['/script'];
    return line?.line ? placeText(inCharacters(text ?? '', line)) : stale.explain(error);
  };
  const saved = text === filter.script.replaceAll('\r\n', '\n');
  useKeys({ Escape: () => !saved }); // back, but not away from what is not saved
  return html`${!filter.active && html`<p class="muted">${t('rules.inactive')}</p>`}
    <form class="stack" ...${form.form}><fieldset class="rules stack" disabled=${!change} ref=${root}>
      <${Vacation} vacation=${vacation} errors=${form.errors} change=${(value) => form.set('vacation', value)} />
      <section class="near"><h2>${t('rules.title')}</h2>
        <p class="muted">${t(rules.length === 0 ? 'rules.none' : 'rules.title-text')}</p>
        ${rules.map(
          (rule, i) => html`<${Rule} key=${i} rule=${rule} i=${i} count=${rules.length} errors=${form.errors} focus=${focus}
            change=${(value) => set(replaced(rules, i, value))} move=${move(i)} remove=${remove(i)} />`,
        )}
        ${
          change &&
          rules.length < MAX.rules &&
          html`<button class="button add-rule" type="button" onClick=${add}><${Icon} name="add" />${t('rules.add')}</button>`
        }</section></fieldset>
      ${
        change &&
        html`<div class="near"><${Submit} state=${form} verb=${t('action.save')} explain=${explain} />
          ${stale.offer(form.failure)}</div>`
      }
    </form>
    <details class="near"><summary>${t('rules.sieve')}</summary>
      ${
        text === null
          ? html`<p>${t('rules.unfinished')}</p>`
          : html`<${Code} label=${t('sieve.script')} value=${text} rows="14" readonly />`
      }
      ${change && html`<p>${saved ? html`<a href=${textHref}>${t('rules.as-text')}</a>` : t('rules.save-first')}</p>`}
    </details>
    <${Trial} path=${path} script=${text ?? filter.script}
      lead=${t(text === null ? 'rules.trial-saved' : 'rules.trial')} />`;
}
