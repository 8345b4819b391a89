// Programs and devices of an account: their passwords, and who is signed in. Of the own account, or of another.
import { useState } from 'preact/hooks';
import { get, request, segment } from '/app/api.js';
import { html } from '/app/html.js';
import { ago, day, needWords, t } from '/app/i18n.js';
import { useKeys } from '/app/keys.js';
import { AccountTabs } from '/app/parts/account.js';
import { Copy } from '/app/parts/copy.js';
import { Confirm, Dialog } from '/app/parts/dialog.js';
import { Input, Submit, useForm } from '/app/parts/form.js';
import { Crumb, Fact, Facts, Failure, Heading } from '/app/parts/page.js';
import { Qr } from '/app/parts/qr.js';
import { Empty, Table, useList } from '/app/parts/table.js';
import { toast } from '/app/parts/toast.js';
import { useNow, useQuery } from '/app/query.js';
import { back, setQuery } from '/app/router.js';
import { can, useStore } from '/app/store.js';

await needWords('device');

const PROTOCOLS = ['imap', 'pop3', 'submission', 'managesieve'];
/** Of each protocol the best that listens, as a program is told when it asks. */
function Servers({ address }) {
  const { data, error, reload } = useQuery('/client-setup', (signal) => get('/client-setup', { signal }));
  const best = ['imap', 'submission', 'pop3'].map((one) => data?.servers.find((server) => server.protocol === one));
  return html`<div class="near"><${Facts}>
      <${Fact} name=${t('device.user')}><span class="mono">${address}</span><//>
      ${best.filter(Boolean).map(
        ({ protocol, port, tls }) =>
          html`<${Fact} key=${protocol} name=${t(`device.server.${protocol}`)}><span class="mono">${data.hostname}</span><br />
          ${t(`device.port.${tls}`, { port: String(port) })}<//>`,
      )}
    <//>
    ${error && html`<${Failure} error=${error} lead=${t('device.servers-unreadable')} retry=${reload} />`}</div>`;
}

function AddDevice({ path, address, onClose, onAdded }) {
  const [made, setMade] = useState(null);
  const [chosen, setChosen] = useState(PROTOCOLS);
  const form = useForm({
    initial: { name: '' },
    save: async ({ name }) => {
      const device = await request('POST', `${path}/app-passwords`, { body: { name: name.trim(), protocols: chosen } });
      onAdded();
      setMade(device);
    },
    places: { '/name': 'name', '/protocols': 'protocols' },
  });
  if (made !== null) {
    return html`<${Dialog} title=${t('device.made', { name: made.name })} onClose=${onClose}>
      <p>${t('device.once')}</p>
      <p class="secret"><code class="password">${made.password}</code></p>
      <div class="with-qr"><${Servers} address=${address} />
        <${Qr} text=${made.password} label=${t('device.qr')} /></div>
      <div class="row"><${Copy} text=${made.password} word=${t('device.copy')} className="is-primary" />
        <button class="button" type="button" onClick=${onClose}>${t('action.done')}</button></div><//>`;
  }
  const toggle = (one) => setChosen(PROTOCOLS.filter((p) => chosen.includes(p) !== (p === one)));
  return html`<${Dialog} title=${t('devices.add')} onClose=${onClose}><form class="near" ...${form.form}>
    <p>${t('device.text')}</p>
    <${Input} label=${t('device.name')} hint=${t('device.name-hint')} ...${form.field('name')} autocomplete="off" required
      autofocus />
    <fieldset class="choices"><legend>${t('device.protocols')}</legend>
      <div class="scopes">${PROTOCOLS.map(
        (one) => html`<label class="row" key=${one}>
        <input type="checkbox" checked=${chosen.includes(one)} onInput=${() => toggle(one)} /> ${t(`protocol.${one}`)}</label>`,
      )}</div>
      ${form.errors.protocols && html`<small class="error" role="alert">${form.errors.protocols}</small>`}</fieldset>
    <${Submit} state=${form} verb=${t('devices.add')} onCancel=${onClose}
      explain=${(error) => (error.fields[''] ? t('device.too-many') : null)} />
  </form><//>`;
}

function deviceColumns(now, mayWrite, remove) {
  return [
    { key: 'name', head: t('device.name'), className: 'line', cell: (row) => html`<b>${row.name}</b>` },
    {
      key: 'protocols',
      head: t('device.protocols'),
      className: 'line muted',
      cell: (row) => row.protocols.map((one) => t(`protocol.${one}`)).join(', '),
    },
    {
      key: 'used',
      head: t('device.used'),
      label: t('device.used'),
      className: 'muted',
      cell: (row) =>
        row.last_used
          ? html`${t('account.sign-in', { ago: ago(row.last_used.at, now), protocol: t(`protocol.${row.last_used.protocol}`) })}
            ${row.last_used.ip && html` <span class="mono">${row.last_used.ip}</span>`}`
          : t('account.never'),
    },
    { key: 'made', head: t('created'), label: t('created'), className: 'nowrap muted', cell: (row) => day(row.created_at) },
    mayWrite && {
      key: 'act',
      head: t('table.actions'),
      hide: true,
      className: 'act fit end',
      cell: (row) => html`<button class="button is-quiet" type="button" onClick=${() => remove(row)}>
      ${t('device.remove')}<span class="hidden"> ${row.name}</span></button>`,
    },
  ].filter(Boolean);
}

