// Filters (Sieve scripts) of whom parts/filter-owner.js says: the list, a new one, and a trial of all that run.
import { get, request } from '/app/api.js';
import { html } from '/app/html.js';
import { clock, needWords, size, t } from '/app/i18n.js';
import { useKeys } from '/app/keys.js';
import { Dialog } from '/app/parts/dialog.js';
import { FiltersHead, ownerOf, pathOf } from '/app/parts/filter-owner.js';
import { Input, Select, Submit, useForm } from '/app/parts/form.js';
import { State } from '/app/parts/icon.js';
import { Failure } from '/app/parts/page.js';
import { Empty, Table, useList } from '/app/parts/table.js';
import { toast } from '/app/parts/toast.js';
import { Trial } from '/app/parts/trial.js';
import { useNow, useQuery } from '/app/query.js';
import { back, navigate, setQuery } from '/app/router.js';
import { emptyModel, generate } from '/app/sieve-rules.js';

await needWords('trial');
await needWords('sieve');
await needWords('rules');

const FIRST = 'require ["fileinto"];\n\n# if header :contains "subject" "[list]" {\n#   fileinto "Lists";\n# }\n';

const RULES = 'rules'; // the name of the filter that the form makes

export function ActiveState({ active }) {
  return html`<${State} tone="plain" icon=${active ? 'ok' : 'dot'}>${t(active ? 'sieve.active' : 'sieve.inactive')}<//>`;
}

/** Scripts of the other places run where they are named, so they need not be active. */
export const runs = ({ place }) => place !== 'global' && place !== 'imap';

/** Makes it active or not; says what came of it. */
async function setActive(owner, filter, active) {
  try {
    await request('PATCH', owner.api + pathOf(owner, filter), { body: { active }, version: filter.version });
    toast(t(active ? 'sieve.activated' : 'sieve.deactivated', { name: filter.name }));
  } catch (error) {
    toast(t(error.kind === 'stale' ? 'stale.object' : 'failure.refused'));
  }
}

const placeOptions = (owner) => owner.places.map((place) => [place, t(`sieve.runs.${place}`)]);

function Add({ owner, onClose }) {
  const form = useForm({
    initial: { name: '', place: owner.places?.[0] },
    save: async ({ name, place }) => {
      const path = pathOf(owner, { place, name: name.trim() });
      await request('PUT', owner.api + path, { body: { script: FIRST }, create: true });
      navigate(owner.page + path, { replace: true });
    },
    places: { name: 'name' },
  });
  const explain = (error) => (error.kind === 'exists' ? t('sieve.exists') : null);
  return html`<${Dialog} title=${t('sieve.add')} onClose=${onClose}><form class="near" ...${form.form}>
    <${Input} label=${t('sieve.name')} hint=${t('sieve.name-hint')} ...${form.field('name')} maxlength="128" required
      autocomplete="off" autofocus />
    ${owner.places && html`<${Select} label=${t('sieve.place')} ...${form.field('place')} options=${placeOptions(owner)} />`}
    <${Submit} state=${form} verb=${t('sieve.add')} onCancel=${onClose} explain=${explain} />
  </form><//>`;
}

function columns({ owner, toggle, now }) {
  return [
    {
      key: 'name',
      head: t('sieve.name'),
      className: 'clip line',
      headClass: 'w28',
      sort: owner.places === null ? 'ascending' : undefined,
      cell: (row) => html`<a class="open" href=${owner.page + pathOf(owner, row)} title=${row.name}>${row.name}</a>`,
    },
    owner.places && {
      key: 'place',
      head: t('sieve.place'),
      label: t('sieve.place'),
      cell: (row) => t(`sieve.runs.${row.place}`),
    },
    { key: 'state', head: t('sieve.state'), cell: (row) => runs(row) && html`<${ActiveState} active=${row.active} />` },
    { key: 'size', head: t('sieve.size'), className: 'num', label: t('sieve.size'), cell: (row) => size(row.size) },
    {
      key: 'changed',
      head: t('sieve.changed'),
      className: 'fit',
      label: t('sieve.changed'),
      cell: (row) => html`<time datetime=${row.changed_at}>${clock(row.changed_at, { now })}</time>`,
    },
    owner.change && {
      key: 'act',
      head: t('action.more'),
      hide: true,
      className: 'act end',
      cell: (row) => runs(row) && html`<button class="button is-quiet" type="button" onClick=${() => toggle(row)}
        aria-label=${t(row.active ? 'sieve.deactivate-name' : 'sieve.activate-name', { name: row.name })}>
        ${t(row.active ? 'sieve.deactivate' : 'sieve.activate')}</button>`,
    },
  ].filter(Boolean);
}

export default function Filters({ query, ...params }) {
  const owner = ownerOf(params);
  const list = useQuery(owner.api, (signal) => get(owner.api, { signal }));
  const rows = list.data?.data ?? null;
  const keyOf = (row) => `${row.place}/${row.name}`;
  const keyboard = useList(rows, keyOf);
  const now = useNow();
  useKeys({ Escape: () => back(owner.page.replace(/\/filters$/, '')) });
  const toggle = async (filter) => {
    await setActive(owner, filter, !filter.active);
    list.reload();
  };
  /** A filter without rules changes nothing, so it is active at once, unless another one is. */
  const makeRules = async () => {
    const path = pathOf(owner, { name: RULES });
    try {
      const made = await request('PUT', owner.api + path, { body: { script: generate(emptyModel()) }, create: true });
      if (!rows.some((row) => row.active)) await request('PATCH', owner.api + path, { body: { active: true }, version: made.version });
      navigate(owner.page + path);
    } catch (error) {
      toast(t(error.kind === 'exists' ? 'sieve.exists' : 'failure.refused'));
      list.reload();
    }
  };
  const open = () => setQuery(new URLSearchParams({ add: '' }));
  const close = () => setQuery(new URLSearchParams(), { replace: true });
  const rules = owner.places === null && rows !== null && !rows.some((row) => row.name === RULES);
  const add =
    owner.change &&
    html`<div class="row">
      ${rules && html`<button class="button is-primary" type="button" onClick=${makeRules}>${t('rules.make')}</button>`}
      <button class=${rules ? 'button' : 'button is-primary'} type="button" onClick=${open}>${t('sieve.add')}</button></div>`;
  return html`<${FiltersHead} owner=${owner} />
    <div class="near"><div class="head"><p class="muted">${owner.lead}</p>${rows?.length > 0 && add}</div>
      ${list.error && html`<${Failure} error=${list.error} lead=${t('sieve.unreadable')} retry=${list.reload} />`}
      ${
        rows?.length === 0
          ? html`<${Empty} title=${t('sieve.nothing')} actions=${add}>
              ${t(owner.places === null ? 'sieve.nothing-text' : 'sieve.nothing-here')}<//>`
          : (rows !== null || !list.error) &&
            html`<${Table} label=${owner.tab} columns=${columns({ owner, toggle, now })} rows=${rows}
              keyOf=${keyOf} list=${keyboard} busy=${list.busy} old=${list.old} />`
      }</div>
    ${
      owner.places === null
        ? html`<${Trial} path=${owner.api} script=${null} lead=${t('trial.all')} />`
        : html`<p class="muted">${t('sieve.trial-where')}</p>`
    }
    ${owner.change && query.has('add') && html`<${Add} owner=${owner} onClose=${close} />`}`;
}
