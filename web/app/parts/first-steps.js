// The first steps themselves: the server's name, a domain and its DNS, an account, a certificate.
import { useState } from 'preact/hooks';
import { get, request, segment } from '/app/api.js';
import { html } from '/app/html.js';
import { needWords, t, tx } from '/app/i18n.js';
import { AddAccountForm } from '/app/parts/add-account.js';
import { Copy } from '/app/parts/copy.js';
import { Dns } from '/app/parts/dns.js';
import { Input, Submit, useForm } from '/app/parts/form.js';
import { State } from '/app/parts/icon.js';
import { LinkShown } from '/app/parts/link.js';
import { Failure } from '/app/parts/page.js';
import { refreshStatus } from '/app/parts/shell.js';
import { toast } from '/app/parts/toast.js';
import { useQuery } from '/app/query.js';
import { store, useStore } from '/app/store.js';

await Promise.all([needWords('welcome'), needWords('domain')]);

const SETTLES = 8; // times half a second

/** Waits until the server's checklist has it: what that says may be two seconds old. */
export async function settle(id) {
  for (let i = 0; i < SETTLES; i++) {
    await refreshStatus().catch(() => {}); // the bar over the page says when the server is away
    if (store.get().status?.checklist.find((one) => one.id === id)?.done) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

const Done = ({ children }) => html`<p><${State} tone="ok" icon="ok"><span class="wrap">${children}</span><//></p>`;
const code = (text) => html`<code>${text}</code>`;

function HostnameForm({ setting, proposal, onDone }) {
  const [bare, setBare] = useState(false);
  const form = useForm({
    initial: { name: setting.value || proposal },
    save: async ({ name }) => {
      setBare(!name.trim().includes('.'));
      if (!name.trim().includes('.')) return;
      await request('PUT', `/settings/${setting.key}`, { version: setting.version, body: { value: name.trim() } });
      toast(t('saved'));
      await onDone();
    },
    places: { '/value': 'name' },
  });
  const field = form.field('name');
  return html`<form class="near form" ...${form.form}>
    <${Input} label=${t('welcome.todo.hostname')} hint=${t('welcome.hostname.hint')} ...${field}
      error=${bare ? t('welcome.hostname.bare') : field.error} mono autocapitalize="none" autocomplete="off" spellcheck=${false} required />
    <${Submit} state=${form} verb=${t('action.save')} /></form>`;
}

export function Hostname({ status, onDone }) {
  const setting = useQuery('hostname', (signal) => get('/settings/server.hostname', { signal }));
  const proposal = status.hostname.includes('.') ? status.hostname : '';
  return html`<p>${t('welcome.hostname.text')}</p>
    ${setting.error && html`<${Failure} error=${setting.error} lead=${t('welcome.unreadable')} retry=${setting.reload} />`}
    ${setting.data === null && !setting.error && html`<div aria-busy="true"></div>`}
    ${
      setting.data !== null &&
      (setting.data.editable
        ? html`<${HostnameForm} setting=${setting.data} proposal=${proposal} onDone=${onDone} />`
        : html`<${Done}>${tx('welcome.hostname.fixed', { name: code(setting.data.value) })}<//>`)
    }`;
}

function DomainForm() {
  const form = useForm({
    initial: { name: '' },
    save: async ({ name }) => {
      const domain = await request('PUT', `/domains/${segment(name.trim())}`, { body: { kind: 'local' }, create: true });
      toast(t('domains.added', { name: domain.name }));
      await settle('domain');
      document.querySelector('h1').focus({ preventScroll: true }); // the form is gone
    },
    places: { domain: 'name' },
  });
  const explain = (error) => (error.kind === 'exists' ? t('domains.exists') : null);
  return html`<form class="near form" ...${form.form}>
    <${Input} label=${t('domain.name')} ...${form.field('name')} mono placeholder="example.org" autocapitalize="none" autocomplete="off"
      spellcheck=${false} required />
    <${Submit} state=${form} verb=${t('domains.add')} explain=${explain} /></form>`;
}

export function Domain({ status }) {
  const name = status.checklist.find((one) => one.id === 'domain').domain;
  if (name === undefined) return html`<p>${t('welcome.domain.text')}</p><${DomainForm} />`;
  const checked = (dns) => (dns?.right === dns?.wanted ? settle('dns') : refreshStatus().catch(() => {}));
  return html`<${Done}>${tx('welcome.domain.done', { name: code(name) })}<//><p>${t('welcome.domain.dns')}</p>
    <${Dns} domain=${{ name, kind: 'local' }} onCheck=${checked} />`;
}

export function Account({ status, done, onDone }) {
  const [made, setMade] = useState(null); // {account, link}
  const address = useStore((s) => s.session?.account?.address);
  const onMade = (account, link) => {
    if (link !== null) setMade({ account, link });
    else {
      toast(t('accounts.added', { address: account.address }));
      onDone();
    }
  };
  if (made !== null) return html`<${LinkShown} address=${made.account.address} link=${made.link} onClose=${onDone} />`;
  if (done) return html`<${Done}>${t('welcome.account.done')}<//><p><a href="/accounts">${t('menu.accounts')}</a></p>`;
  if (!status.checklist.find((one) => one.id === 'domain').done)
    return html`<p>${t('welcome.account.no-domain')}</p><p><a class="button is-primary" href="/welcome/domain">${t('welcome.todo.domain')}</a></p>`;
  return html`<p>${tx('welcome.account.text', { address: html`<span class="mono">${address}</span>` })}</p>
    <div class="form"><${AddAccountForm} onMade=${onMade} /></div>`;
}

export function Certificate({ status, done }) {
  const [looked, setLooked] = useState(false);
  if (done) return html`<${Done}>${t('welcome.certificate.done')}<//>`;
  const base = `/etc/letsencrypt/live/${status.hostname}`;
  const lines = ['[tls]', `certificate = ${base}/fullchain.pem`, `key = ${base}/privkey.pem`];
  const look = async () => {
    await refreshStatus().catch(() => {}); // the bar over the page says when the server is away
    setLooked(true);
  };
  return html`<p>${t('welcome.certificate.text')}</p>
    <p>${tx('welcome.certificate.how', { host: code(status.hostname), file: code('correio.conf') })}</p>
    <p class="dialogue break">${lines.map((line) => html`${line}<br key=${line} />`)}</p>
    <p>${tx('welcome.certificate.reload', { command: code('systemctl reload correio') })}</p>
    <div class="row"><${Copy} text=${lines.map((line) => `${line}\n`).join('')} word=${t('welcome.certificate.copy')} />
      <button class="button" type="button" onClick=${look}>${t('welcome.certificate.look')}</button></div>
    <p class="muted" role="status">${looked && t('welcome.certificate.still')}</p>`;
}
