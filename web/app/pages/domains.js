// Domains: the list, and adding one.
import { request, segment } from '/app/api.js';
import { html } from '/app/html.js';
import { needWords, number, t } from '/app/i18n.js';
import { restoreColumn } from '/app/parts/deleted.js';
import { Dialog } from '/app/parts/dialog.js';
import { Input, Radios, Submit, useForm } from '/app/parts/form.js';
import { DomainState } from '/app/parts/icon.js';
import { Listing } from '/app/parts/listing.js';
import { toast } from '/app/parts/toast.js';
import { navigate } from '/app/router.js';
import { can } from '/app/store.js';

await needWords('domain');

const KINDS = ['local', 'relay'];

const pathOf = (domain) => `/domains/${segment(domain.name)}`;

function fields() {
  return [
    { name: 'q', label: t('filter.text'), single: true, hint: t('domains.text-hint') },
    { name: 'kind', label: t('domain.kind'), options: KINDS.map((kind) => [kind, t(`domain.kind.${kind}`)]) },
    {
      name: 'state',
      label: t('queue.state'),
      options: ['active', 'disabled', 'deleted'].map((state) => [state, t(`domain.state.${state}`)]),
    },
  ];
}

function columns(deleted, reload) {
  return [
    {
      key: 'name',
      head: t('domain.name'),
      className: 'top',
      cell: (row) => html`<a class="open mono" href=${pathOf(row)}>${row.name}</a>`,
    },
    {
      key: 'state',
      head: t('queue.state'),
      className: 'end top',
      cell: (row) => html`<${DomainState} state=${row.state} />`,
    },
    {
      key: 'kind',
      head: t('domain.kind'),
      className: 'line',
      cell: (row) =>
        html`${t(`domain.kind.${row.kind}`)}${row.route && html` <span class="mono muted">${row.route}</span>`}`,
    },
    {
      key: 'accounts',
      head: t('menu.accounts'),
      className: 'num',
      label: t('menu.accounts'),
      cell: (row) => (row.kind === 'local' ? number(row.accounts) : '–'),
    },
    {
      key: 'aliases',
      head: t('menu.aliases'),
      className: 'num',
      label: t('menu.aliases'),
      cell: (row) => (row.kind === 'local' ? number(row.aliases) : '–'),
    },
    ...(deleted ? [restoreColumn(pathOf, (row) => t('domain.restored', { name: row.name }), reload)] : []),
  ];
}

function AddDomain({ onClose }) {
  const form = useForm({
    initial: { name: '', kind: 'local', route: '' },
    save: async ({ name, kind, route }) => {
      const body = kind === 'relay' ? { kind, route: route.trim() || null } : { kind };
      const domain = await request('PUT', `/domains/${segment(name.trim())}`, { body, create: true });
      toast(t('domains.added', { name: domain.name }));
      navigate(pathOf(domain));
    },
    places: { domain: 'name', '/route': 'route', '/kind': 'kind' },
  });
  const explain = (error) => (error.kind === 'exists' ? t('domains.exists') : null);
  return html`<${Dialog} title=${t('domains.add')} onClose=${onClose}>
    <form class="near" ...${form.form}>
      <${Input} label=${t('domain.name')} ...${form.field('name')} mono placeholder="example.org" autocapitalize="none"
        autocomplete="off" spellcheck=${false} required autofocus />
      <${Radios} label=${t('domain.kind')} ...${form.field('kind')}
        options=${KINDS.map((kind) => [kind, t(`domain.kind.${kind}.long`)])} />
      ${form.values.kind === 'relay' && html`<${Input} label=${t('domain.route')} hint=${t('domain.route-hint')}
        ...${form.field('route')} mono autocomplete="off" spellcheck=${false} />`}
      <${Submit} state=${form} verb=${t('domains.add')} onCancel=${onClose} explain=${explain} />
    </form><//>`;
}

export default function Domains({ query }) {
  const deleted = query.getAll('state').includes('deleted') && can('domains:write');
  return html`<${Listing} name="domains" path="/domains" scope="domains:write" keys="c d" fields=${fields()}
    columns=${(reload) => columns(deleted, reload)}
    keyOf=${(row) => row.name} query=${query} add=${(close) => html`<${AddDomain} onClose=${close} />`} />`;
}
