// Accounts: the list, and adding one; adding ends with a link to hand over, or with a password.
import { useState } from 'preact/hooks';
import { get, request, segment } from '/app/api.js';
import { html } from '/app/html.js';
import { t } from '/app/i18n.js';
import { restoreColumn } from '/app/parts/deleted.js';
import { Dialog } from '/app/parts/dialog.js';
import { Input, Password, Radios, Submit, useForm } from '/app/parts/form.js';
import { AccountState } from '/app/parts/icon.js';
import { FileButtons } from '/app/parts/account-files.js';
import { LinkShown } from '/app/parts/link.js';
import { Listing } from '/app/parts/listing.js';
import { Sent, SignInTime, Used } from '/app/parts/account.js';
import { toast } from '/app/parts/toast.js';
import { useNow, useQuery } from '/app/query.js';
import { can } from '/app/store.js';

const ROLES = ['account', 'domain_admin', 'system_admin'];

const pathOf = (account) => `/accounts/${segment(account.address)}`;

function fields() {
  return [
    { name: 'q', label: t('filter.text'), single: true, hint: t('accounts.text-hint') },
    { name: 'domain', label: t('filter.domain'), hint: 'example.org' },
    {
      name: 'state',
      label: t('queue.state'),
      options: ['active', 'invited', 'frozen', 'suspended', 'deleted'].map((state) => [state, t(`account.state.${state}`)]),
    },
    { name: 'role', label: t('account.role'), options: ROLES.map((role) => [role, t(`role.${role}`)]) },
  ];
}

function columns(now, deleted, reload) {
  return [
    {
      key: 'address',
      head: t('account.address'),
      className: 'clip top',
      headClass: 'w28',
      sort: 'ascending',
      cell: (row) =>
        html`<a class="open mono" href=${pathOf(row)} title=${row.address}>${row.address}</a>`,
    },
    {
      key: 'name',
      head: t('account.name'),
      className: 'clip line spare',
      headClass: 'w22 spare',
      cell: (row) =>
        html`${row.name}${row.role !== 'account' && html` <span class="muted">${t(`role.${row.role}`)}</span>`}`,
    },
    {
      key: 'state',
      head: t('queue.state'),
      className: 'fit end top',
      cell: (row) => html`<${AccountState} state=${row.state} />`,
    },
    { key: 'used', head: t('account.used'), className: 'line', cell: (row) => html`<${Used} quota=${row.quota} />` },
    {
      key: 'sign-in',
      head: t('account.last-sign-in'),
      className: 'muted nowrap',
      cell: (row) => html`<${SignInTime} account=${row} now=${now} />`,
    },
    {
      key: 'sent',
      head: t('account.sent'),
      label: t('account.sent'),
      className: 'num',
      cell: (row) => html`<${Sent} account=${row} />`,
    },
    ...(deleted ? [restoreColumn(pathOf, (row) => t('account.restored', { address: row.address }), reload)] : []),
  ];
}

function AddAccount({ onClose, onAdded }) {
  const [made, setMade] = useState(null); // {account, link}
  const domains = useQuery('domains', (signal) =>
    get('/domains', { signal, query: { kind: 'local', state: 'active', limit: 200 } }).catch(() => ({ data: [] })),
  );
  const form = useForm({
    initial: { address: '', name: '', how: 'link', password: '' },
    save: async ({ address, name, how, password }) => {
      const body = { name: name.trim(), ...(how === 'password' ? { password } : {}) };
      const path = `/accounts/${segment(address.trim())}`;
      const account = await request('PUT', path, { body, create: true });
      const link = how === 'link' ? await request('POST', `/accounts/${segment(account.address)}/link`) : null;
      onAdded();
      if (link === null) {
        toast(t('accounts.added', { address: account.address }));
        onClose();
      } else setMade({ account, link });
    },
    places: { address: 'address', '/name': 'name', '/password': 'password' },
  });
  if (made !== null) return html`<${LinkShown} address=${made.account.address} link=${made.link} onClose=${onClose} />`;
  const explain = (error) => (error.kind === 'exists' ? t('accounts.exists') : null);
  const known = domains.data?.data ?? [];
  const local = form.values.address.split('@')[0];
  return html`<${Dialog} title=${t('accounts.add')} onClose=${onClose}>
    <form class="near" ...${form.form}>
      <${Input} label=${t('account.address')} ...${form.field('address')} mono list="known-domains"
        placeholder=${`ana@${known[0]?.name ?? 'example.org'}`}
        inputmode="email" autocapitalize="none" autocomplete="off" spellcheck=${false} required autofocus />
      <datalist id="known-domains">${local !== '' && known.map((domain) => html`
        <option key=${domain.name} value=${`${local}@${domain.name}`} />`)}</datalist>
      <${Input} label=${t('account.name')} ...${form.field('name')} autocomplete="off" />
      <${Radios} label=${t('accounts.how')} ...${form.field('how')} options=${[
        ['link', t('accounts.how-link')],
        ['password', t('accounts.how-password')],
      ]} />
      ${form.values.how === 'password' && html`<${Password} label=${t('sign-in.password')} hint=${t('password.rule')}
        ...${form.field('password')} autocomplete="new-password" />`}
      <${Submit} state=${form} verb=${t('accounts.add')} onCancel=${onClose} explain=${explain} />
    </form><//>`;
}

export default function Accounts({ query }) {
  const now = useNow();
  const deleted = query.getAll('state').includes('deleted') && can('accounts:write');
  return html`<${Listing} name="accounts" path="/accounts" scope="accounts:write" keys="c a" fields=${fields()}
    more=${(filter) => html`<${FileButtons} filter=${filter} />`}
    columns=${(reload) => columns(now, deleted, reload)}
    keyOf=${(row) => row.address} query=${query} add=${(close, added) => html`<${AddAccount} onClose=${close}
      onAdded=${added} />`} />`;
}
