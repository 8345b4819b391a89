// Beside the list of accounts: the way to the import, and the export of what the list shows.
import { useState } from 'preact/hooks';
import { request } from '/app/api.js';
import { html } from '/app/html.js';
import { t } from '/app/i18n.js';
import { problemText } from '/app/parts/page.js';
import { save } from '/app/parts/save.js';
import { toast } from '/app/parts/toast.js';
import { can } from '/app/store.js';

/** filter: as the list has it, {name: values}. Deleted accounts are in no export. */
export function FileButtons({ filter }) {
  const [busy, setBusy] = useState(false);
  const { q, state, ...lists } = filter;
  const body = { ...lists, ...(q && { q: q[0] }), ...(state && { state: state.filter((one) => one !== 'deleted') }) };
  const nothing = body.state?.length === 0; // the list shows deleted ones alone
  const run = async () => {
    setBusy(true);
    try {
      save('accounts.csv', 'text/csv', await request('POST', '/export', { body, accept: 'text/csv' }));
    } catch (error) {
      toast(problemText(error));
    }
    setBusy(false);
  };
  return html`${can('accounts:write') && html`<a class="button" href="/accounts/import">${t('accounts.import')}</a>`}
    ${!nothing && html`<button class="button" type="button" disabled=${busy} onClick=${run}>${t('accounts.export')}</button>`}`;
}
