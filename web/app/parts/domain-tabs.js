// The pages of one domain.
import { segment } from '/app/api.js';
import { html } from '/app/html.js';
import { t } from '/app/i18n.js';

const TABS = ['overview', 'filters', 'admins'];

export function DomainTabs({ domain, tab }) {
  const base = `/domains/${segment(domain)}`;
  return html`<nav class="tabs" aria-label=${t('domain.tabs')}>
    ${TABS.map((name) => html`<a key=${name} href=${name === 'overview' ? base : `${base}/${name}`}
      aria-current=${name === tab ? 'page' : undefined}>${t(`domain.tab.${name}`)}</a>`)}
  </nav>`;
}
