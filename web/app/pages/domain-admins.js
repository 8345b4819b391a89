// Who administers a domain: the list, adding one, and taking one out again.
import { useState } from 'preact/hooks';
import { get, request, segment } from '/app/api.js';
import { html } from '/app/html.js';
import { needWords, t } from '/app/i18n.js';
import { useKeys } from '/app/keys.js';
import { Dialog } from '/app/parts/dialog.js';
import { DomainTabs } from '/app/parts/domain-tabs.js';
import { Input, Submit, useForm } from '/app/parts/form.js';
import { AccountState } from '/app/parts/icon.js';
import { Crumb, Failure, Heading } from '/app/parts/page.js';
import { Empty, Pager, Table, useList } from '/app/parts/table.js';
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
      cell: (row) => html`<a class="open mono" href=${`/accounts/${segment(row.address)}`}>${row.address}</a>`,
    },
    { key: 'name', head: t('account.name'), className: 'clip line', cell: (row) => row.name },
    {
      key: 'state',
      head: t('queue.state'),
      className: 'fit end top',
      cell: (row) => html`<${AccountState} state=${row.state} />`,
    },
    {
      key: 'remove',
      head: t('table.actions'),
      hide: true,
      className: 'act fit end',
      cell: (row) =>
        can('domains:write') &&
        html`<button class="button is-quiet" type="button" aria-label=${t('admins.remove-of', { address: row.address })}
          onClick=${() => remove(row)}>${t('admins.remove')}</button>`,
    },
  ];
}

function AddAdmin({ path, name, onClose, onAdded }) {
  const form = useForm({
    initial: { address: '' },
    save: async ({ address }) => {
      const admin = await request('PUT', `${path}/${segment(address.trim())}`);
      toast(t('admins.added', { address: admin.address, name }));
      onAdded();
      onClose();
    },
    places: { account: 'address' },
  });
  const explain = (error) => (error.status === 404 ? t('admins.no-account') : null);
  return html`<${Dialog} title=${t('admins.add')} onClose=${onClose}><form class="near" ...${form.form}>
    <p>${t('admins.add-text', { name })}</p>
    <${Input} label=${t('account.address')} ...${form.field('address')} mono inputmode="email" autocapitalize="none"
      autocomplete="off" spellcheck=${false} required autofocus />
    <${Submit} state=${form} verb=${t('admins.add')} onCancel=${onClose} explain=${explain} />
  </form><//>`;
}

export default function DomainAdmins({ domain: name, query }) {
  const [adding, setAdding] = useState(false);
  const cursor = query.get('cursor');
  const path = `/domains/${segment(name)}/admins`;
  const list = useQuery(`${path}?${cursor}`, (signal) => get(path, { signal, query: { cursor } }));
  const rows = list.data?.data ?? null;
  const keyboard = useList(rows, (row) => row.address);
  useKeys({ Escape: () => back(`/domains/${segment(name)}`) });
  const remove = async ({ address }) => {
    const one = `${path}/${segment(address)}`;
    const undo = async () => {
      await request('PUT', one);
      list.reload();
    };
    try {
      await request('DELETE', one);
      toast(t('admins.removed', { address, name }), undo);
    } catch {
      toast(t('failure.refused'));
    }
    list.reload();
  };
  const add =
    can('domains:write') &&
    html`<button class="button is-primary" type="button" onClick=${() => setAdding(true)}>${t('admins.add')}</button>`;
  return html`<div class="near">
    <div class="head"><div><${Crumb} href="/domains" text=${t('menu.domains')} />
      <${Heading} title=${name} className="row"><span class="break">${name}</span><//></div>${add}</div>
    <${DomainTabs} domain=${name} tab="admins" />
    <p class="muted">${t('admins.text')}</p>
    ${list.error && html`<${Failure} error=${list.error} lead=${t('admins.unreadable')} retry=${list.reload} />`}
    ${
      rows?.length === 0
        ? html`<${Empty} title=${t('admins.nothing')}>${t('admins.nothing-text')}<//>`
        : (rows !== null || !list.error) &&
          html`<${Table} label=${t('domain.tab.admins')} columns=${columns(remove)} rows=${rows}
            keyOf=${(row) => row.address} list=${keyboard} busy=${list.busy} old=${list.old} />`
    }
    <${Pager} next=${list.data?.next} cursor=${cursor}
      href=${(to) => path + (to ? `?cursor=${encodeURIComponent(to)}` : '')} />
    ${adding && html`<${AddAdmin} path=${path} name=${name} onClose=${() => setAdding(false)} onAdded=${list.reload} />`}
  </div>`;
}
