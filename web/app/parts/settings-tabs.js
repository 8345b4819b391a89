// The groups of settings, as tabs; tokens and the log of writes are among them.
import { html } from '/app/html.js';
import { needWords, t } from '/app/i18n.js';
import { Heading } from '/app/parts/page.js';
import { can } from '/app/store.js';

await needWords('settings');

export const GROUPS = ['server', 'smtp', 'auth', 'queue', 'quota', 'trace', 'accounts', 'relay'];

export function SettingsHead({ group }) {
  const groups = [...GROUPS, 'filters', can('tokens:read') && 'tokens', can('audit:read') && 'audit'].filter(Boolean);
  return html`<div class="near"><${Heading} title=${t('menu.settings')} />
    <nav class="tabs" aria-label=${t('menu.settings')}>
      ${groups.map((name) => html`<a key=${name} href=${`/settings/${name}`}
        aria-current=${name === group ? 'page' : undefined}>${t(`settings.group.${name}`)}</a>`)}
    </nav></div>`;
}