function Devices({ path, address, mayWrite, adding }) {
  const now = useNow();
  const list = useQuery(`${path}/app-passwords`, (signal) => get(`${path}/app-passwords`, { signal }));
  const [removing, setRemoving] = useState(null);
  const rows = list.data?.data ?? null;
  const keys = useList(rows, (row) => row.id);
  const close = () => setQuery(new URLSearchParams(), { replace: true });
  const remove = async () => {
    await request('DELETE', `${path}/app-passwords/${segment(removing.id)}`);
    toast(t('device.removed', { name: removing.name }));
    await list.reload();
  };
  const add =
    mayWrite &&
    html`<button class="button is-primary" type="button" onClick=${() => setQuery(new URLSearchParams('add'))}>
      ${t('devices.add')}</button>`;
  return html`<section class="near"><div class="head"><h2>${t('devices.title')}</h2>${rows?.length > 0 && add}</div>
    <p class="muted">${t('devices.text')}</p>
    ${list.error && html`<${Failure} error=${list.error} lead=${t('devices.unreadable')} retry=${list.reload} />`}
    ${
      rows?.length === 0
        ? html`<${Empty} title=${t('devices.nothing')} actions=${add} />`
        : (rows !== null || !list.error) &&
          html`<${Table} label=${t('devices.title')} columns=${deviceColumns(now, mayWrite, setRemoving)} rows=${rows}
            keyOf=${(row) => row.id} list=${keys} busy=${list.busy} old=${list.old} />`
    }
    ${
      path === '/me' &&
      html`<p><a href="/api/v1/me/apple-profile" download>${t('devices.apple')}</a>
        <span class="muted"> ${t('devices.apple-text')}</span></p>`
    }
    ${adding && mayWrite && html`<${AddDevice} path=${path} address=${address} onClose=${close} onAdded=${list.reload} />`}
    ${
      removing &&
      html`<${Confirm} title=${t('device.remove-title', { name: removing.name })} verb=${t('device.remove')} danger
        run=${remove} onClose=${() => setRemoving(null)}><p>${t('device.remove-text')}</p><//>`
    }</section>`;
}

/** "Firefox on Linux", as far as it says so. */
function programOf(agent) {
  const browser = /(Firefox|Edg|OPR|Chrome|Safari)\//.exec(agent ?? '')?.[1];
  const system = /(Windows|Android|iPhone|iPad|Mac OS X|Linux)/.exec(agent ?? '')?.[1];
  const names = { Edg: 'Edge', OPR: 'Opera', 'Mac OS X': 'macOS' };
  const parts = [browser, system].filter(Boolean).map((one) => names[one] ?? one);
  return parts.join(', ') || agent.slice(0, 40);
}

function sessionColumns(now, mayWrite, end) {
  return [
    {
      key: 'protocol',
      head: t('session.where'),
      className: 'line',
      cell: (row) => html`<b>${row.protocol === 'page' ? t('session.page') : t(`protocol.${row.protocol}`)}</b>${
        row.current && html` <span class="muted">${t('session.current')}</span>`
      }${row.user_agent && html` <span class="muted">· ${programOf(row.user_agent)}</span>`}`,
    },
    { key: 'ip', head: t('session.from'), className: 'nowrap', cell: (row) => html`<span class="mono">${row.ip ?? ''}</span>` },
    {
      key: 'since',
      head: t('session.since'),
      label: t('session.since'),
      className: 'muted nowrap',
      cell: (row) => ago(row.started_at, now),
    },
    mayWrite && {
      key: 'act',
      head: t('table.actions'),
      hide: true,
      className: 'act fit end',
      cell: (row) =>
        !row.current &&
        html`<button class="button is-quiet" type="button" onClick=${() => end(row)}>
      ${t('session.end')}<span class="hidden"> ${row.protocol} ${row.ip}</span></button>`,
    },
  ].filter(Boolean);
}

function Sessions({ path, mayWrite }) {
  const now = useNow();
  const list = useQuery(`${path}/sessions`, (signal) => get(`${path}/sessions`, { signal }));
  const rows = list.data?.data ?? null;
  const keys = useList(rows, (row) => row.id);
  const run = async (method, below, words) => {
    try {
      await request(method, `${path}/sessions${below}`);
      toast(words);
    } catch {
      toast(t('failure.refused'));
    }
    await list.reload();
  };
  const all =
    mayWrite &&
    rows?.some((row) => !row.current) &&
    html`<button class="button" type="button" onClick=${() => run('DELETE', '', t('session.all-ended'))}>
      ${t('session.end-all')}</button>`;
  return html`<section class="near"><div class="head"><h2>${t('sessions.title')}</h2>${all}</div>
    ${list.error && html`<${Failure} error=${list.error} lead=${t('sessions.unreadable')} retry=${list.reload} />`}
    ${
      rows?.length === 0
        ? html`<p class="muted">${t('sessions.nothing')}</p>`
        : (rows !== null || !list.error) &&
          html`<${Table} label=${t('sessions.title')} rows=${rows} keyOf=${(row) => row.id} list=${keys} busy=${list.busy}
            columns=${sessionColumns(now, mayWrite, (row) => run('DELETE', `/${segment(row.id)}`, t('session.ended')))}
            old=${list.old} />`
    }</section>`;
}

/** address: of another account; absent: the own. */
export default function DevicesPage({ address, query }) {
  const own = useStore((s) => s.session?.account?.address);
  const mine = address === undefined;
  const path = mine ? '/me' : `/accounts/${segment(address)}`;
  const mayWrite = mine || can('accounts:write');
  useKeys({ Escape: () => !mine && back('/accounts') });
  return html`<div class="near">
      ${!mine && html`<${Crumb} href="/accounts" text=${t('menu.accounts')} />`}
      <${Heading} title=${mine ? t('menu.devices') : address} /><${AccountTabs} base=${path} tab="devices" /></div>
    <${Devices} path=${path} address=${mine ? own : address} mayWrite=${mayWrite} adding=${query.has('add')} />
    <${Sessions} path=${path} mayWrite=${mayWrite} />`;
}
