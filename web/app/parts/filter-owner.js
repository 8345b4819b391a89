// Whose filters (Sieve scripts) a page is about: an account's, the caller's own, or an administrator's for a domain or all mail.
import { segment } from '/app/api.js';
import { html } from '/app/html.js';
import { needWords, t } from '/app/i18n.js';
import { AccountTabs } from '/app/parts/account.js';
import { DomainTabs } from '/app/parts/domain-tabs.js';
import { Crumb, Heading } from '/app/parts/page.js';
import { SettingsHead } from '/app/parts/settings-tabs.js';
import { can } from '/app/store.js';

await needWords('sieve');

/** Where an administrator's script stands: before or behind those of people, or where others name it. */
const PLACES = ['before', 'after', 'global', 'imap'];

/**
 * From the parameters of a page: {page, api: where the list is; change: may it be changed; places: null for a person's, which have
 * none; tab: what the list is called; lead}.
 */
export function ownerOf({ address, domain, server }) {
  if (server) {
    const page = '/settings/filters';
    const tab = t('settings.group.filters');
    return { server, page, api: '/filters', change: can('settings:write'), places: PLACES, tab, lead: t('sieve.what-server') };
  }
  if (domain !== undefined) {
    const page = `/domains/${segment(domain)}/filters`;
    const tab = t('domain.tab.filters');
    return { domain, page, api: page, change: can('domains:write'), places: PLACES, tab, lead: t('sieve.what-domain') };
  }
  const page = address === undefined ? '/me/filters' : `/accounts/${segment(address)}/filters`;
  const change = address === undefined || can('accounts:write');
  return { address, page, api: page, change, places: null, tab: t('account.tab.filters'), lead: t('sieve.what') };
}

/** What follows the list's path: of a row, or of a place and a name. */
export function pathOf(owner, { place, name }) {
  return owner.places === null ? `/${segment(name)}` : `/${segment(place)}/${segment(name)}`;
}

/** The head of the pages about them. */
export function FiltersHead({ owner, children }) {
  if (owner.server) return html`<${SettingsHead} group="filters" />${children}`;
  const own = owner.address === undefined && owner.domain === undefined;
  const title = own ? t('menu.me') : (owner.domain ?? owner.address);
  const list = owner.domain === undefined ? 'accounts' : 'domains';
  return html`<div class="near">
    ${!own && html`<${Crumb} href=${`/${list}`} text=${t(`menu.${list}`)} />`}
    <${Heading} title=${title}><span class="break">${title}</span><//>
    ${
      owner.domain === undefined
        ? html`<${AccountTabs} base=${owner.page.replace(/\/filters$/, '')} tab="filters" />`
        : html`<${DomainTabs} domain=${owner.domain} tab="filters" />`
    }${children}
  </div>`;
}
