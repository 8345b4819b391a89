// The own account: what it uses, and the ways to its pages.
import { get } from '/app/api.js';
import { html } from '/app/html.js';
import { t } from '/app/i18n.js';
import { AccountTabs, SignInTime, Used } from '/app/parts/account.js';
import { Fact, Facts, Failure, Heading } from '/app/parts/page.js';
import { useNow, useQuery } from '/app/query.js';

export default function Me() {
  const now = useNow();
  const me = useQuery('me', (signal) => get('/me', { signal }));
  const account = me.data;
  return html`<div class="near"><${Heading} title=${t('menu.me')} /><${AccountTabs} base="/me" tab="overview" /></div>
    ${me.error && html`<${Failure} error=${me.error} lead=${t('account.unreadable')} retry=${me.reload} />`}
    ${me.busy && !account && html`<div aria-busy="true"></div>`}
    ${
      account &&
      html`<section class="near"><h2>${t('account.facts')}</h2><${Facts}>
        <${Fact} name=${t('account.address')}><span class="mono">${account.address}</span><//>
        ${account.name && html`<${Fact} name=${t('account.name')}>${account.name}<//>`}
        <${Fact} name=${t('account.role')}>${t(`role.${account.role}`)}<//>
        <${Fact} name=${t('account.used')}><${Used} quota=${account.quota} /><//>
        <${Fact} name=${t('account.last-sign-in')}><${SignInTime} account=${account} now=${now} /><//>
      <//></section>
      <ul class="links">
        <li><a href="/me/devices?add">${t('me.connect')}</a></li>
        <li><a href="/me/security">${t('me.to-security')}</a></li>
      </ul>`
    }`;
}
