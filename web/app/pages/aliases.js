// Aliases: the list, and adding one.
import { request, segment } from '/app/api.js';
import { html } from '/app/html.js';
import { number, t } from '/app/i18n.js';
import { Dialog } from '/app/parts/dialog.js';
import { Input, Submit, TextArea, useForm } from '/app/parts/form.js';
import { Listing } from '/app/parts/listing.js';
import { toast } from '/app/parts/toast.js';

const SHOWN_MEMBERS = 3;

/** The addresses in a text: one a line, or by comma. */
export function membersOf(text) {
  return [...new Set(text.split(/[\s,;]+/).filter((one) => one !== ''))];
}

function fields() {
  return [
    { name: 'q', label: t('filter.text'), single: true, hint: t('aliases.text-hint') },
    { name: 'domain', label: t('filter.domain'), hint: 'example.org' },
    { name: 'member', label: t('alias.member'), hint: 'alice@example.org' },
  ];
}

function Members({ members }) {
  const more = members.length - SHOWN_MEMBERS;
  return html`<span class="mono">${members.slice(0, SHOWN_MEMBERS).join(', ')}</span>${more > 0 && html` <span
    class="muted">${t('aliases.more', { n: more })}</span>`}`;
}

function columns() {
  return [
    {
      key: 'address',
      head: t('alias.address'),
      className: 'clip line',
      headClass: 'w28',
      sort: 'ascending',
      cell: (row) =>
        html`<a class="open mono" href=${`/aliases/${segment(row.address)}`} title=${row.address}>${row.address}</a>`,
    },
    {
      key: 'members',
      head: t('alias.members'),
      className: 'line wrap',
      label: t('queue.to-card'),
      cell: (row) => html`<${Members} members=${row.members} />`,
    },
    {
      key: 'count',
      head: t('alias.count'),
      className: 'num spare',
      headClass: 'num spare',
      label: t('alias.count'),
      cell: (row) => number(row.members.length),
    },
  ];
}

function AddAlias({ onClose, onAdded }) {
  const form = useForm({
    initial: { address: '', members: '' },
    save: async ({ address, members }) => {
      const alias = await request('PUT', `/aliases/${segment(address.trim())}`, {
        body: { members: membersOf(members) },
        create: true,
      });
      toast(t('aliases.added', { address: alias.address }));
      onAdded();
      onClose();
    },
    places: { address: 'address', '/members': 'members' },
  });
  const explain = (error) => (error.kind === 'exists' ? t('aliases.exists') : null);
  return html`<${Dialog} title=${t('aliases.add')} onClose=${onClose}><form class="near" ...${form.form}>
    <${Input} label=${t('alias.address')} ...${form.field('address')} mono placeholder="sales@example.org"
      inputmode="email" autocapitalize="none" autocomplete="off" spellcheck=${false} required autofocus />
    <${TextArea} label=${t('alias.members')} hint=${t('alias.members-hint')} ...${form.field('members')}
      rows="4" required />
    <${Submit} state=${form} verb=${t('aliases.add')} onCancel=${onClose} explain=${explain} />
  </form><//>`;
}

export default function Aliases({ query }) {
  return html`<${Listing} name="aliases" path="/aliases" scope="aliases:write" keys="c l" fields=${fields()}
    columns=${columns}
    keyOf=${(row) => row.address} query=${query} add=${(close, added) => html`
      <${AddAlias} onClose=${close} onAdded=${added} />`} />`;
}
