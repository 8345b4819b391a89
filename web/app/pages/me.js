// The own account: what it uses, and the password.
import { get, request } from '/app/api.js';
import { html } from '/app/html.js';
import { t } from '/app/i18n.js';
import { AccountTabs, SignInTime, Used } from '/app/parts/account.js';
import { Password, Submit, useForm } from '/app/parts/form.js';
import { Fact, Facts, Failure, Heading } from '/app/parts/page.js';
import { toast } from '/app/parts/toast.js';
import { useNow, useQuery } from '/app/query.js';

function ChangePassword({ address }) {
  const form = useForm({
    initial: { current: '', password: '' },
    save: async ({ current, password }) => {
      await request('PUT', '/me/password', { body: { current, password } });
      form.set('current', '');
      form.set('password', '');
      toast(t('me.password-changed'));
    },
    places: { '/current': 'current', '/password': 'password' },
  });
  return html`<section class="near"><h2>${t('me.password')}</h2><p class="muted">${t('me.password-text')}</p>
    <form class="near form" ...${form.form}>
      <input type="text" value=${address} autocomplete="username" readonly hidden />
      <${Password} label=${t('me.current')} ...${form.field('current')} autocomplete="current-password" />
      <${Password} label=${t('new-password.label')} hint=${t('password.rule')} ...${form.field('password')}
        autocomplete="new-password" />
      <${Submit} state=${form} verb=${t('me.change-password')} />
    </form></section>`;
}

export default function Me() {
  const now = useNow();
  const me = useQuery('me', (signal) => get('/me', { signal }));
  const account = me.data;
  return html`<div class="near"><${Heading} title=${t('menu.me')} /><${AccountTabs} base="/me" tab="overview" /></div>
    ${me.error && html`<${Failure} error=${me.error} lead=${t('account.unreadable')} retry=${me.reload} />`}
    ${me.busy && !account && html`<div aria-busy="true"></div>`}
    ${
      account &&
      html`<div class="split"><${ChangePassword} address=${account.address} />
      <section class="near"><h2>${t('account.facts')}</h2><${Facts}>
        <${Fact} name=${t('account.address')}><span class="mono">${account.address}</span><//>
        ${account.name && html`<${Fact} name=${t('account.name')}>${account.name}<//>`}
        <${Fact} name=${t('account.role')}>${t(`role.${account.role}`)}<//>
        <${Fact} name=${t('account.used')}><${Used} quota=${account.quota} /><//>
        <${Fact} name=${t('account.last-sign-in')}><${SignInTime} account=${account} now=${now} /><//>
      <//></section></div>`
    }`;
}
