// One account: its state, what it uses, its settings, password and link, and its end.
import { useState } from 'preact/hooks';
import { get, request, segment } from '/app/api.js';
import { html } from '/app/html.js';
import { clock, day, LANGUAGES, number, t } from '/app/i18n.js';
import { useKeys } from '/app/keys.js';
import {
  AccountTabs,
  LIMITS_PLACES,
  LimitFields,
  limitsBody,
  limitsText,
  quotaBody,
  quotaText,
  Sent,
  SignInTime,
  Used,
} from '/app/parts/account.js';
import { Deleted, sayDeleted } from '/app/parts/deleted.js';
import { Dialog } from '/app/parts/dialog.js';
import { Input, Password, Select, Submit, useForm } from '/app/parts/form.js';
import { AccountState } from '/app/parts/icon.js';
import { LinkShown } from '/app/parts/link.js';
import { More } from '/app/parts/menu.js';
import { NoObject, useObject, useStale } from '/app/parts/object.js';
import { byWhom, Crumb, Fact, Facts, Heading, Notice, problemText } from '/app/parts/page.js';
import { toast } from '/app/parts/toast.js';
import { useNow, useQuery } from '/app/query.js';
import { back, navigate } from '/app/router.js';
import { can, useStore } from '/app/store.js';

const ROLES = ['account', 'domain_admin', 'system_admin'];

function Edit({ object, stale }) {
  const account = object.data;
  const role = useStore((s) => s.session?.role);
  const form = useForm({
    initial: {
      name: account.name,
      role: account.role,
      language: account.language ?? '',
      quota: quotaText(account.quota),
      ...limitsText(account.limits),
      delivery: account.delivery ?? '',
      deliveryUser: account.delivery_user ?? '',
    },
    save: async (values) => {
      const body = {
        name: values.name.trim(),
        role: values.role,
        language: values.language || null,
        quota: quotaBody(values.quota),
        limits: limitsBody(values),
      };
      if (role === 'system_admin') {
        body.delivery = values.delivery.trim() || null;
        body.delivery_user = values.deliveryUser.trim() || null;
      }
      await object.patch(body);
      toast(t('saved'));
    },
    places: {
      '/name': 'name',
      '/role': 'role',
      '/language': 'language',
      '/quota/limit': 'quota',
      ...LIMITS_PLACES,
      '/delivery': 'delivery',
      '/delivery_user': 'deliveryUser',
    },
  });
  const roles = ROLES.map((one) => [one, t(`role.${one}`)]);
  const languages = [['', t('language.domain')], ...Object.entries(LANGUAGES)];
  return html`<section class="near"><h2>${t('account.settings')}</h2><form class="near form" ...${form.form}>
    <${Input} label=${t('account.name')} ...${form.field('name')} autocomplete="off" />
    <${Input} label=${t('account.quota')} hint=${t('account.quota-hint')} ...${form.field('quota')} inputmode="decimal"
      autocomplete="off" />
    <${LimitFields} form=${form} hint=${t('account.limit-hint')} />
    <${Select} label=${t('account.language')} ...${form.field('language')} options=${languages} />
    ${role === 'system_admin' && html`<${Select} label=${t('account.role')} ...${form.field('role')} options=${roles} />
      <${Input} label=${t('account.delivery')} hint=${t('account.delivery-hint')} ...${form.field('delivery')}
        autocomplete="off" spellcheck="false" />
      <${Input} label=${t('account.delivery-user')} hint=${t('account.delivery-user-hint')} ...${form.field('deliveryUser')}
        autocomplete="off" spellcheck="false" />`}
    <${Submit} state=${form} verb=${t('action.save')} explain=${stale.explain} />${stale.offer(form.failure)}
  </form></section>`;
}

function SetPassword({ account, onClose, onDone }) {
  const form = useForm({
    initial: { password: '' },
    save: async ({ password }) => {
      await request('PUT', `/accounts/${segment(account.address)}/password`, { body: { password } });
      toast(t('account.password-set'));
      onClose();
      onDone();
    },
    places: { '/password': 'password' },
  });
  return html`<${Dialog} title=${t('account.set-password')} onClose=${onClose}><form class="near" ...${form.form}>
    <p>${t('account.set-password-text')}</p>
    <input type="text" value=${account.address} autocomplete="username" readonly hidden />
    <${Password} label=${t('new-password.label')} hint=${t('password.rule')} ...${form.field('password')}
      autocomplete="new-password" autofocus />
    <${Submit} state=${form} verb=${t('account.set-password')} onCancel=${onClose} />
  </form><//>`;
}

