// Tokens: what programs use instead of a password. The secret is shown once.
import { useState } from 'preact/hooks';
import { get, request, segment } from '/app/api.js';
import { html } from '/app/html.js';
import { ago, clock, day, t } from '/app/i18n.js';
import { Copy } from '/app/parts/copy.js';
import { Confirm, Dialog } from '/app/parts/dialog.js';
import { Input, Select, Submit, useForm } from '/app/parts/form.js';
import { Failure } from '/app/parts/page.js';
import { SettingsHead } from '/app/parts/settings-tabs.js';
import { Empty, Pager, Table, useList } from '/app/parts/table.js';
import { toast } from '/app/parts/toast.js';
import { useNow, useQuery } from '/app/query.js';
import { setQuery } from '/app/router.js';
import { can, useStore } from '/app/store.js';

const DAYS = ['30', '90', '365'];
const NONE = [];
const SOON_MS = 14 * 86400000;

function Scopes({ scopes, chosen, error, toggle }) {
  return html`<fieldset class="choices"><legend>${t('token.scopes')}</legend>
    <div class="scopes">${scopes.map(
      (scope) => html`<label class="row mono" key=${scope}>
      <input type="checkbox" checked=${chosen.includes(scope)} onInput=${() => toggle(scope)} /> ${scope}</label>`,
    )}</div>
    ${error && html`<small class="error" role="alert">${error}</small>`}</fieldset>`;
}

function AddToken({ onClose, onAdded }) {
  const scopes = useStore((s) => s.session?.scopes ?? NONE);
  const [made, setMade] = useState(null);
  const form = useForm({
    initial: { name: '', scopes: [], days: '365', cidrs: '' },
    save: async (values) => {
      const cidrs = values.cidrs.split(/[\s,]+/).filter((one) => one !== '');
      const token = await request('POST', '/tokens', {
        body: {
          name: values.name.trim(),
          scopes: values.scopes,
          cidrs: cidrs.length > 0 ? cidrs : null,
          expires_at: new Date(Date.now() + Number(values.days) * 86400000).toISOString(),
        },
      });
      onAdded();
      setMade(token);
    },
    places: { '/name': 'name', '/scopes': 'scopes', '/cidrs': 'cidrs', '/expires_at': 'days' },
  });
  if (made !== null) {
    return html`<${Dialog} title=${t('token.made', { name: made.name })} onClose=${onClose}>
      <p>${t('token.once')}</p><p class="secret"><code>${made.token}</code></p>
      <div class="row"><${Copy} text=${made.token} word=${t('token.copy')} className="is-primary" />
        <button class="button" type="button" onClick=${onClose}>${t('action.done')}</button></div><//>`;
  }
  const toggle = (scope) =>
    form.set(
      'scopes',
      form.values.scopes.includes(scope)
        ? form.values.scopes.filter((one) => one !== scope)
        : [...form.values.scopes, scope],
    );
  return html`<${Dialog} title=${t('tokens.add')} onClose=${onClose}><form class="near" ...${form.form}>
    <${Input} label=${t('token.name')} hint=${t('token.name-hint')} ...${form.field('name')}
      autocomplete="off" required autofocus />
    <${Scopes} scopes=${scopes} chosen=${form.values.scopes} error=${form.errors.scopes} toggle=${toggle} />
    <${Select} label=${t('token.expires')} ...${form.field('days')}
      options=${DAYS.map((days) => [days, t('duration.d', { n: Number(days) })])} />
    <${Input} label=${t('token.cidrs')} hint=${t('token.cidrs-hint')} ...${form.field('cidrs')} mono autocomplete="off"
      spellcheck=${false} />
    <${Submit} state=${form} verb=${t('tokens.add')} onCancel=${onClose} />
  </form><//>`;
}

function columns(now, revoke) {
  const soon = (row) => new Date(row.expires_at) - now < SOON_MS;
  return [
    { key: 'name', head: t('token.name'), className: 'line', cell: (row) => html`<b>${row.name}</b>` },
    {
      key: 'scopes',
      head: t('token.scopes'),
      className: 'line wrap',
      cell: (row) =>
        html`<span class="mono">${row.scopes.join(', ')}</span>${row.cidrs && html` <span
          class="muted mono">${row.cidrs.join(', ')}</span>`}`,
    },
    {
      key: 'used',
      head: t('token.used'),
      className: 'muted nowrap',
      label: t('token.used'),
      cell: (row) => (row.last_used_at ? ago(row.last_used_at, now) : t('account.never')),
    },
    {
      key: 'expires',
      head: t('token.expires'),
      className: 'nowrap',
      label: t('token.expires'),
      cell: (row) => (soon(row) ? html`<b>${clock(row.expires_at, { now })}</b>` : day(row.expires_at)),
    },
    can('tokens:write') && {
      key: 'act',
      head: t('table.actions'),
      hide: true,
      className: 'act fit end',
      cell: (row) => html`<button class="button is-quiet" type="button" onClick=${() => revoke(row)}>
      ${t('token.revoke')}<span class="hidden"> ${row.name}</span></button>`,
    },
  ].filter(Boolean);
}

export default function Tokens({ query }) {
  const now = useNow();
  const cursor = query.get('cursor');
  const list = useQuery(`tokens?${cursor}`, (signal) => get('/tokens', { signal, query: { cursor } }));
  const [revoking, setRevoking] = useState(null);
  const rows = list.data?.data ?? null;
  const keys = useList(rows, (row) => row.id);
  const open = () => setQuery(new URLSearchParams('add'));
  const close = () => setQuery(new URLSearchParams(), { replace: true });
  const revoke = async () => {
    await request('DELETE', `/tokens/${segment(revoking.id)}`);
    toast(t('token.revoked', { name: revoking.name }));
    await list.reload();
  };
  const add =
    can('tokens:write') &&
    html`<button class="button is-primary" type="button" onClick=${open}>${t('tokens.add')} <kbd>c t</kbd></button>`;
  return html`<${SettingsHead} group="tokens" />
    <section class="near">
      <div class="head"><p class="muted">${t('tokens.text')}</p>${rows?.length !== 0 && add}</div>
      ${list.error && html`<${Failure} error=${list.error} lead=${t('tokens.unreadable')} retry=${list.reload} />`}
      ${
        rows?.length === 0
          ? html`<${Empty} title=${t('tokens.nothing')} actions=${add} />`
          : (rows !== null || !list.error) &&
            html`<${Table} label=${t('settings.group.tokens')} columns=${columns(now, setRevoking)} rows=${rows}
              keyOf=${(row) => row.id} list=${keys} busy=${list.busy} old=${list.old} />`
      }
      <${Pager} next=${list.data?.next} cursor=${cursor}
        href=${(to) => `/settings/tokens${to ? `?cursor=${encodeURIComponent(to)}` : ''}`} />
    </section>
    ${query.has('add') && can('tokens:write') && html`<${AddToken} onClose=${close} onAdded=${list.reload} />`}
    ${
      revoking &&
      html`<${Confirm} title=${t('token.revoke-title', { name: revoking.name })} verb=${t('token.revoke')} danger
        run=${revoke} onClose=${() => setRevoking(null)}>
      <p>${t('token.revoke-text')}</p><//>`
    }`;
}
