// Accounts: the list, and adding one; adding ends with a link to hand over, or with a password.
import { useState } from 'preact/hooks';
import { segment } from '/app/api.js';
import { html } from '/app/html.js';
import { t } from '/app/i18n.js';
import { AddAccountForm } from '/app/parts/add-account.js';
import { restoreColumn } from '/app/parts/deleted.js';
import { Dialog } from '/app/parts/dialog.js';
import { AccountState } from '/app/parts/icon.js';
import { FileButtons } from '/app/parts/account-files.js';
import { LinkShown } from '/app/parts/link.js';
import { Listing } from '/app/parts/listing.js';
import { Sent, SignInTime, Used } from '/app/parts/account.js';
import { toast } from '/app/parts/toast.js';
import { useNow } from '/app/query.js';
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
  const onMade = (account, link) => {
    onAdded();
    if (link === null) {
      toast(t('accounts.added', { address: account.address }));
      onClose();
    } else setMade({ account, link });
  };
  if (made !== null) return html`<${LinkShown} address=${made.account.address} link=${made.link} onClose=${onClose} />`;
  return html`<${Dialog} title=${t('accounts.add')} onClose=${onClose}>
    <${AddAccountForm} onCancel=${onClose} onMade=${onMade} /><//>`;
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