/** Takes away a right, with the reason: kind is suspend or freeze. */
function TakeAway({ kind, account, object, onClose }) {
  const form = useForm({
    initial: { reason: '' },
    save: async ({ reason }) => {
      object.put(
        await request('PUT', `/accounts/${segment(account.address)}/${kind}`, {
          body: { reason: reason.trim() || null },
        }),
      );
      toast(t(`account.${kind}-done`, { address: account.address }));
      onClose();
    },
    places: { '/reason': 'reason' },
  });
  return html`<${Dialog} title=${t(`account.${kind}-title`, { address: account.address })} onClose=${onClose}>
    <form class="near" ...${form.form}>
    <p>${t(`account.${kind}-text`)}</p>
    <${Input} label=${t('account.reason')} ...${form.field('reason')} autocomplete="off" autofocus />
    <${Submit} state=${form} verb=${t(`account.${kind}`)} onCancel=${onClose} />
  </form><//>`;
}

function Aliases({ address }) {
  const list = useQuery(`aliases of ${address}`, (signal) =>
    get('/aliases', { signal, query: { member: address, limit: 20 } }),
  );
  const rows = list.data?.data ?? [];
  if (rows.length === 0) return null;
  return html`<section class="near"><h2>${t('account.aliases')}</h2>
    <ul class="links">${rows.map((alias) => html`<li key=${alias.address}>
      <a class="mono" href=${`/aliases/${segment(alias.address)}`}>${alias.address}</a></li>`)}</ul>
    ${list.data.next && html`<p><a
      href=${`/aliases?member=${encodeURIComponent(address)}`}>${t('account.all-aliases')}</a></p>`}</section>`;
}

function Suspended({ account, resume, now }) {
  const { suspended } = account;
  if (suspended === null) return null;
  const action =
    can('accounts:write') &&
    html`<button class="button" type="button" onClick=${resume}>${t('account.resume')}</button>`;
  return html`<${Notice} answer tone="fail" icon="fail" label=${t('account.what-happened')}
    lead=${t('account.suspended-since', { time: clock(suspended.at, { now }) })} actions=${action}>
    <p>${t('account.suspended-text')} ${byWhom(suspended)}</p><//>`;
}

/** Who stopped sending, when and why, and what to do about a stolen account. */
function Frozen({ account, actions, now }) {
  const { frozen } = account;
  const held = `/queue?state=held&account=${encodeURIComponent(account.address)}`;
  const queue = useQuery(frozen && can('queue:read') ? `held ${account.address}` : null, (signal) =>
    get('/queue/messages', { signal, query: { state: 'held', account: account.address, limit: 1, count: true } }),
  );
  if (frozen === null) return null;
  const n = queue.data?.count?.value;
  const unfreeze =
    can('accounts:write') &&
    html`<button class="button" type="button" onClick=${actions.unfreeze}>${t('account.unfreeze')}</button>`;
  return html`<${Notice} answer tone="held" icon="held" label=${t('account.what-happened')}
    lead=${t('account.frozen-since', { time: clock(frozen.at, { now }) })} actions=${unfreeze}>
    <p>${t('account.frozen-text')} ${byWhom(frozen)}</p>
    ${
      can('accounts:write') &&
      html`<ol class="next">
      <li>${t('account.step.sessions')} <button class="button" type="button" onClick=${actions.endSessions}>
        ${t('session.end-all')}</button></li>
      <li>${t('account.step.password')} <button class="button" type="button" onClick=${actions.makeLink}>
        ${t('account.link')}</button></li>
      ${can('queue:read') && n !== 0 && html`<li>${n === undefined ? t('account.step.queue') : t('account.step.held', { n })}${' '}
        <a class="button" href=${held}>${t('account.look')}</a></li>`}
    </ol>`
    }<//>`;
}

/** What is left of a deleted account. */
function Gone({ object, now }) {
  const { address, name, state, quota } = object.data;
  return html`<div class="near"><${Crumb} href="/accounts" text=${t('menu.accounts')}>${name}<//>
    <${Heading} title=${address} className="row"><span class="break">${address}</span> <${AccountState} state=${state} chip /><//>
    <${Deleted} object=${object} path=${`/accounts/${segment(address)}`} kind="account" name=${address} args=${{ address }}
      scope="accounts:write" home="/accounts" now=${now}>${t('account.purge-text', { n: quota.messages })}<//></div>`;
}

