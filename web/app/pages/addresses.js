// The addresses of an account: its own, and further ones that it may use as sender.
import { useState } from 'preact/hooks';
import { get, request, segment } from '/app/api.js';
import { html } from '/app/html.js';
import { needWords, t } from '/app/i18n.js';
import { useKeys } from '/app/keys.js';
import { AccountTabs } from '/app/parts/account.js';
import { Dialog } from '/app/parts/dialog.js';
import { Input, Submit, useForm } from '/app/parts/form.js';
import { Crumb, Failure, Heading } from '/app/parts/page.js';
import { Table, useList } from '/app/parts/table.js';
import { toast } from '/app/parts/toast.js';
import { useQuery } from '/app/query.js';
import { back } from '/app/router.js';
import { can } from '/app/store.js';

await needWords('admins');

function columns(remove) {
  return [
    {
      key: 'address',
      head: t('account.address'),
      className: 'clip top',
      headClass: 'w28',
      cell: (row) => html`<span class="mono">${row.address}</span>`,
    },
    {
      key: 'main',
      head: t('addresses.use'),
      className: 'line',
      cell: (row) => html`<span class="muted">${t(row.main ? 'addresses.main' : 'addresses.further')}</span>`,
    },
    {
      key: 'remove',
      head: t('table.actions'),
      hide: true,
      className: 'act fit end top',
      cell: (row) =>
        !row.main &&
        can('accounts:write') &&
        html`<button class="button is-quiet" type="button" aria-label=${t('admins.remove-of', { address: row.address })}
          onClick=${() => remove(row)}>${t('admins.remove')}</button>`,
    },
  ];
}

function AddAddress({ path, onClose, onAdded }) {
  const form = useForm({
    initial: { address: '' },
    save: async ({ address }) => {
      const made = await request('PUT', `${path}/${segment(address.trim())}`);
      toast(t('accounts.added', { address: made.address }));
      onAdded();
      onClose();
    },
    places: { further: 'address' },
  });
  const explain = (error) => (error.kind === 'exists' ? t('accounts.exists') : null);
  return html`<${Dialog} title=${t('addresses.add')} onClose=${onClose}><form class="near" ...${form.form}>
    <${Input} label=${t('account.address')} ...${form.field('address')} mono inputmode="email" autocapitalize="none"
      autocomplete="off" spellcheck=${false} required autofocus />
    <${Submit} state=${form} verb=${t('addresses.add')} onCancel=${onClose} explain=${explain} />
  </form><//>`;
}

export default function Addresses({ address }) {
  const [adding, setAdding] = useState(false);
  const base = `/accounts/${segment(address)}`;
  const path = `${base}/addresses`;
  const list = useQuery(path, (signal) => get(path, { signal }));
  const rows = list.data?.data ?? null;
  const keyboard = useList(rows, (row) => row.address);
  useKeys({ Escape: () => back(base) });
  const remove = async (row) => {
    const one = `${path}/${segment(row.address)}`;
    const undo = async () => {
      await request('PUT', one);
      list.reload();
    };
    try {
      await request('DELETE', one);
      toast(t('addresses.removed', { address: row.address }), undo);
    } catch {
      toast(t('failure.refused'));
    }
    list.reload();
  };
  const add =
    can('accounts:write') &&
    html`<button class="button is-primary" type="button" onClick=${() => setAdding(true)}>${t('addresses.add')}</button>`;
  return html`<div class="near">
    <div class="head"><div><${Crumb} href="/accounts" text=${t('menu.accounts')} />
      <${Heading} title=${address} className="row"><span class="break">${address}</span><//></div>${add}</div>
    <${AccountTabs} base=${base} tab="addresses" />
    <p class="muted">${t('addresses.text')}</p>
    ${list.error && html`<${Failure} error=${list.error} lead=${t('account.unreadable')} retry=${list.reload} />`}
    ${
      (rows !== null || !list.error) &&
      html`<${Table} label=${t('account.tab.addresses')} columns=${columns(remove)} rows=${rows}
        keyOf=${(row) => row.address} list=${keyboard} busy=${list.busy} old=${list.old} />`
    }
    ${adding && html`<${AddAddress} path=${path} onClose=${() => setAdding(false)} onAdded=${list.reload} />`}
  </div>`;
}
