// The filters (Sieve scripts) of an account, or the own ones: the list, a new one, and a trial of all that run.
import { get, request, segment } from '/app/api.js';
import { html } from '/app/html.js';
import { clock, needWords, size, t } from '/app/i18n.js';
import { useKeys } from '/app/keys.js';
import { AccountTabs } from '/app/parts/account.js';
import { Dialog } from '/app/parts/dialog.js';
import { Input, Submit, useForm } from '/app/parts/form.js';
import { State } from '/app/parts/icon.js';
import { Crumb, Failure, Heading } from '/app/parts/page.js';
import { Empty, Table, useList } from '/app/parts/table.js';
import { toast } from '/app/parts/toast.js';
import { Trial } from '/app/parts/trial.js';
import { useNow, useQuery } from '/app/query.js';
import { back, navigate, setQuery } from '/app/router.js';
import { emptyModel, generate } from '/app/sieve-rules.js';
import { can } from '/app/store.js';

await needWords('trial');
await needWords('sieve');
await needWords('rules');

const FIRST = 'require ["fileinto"];\n\n# if header :contains "subject" "[list]" {\n#   fileinto "Lists";\n# }\n';

const RULES = 'rules'; // the name of the filter that the form makes

/** Where the filters are, of the page and of the API alike; address undefined: the caller's own. */
export const filtersPath = (address) => (address === undefined ? '/me/filters' : `/accounts/${segment(address)}/filters`);
/** May they be changed? */
export const mayChange = (address) => address === undefined || can('accounts:write');

/** The head of an account's pages about filters. */
export function FiltersHead({ address, children }) {
  const own = address === undefined;
  return html`<div class="near">
    ${!own && html`<${Crumb} href="/accounts" text=${t('menu.accounts')} />`}
    <${Heading} title=${own ? t('menu.me') : address}><span class="break">${own ? t('menu.me') : address}</span><//>
    <${AccountTabs} base=${own ? '/me' : `/accounts/${segment(address)}`} tab="filters" />${children}
  </div>`;
}

export function ActiveState({ active }) {
  return html`<${State} tone="plain" icon=${active ? 'ok' : 'dot'}>${t(active ? 'sieve.active' : 'sieve.inactive')}<//>`;
}

/** Makes it active or not; says what came of it. */
export async function setActive(path, filter, active) {
  try {
    await request('PATCH', `${path}/${segment(filter.name)}`, { body: { active }, version: filter.version });
    toast(t(active ? 'sieve.activated' : 'sieve.deactivated', { name: filter.name }));
  } catch (error) {
    toast(t(error.kind === 'stale' ? 'stale.object' : 'failure.refused'));
  }
}

function Add({ path, onClose }) {
  const form = useForm({
    initial: { name: '' },
    save: async ({ name }) => {
      const made = await request('PUT', `${path}/${segment(name.trim())}`, { body: { script: FIRST }, create: true });
      navigate(`${path}/${segment(made.name)}`, { replace: true });
    },
    places: { name: 'name' },
  });
  const explain = (error) => (error.kind === 'exists' ? t('sieve.exists') : null);
  return html`<${Dialog} title=${t('sieve.add')} onClose=${onClose}><form class="near" ...${form.form}>
    <${Input} label=${t('sieve.name')} hint=${t('sieve.name-hint')} ...${form.field('name')} maxlength="128" required
      autocomplete="off" autofocus />
    <${Submit} state=${form} verb=${t('sieve.add')} onCancel=${onClose} explain=${explain} />
  </form><//>`;
}

function columns({ path, change, toggle, now }) {
  return [
    {
      key: 'name',
      head: t('sieve.name'),
      className: 'clip line',
      headClass: 'w28',
      sort: 'ascending',
      cell: (row) => html`<a class="open" href=${`${path}/${segment(row.name)}`} title=${row.name}>${row.name}</a>`,
    },
    { key: 'state', head: t('sieve.state'), cell: (row) => html`<${ActiveState} active=${row.active} />` },
    { key: 'size', head: t('sieve.size'), className: 'num', label: t('sieve.size'), cell: (row) => size(row.size) },
    {
      key: 'changed',
      head: t('sieve.changed'),
      className: 'fit',
      label: t('sieve.changed'),
      cell: (row) => html`<time datetime=${row.changed_at}>${clock(row.changed_at, { now })}</time>`,
    },
    change && {
      key: 'act',
      head: t('action.more'),
      hide: true,
      className: 'act end',
      cell: (row) => html`<button class="button is-quiet" type="button" onClick=${() => toggle(row)}
        aria-label=${t(row.active ? 'sieve.deactivate-name' : 'sieve.activate-name', { name: row.name })}>
        ${t(row.active ? 'sieve.deactivate' : 'sieve.activate')}</button>`,
    },
  ].filter(Boolean);
}

export default function Filters({ address, query }) {
  const path = filtersPath(address);
  const change = mayChange(address);
  const list = useQuery(path, (signal) => get(path, { signal }));
  const rows = list.data?.data ?? null;
  const keyboard = useList(rows, (row) => row.name);
  const now = useNow();
  useKeys({ Escape: () => back(path.replace(/\/filters$/, '')) });
  const toggle = async (filter) => {
    await setActive(path, filter, !filter.active);
    list.reload();
  };
  /** A filter without rules changes nothing, so it is active at once, unless another one is. */
  const makeRules = async () => {
    const url = `${path}/${RULES}`;
    try {
      const made = await request('PUT', url, { body: { script: generate(emptyModel()) }, create: true });
      if (!rows.some((row) => row.active)) await request('PATCH', url, { body: { active: true }, version: made.version });
      navigate(url);
    } catch (error) {
      toast(t(error.kind === 'exists' ? 'sieve.exists' : 'failure.refused'));
      list.reload();
    }
  };
  const open = () => setQuery(new URLSearchParams({ add: '' }));
  const close = () => setQuery(new URLSearchParams(), { replace: true });
  const rules = rows !== null && !rows.some((row) => row.name === RULES);
  const add =
    change &&
    html`<div class="row">
      ${rules && html`<button class="button is-primary" type="button" onClick=${makeRules}>${t('rules.make')}</button>`}
      <button class=${rules ? 'button' : 'button is-primary'} type="button" onClick=${open}>${t('sieve.add')}</button></div>`;
  return html`<${FiltersHead} address=${address} />
    <div class="near"><div class="head"><p class="muted">${t('sieve.what')}</p>${rows?.length > 0 && add}</div>
      ${list.error && html`<${Failure} error=${list.error} lead=${t('sieve.unreadable')} retry=${list.reload} />`}
      ${
        rows?.length === 0
          ? html`<${Empty} title=${t('sieve.nothing')} actions=${add}>${t('sieve.nothing-text')}<//>`
          : (rows !== null || !list.error) &&
            html`<${Table} label=${t('account.tab.filters')} columns=${columns({ path, change, toggle, now })} rows=${rows}
              keyOf=${(row) => row.name} list=${keyboard} busy=${list.busy} old=${list.old} />`
      }</div>
    <${Trial} path=${path} script=${null} lead=${t('trial.all')} />
    ${change && query.has('add') && html`<${Add} path=${path} onClose=${close} />`}`;
}
