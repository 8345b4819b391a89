// One domain: what it is, what DNS needs, its settings, and its end.
import { useState } from 'preact/hooks';
import { request, segment } from '/app/api.js';
import { html } from '/app/html.js';
import { day, LANGUAGES, needWords, number, t } from '/app/i18n.js';
import { LIMITS_PLACES, LimitFields, limitsBody, limitsText, quotaBody, quotaText, Used } from '/app/parts/account.js';
import { Deleted, sayDeleted } from '/app/parts/deleted.js';
import { Confirm } from '/app/parts/dialog.js';
import { Dns } from '/app/parts/dns.js';
import { DomainTabs } from '/app/parts/domain-tabs.js';
import { Input, Select, Submit, useForm } from '/app/parts/form.js';
import { DomainState } from '/app/parts/icon.js';
import { NoObject, useObject, useStale } from '/app/parts/object.js';
import { Crumb, Fact, Facts, Heading } from '/app/parts/page.js';
import { toast } from '/app/parts/toast.js';
import { back, navigate } from '/app/router.js';
import { useKeys } from '/app/keys.js';
import { can } from '/app/store.js';

await needWords('domain');

function Edit({ object, stale }) {
  const domain = object.data;
  const form = useForm({
    initial: {
      state: domain.state,
      language: domain.language ?? '',
      route: domain.route ?? '',
      quota: quotaText(domain.quota),
      ...limitsText(domain.limits),
    },
    save: async ({ state, language, route, quota, ...limits }) => {
      const body = { state, language: language || null };
      if (domain.kind === 'relay') body.route = route.trim() || null;
      else Object.assign(body, { quota: quotaBody(quota), limits: limitsBody(limits) });
      await object.patch(body);
      toast(t('saved'));
    },
    places: { '/state': 'state', '/language': 'language', '/route': 'route', '/quota/limit': 'quota', ...LIMITS_PLACES },
  });
  const states = ['active', 'disabled'].map((state) => [state, t(`domain.state.${state}.long`)]);
  const languages = [['', t('language.server')], ...Object.entries(LANGUAGES)];
  return html`<section class="near"><h2>${t('domain.settings')}</h2><form class="near form" ...${form.form}>
    <${Select} label=${t('queue.state')} ...${form.field('state')} options=${states} />
    <${Select} label=${t('domain.language')} hint=${t('domain.language-hint')} ...${form.field('language')}
      options=${languages} />
    ${domain.kind === 'relay' && html`<${Input} label=${t('domain.route')} hint=${t('domain.route-hint')}
      ...${form.field('route')} mono autocomplete="off" spellcheck=${false} />`}
    ${domain.kind === 'local' && html`<${Input} label=${t('account.quota')} hint=${t('domain.quota-hint')}
      ...${form.field('quota')} inputmode="decimal" autocomplete="off" />
      <${LimitFields} form=${form} hint=${t('domain.limit-hint')} />`}
    <${Submit} state=${form} verb=${t('action.save')} explain=${stale.explain} />${stale.offer(form.failure)}
  </form></section>`;
}

function Remove({ domain }) {
  const [asking, setAsking] = useState(false);
  const full = domain.accounts + domain.aliases > 0;
  const what = full
    ? t('domain.delete-full', { accounts: domain.accounts, aliases: domain.aliases })
    : t('domain.delete-empty');
  const run = async () => {
    await request('DELETE', `/domains/${segment(domain.name)}`, {
      version: domain.version,
      query: full ? { force: true } : {},
    });
    const { name } = domain;
    sayDeleted(t('domain.deleted', { name }), `/domains/${segment(name)}`, t('domain.restored', { name }));
    navigate('/domains');
  };
  return html`<section class="near"><h2>${t('danger.title')}</h2>
    <p class="muted">${what}</p>
    <p><button class="button is-danger" type="button" onClick=${() => setAsking(true)}>${t('domain.delete')}</button></p>
    ${
      asking &&
      html`<${Confirm} title=${t('domain.delete-title', { name: domain.name })} verb=${t('domain.delete')} danger
        type=${full ? domain.name : null}
      run=${run} onClose=${() => setAsking(false)}>
      <p>${what} ${t('domain.delete-kept')}</p><//>`
    }
  </section>`;
}

/** What is left of a deleted domain. */
function Gone({ object }) {
  const { name, state } = object.data;
  return html`<div class="near"><${Crumb} href="/domains" text=${t('menu.domains')} />
    <${Heading} title=${name} className="row"><span class="break">${name}</span> <${DomainState} state=${state} chip /><//>
    <${Deleted} object=${object} path=${`/domains/${segment(name)}`} kind="domain" name=${name} args=${{ name }}
      scope="domains:write" home="/domains">${t('domain.purge-text')}<//></div>`;
}

export default function Domain({ domain: name }) {
  const object = useObject(`/domains/${segment(name)}`);
  const stale = useStale(object);
  useKeys({ Escape: () => back('/domains') });
  if (object.data === null) {
    return html`<${NoObject} object=${object} href="/domains" crumb=${t('menu.domains')} title=${name}
      unknown=${t('domain.unknown')} unreadable=${t('domain.unreadable')} />`;
  }
  const domain = object.data;
  if (domain.state === 'deleted') return html`<${Gone} object=${object} />`;
  const to = (path) => `${path}?domain=${encodeURIComponent(domain.name)}`;
  return html`
    <div><${Crumb} href="/domains" text=${t('menu.domains')} />
      <${Heading} title=${domain.name} className="row"><span
        class="break">${domain.name}</span>${domain.state !== 'active' && html`
        <${DomainState} state=${domain.state} chip />`}<//></div>
    <${DomainTabs} domain=${domain.name} tab="overview" />
    <div class="split">
      <div class="stack"><${Dns} domain=${domain} />
        ${can('domains:write') && html`<${Edit} key=${stale.generation} object=${object} stale=${stale} />
          <${Remove} domain=${domain} />`}</div>
      <section class="near"><h2>${t('domain.facts')}</h2><${Facts}>
        <${Fact} name=${t('domain.kind')}>${t(`domain.kind.${domain.kind}`)}<//>
        ${domain.kind === 'relay' && html`<${Fact} name=${t('domain.route')}>${domain.route ? html`
          <span class="mono">${domain.route}</span>` : t('domain.by-mx')}<//>`}
        ${
          domain.kind === 'local' &&
          html`<${Fact} name=${t('menu.accounts')}><a href=${to('/accounts')}>${number(domain.accounts)}</a><//>
          <${Fact} name=${t('menu.aliases')}><a href=${to('/aliases')}>${number(domain.aliases)}</a><//>
          ${domain.quota.limit !== null && html`<${Fact} name=${t('account.used')}><${Used} quota=${domain.quota} /><//>`}`
        }
        <${Fact} name=${t('created')}>${day(domain.created_at)}<//>
      <//></section>
    </div>`;
}