/** What can be done, each as {open, node}; `open` is the dialog's name. */
function useAccountActions(object) {
  const [dialog, setDialog] = useState(null);
  const close = () => setDialog(null);
  const account = object.data;
  const path = account && `/accounts/${segment(account.address)}`;
  const makeLink = async () => {
    try {
      setDialog({ link: await request('POST', `${path}/link`) });
    } catch {
      toast(t('account.no-link'));
    }
  };
  const attempt = (method, below, words) => async () => {
    try {
      await request(method, `${path}/${below}`);
      toast(words);
    } catch {
      toast(t('failure.refused'));
    }
    object.reload();
  };
  const unfreeze = attempt('DELETE', 'freeze', t('account.unfrozen', { address: account?.address }));
  const endSessions = attempt('DELETE', 'sessions', t('session.all-ended'));
  const resume = attempt('DELETE', 'suspend', t('account.resumed', { address: account?.address }));
  const remove = async () => {
    try {
      await request('DELETE', path, { version: account.version });
    } catch (error) {
      toast(problemText(error));
      object.reload();
      return;
    }
    const { address } = account;
    sayDeleted(t('account.deleted', { address }), path, t('account.restored', { address }));
    navigate('/accounts');
  };
  const node =
    dialog &&
    account &&
    (dialog.link
      ? html`<${LinkShown} address=${account.address} link=${dialog.link} onClose=${close} />`
      : {
          password: html`<${SetPassword} account=${account} onClose=${close} onDone=${object.reload} />`,
          suspend: html`<${TakeAway} kind="suspend" account=${account} object=${object} onClose=${close} />`,
          freeze: html`<${TakeAway} kind="freeze" account=${account} object=${object} onClose=${close} />`,
        }[dialog.name]);
  return { node, makeLink, resume, unfreeze, endSessions, remove, open: (name) => setDialog({ name }) };
}

export default function Account({ address }) {
  const object = useObject(`/accounts/${segment(address)}`);
  const stale = useStale(object);
  const actions = useAccountActions(object);
  const now = useNow();
  useKeys({ Escape: () => back('/accounts') });
  if (object.data === null) {
    return html`<${NoObject} object=${object} href="/accounts" crumb=${t('menu.accounts')} title=${address}
      unknown=${t('account.unknown')} unreadable=${t('account.unreadable')} />`;
  }
  const account = object.data;
  if (account.state === 'deleted') return html`<${Gone} object=${object} now=${now} />`;
  const items = [
    { word: t('account.set-password'), run: () => actions.open('password') },
    account.frozen === null && { word: t('account.freeze'), run: () => actions.open('freeze') },
    account.frozen !== null && { word: t('account.unfreeze'), run: actions.unfreeze },
    account.state !== 'suspended' && { word: t('account.suspend'), run: () => actions.open('suspend') },
    account.state === 'suspended' && { word: t('account.resume'), run: actions.resume },
    { word: t('account.delete'), run: actions.remove, danger: true },
  ];
  return html`
    <div class="near"><div class="head">
      <div><${Crumb} href="/accounts" text=${t('menu.accounts')}>${account.name}<//>
        <${Heading} title=${account.address} className="row">
          <span class="break">${account.address}</span> <${AccountState} state=${account.state} chip /><//></div>
      ${
        can('accounts:write') &&
        html`<div class="row"><button class=${`button${account.state === 'invited' ? ' is-primary' : ''}`} type="button"
          onClick=${actions.makeLink}>${t('account.link')}</button>
        <${More} label=${t('action.more')} items=${items} /></div>`
      }
    </div><${AccountTabs} base=${`/accounts/${segment(account.address)}`} tab="overview" />
      <${Suspended} account=${account} resume=${actions.resume} now=${now} />
      <${Frozen} account=${account} actions=${actions} now=${now} /></div>
    <div class="split">
      ${can('accounts:write') ? html`<${Edit} key=${stale.generation} object=${object} stale=${stale} />` : html`
        <div></div>`}
      <div class="stack">
        <section class="near"><h2>${t('account.facts')}</h2><${Facts}>
          <${Fact} name=${t('account.used')}><${Used} quota=${account.quota} />
            <span class="muted">${t('account.messages', { n: account.quota.messages })}</span><//>
          <${Fact} name=${t('account.sent')}><${Sent} account=${account} />
            <span class="muted"> ${t('account.sent-hour', { n: number(account.sent.last_hour) })}</span><//>
          <${Fact} name=${t('account.last-sign-in')}><${SignInTime} account=${account} now=${now} />
            ${account.last_sign_in?.ip && html`<br /><span class="mono muted">${account.last_sign_in.ip}</span>`}<//>
          <${Fact} name=${t('account.role')}>${t(`role.${account.role}`)}<//>
          <${Fact} name=${t('created')}>${day(account.created_at)}<//>
        <//></section>
        ${can('aliases:read') && html`<${Aliases} address=${account.address} />`}
        ${can('trace:read') && html`<p><a
          href=${`/trace?account=${encodeURIComponent(account.address)}`}>${t('account.traces')}</a></p>`}
      </div>
    </div>
    ${actions.node}`;
}
