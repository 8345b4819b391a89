// The form of a new account: the person gets a link, or a password.
import { get, request, segment } from '/app/api.js';
import { html } from '/app/html.js';
import { t } from '/app/i18n.js';
import { Input, Password, Radios, Submit, useForm } from '/app/parts/form.js';
import { useQuery } from '/app/query.js';

/** onMade(account, link): link is null when a password was given. onCancel: none, no button for it. */
export function AddAccountForm({ onCancel, onMade }) {
  const domains = useQuery('domains', (signal) =>
    get('/domains', { signal, query: { kind: 'local', state: 'active', limit: 200 } }).catch(() => ({ data: [] })),
  );
  const form = useForm({
    initial: { address: '', name: '', how: 'link', password: '' },
    save: async ({ address, name, how, password }) => {
      const body = { name: name.trim(), ...(how === 'password' ? { password } : {}) };
      const path = `/accounts/${segment(address.trim())}`;
      const account = await request('PUT', path, { body, create: true });
      const link = how === 'link' ? await request('POST', `/accounts/${segment(account.address)}/link`) : null;
      onMade(account, link);
    },
    places: { address: 'address', '/name': 'name', '/password': 'password' },
  });
  const explain = (error) => (error.kind === 'exists' ? t('accounts.exists') : null);
  const known = (domains.data?.data ?? []).filter(({ name }) => name !== 'localhost');
  const local = form.values.address.split('@')[0];
  return html`<form class="near" ...${form.form}>
    <${Input} label=${t('account.address')} ...${form.field('address')} mono list="known-domains"
      placeholder=${`ana@${known[0]?.name ?? 'example.org'}`}
      inputmode="email" autocapitalize="none" autocomplete="off" spellcheck=${false} required autofocus=${onCancel !== undefined} />
    <datalist id="known-domains">${local !== '' && known.map((domain) => html`
      <option key=${domain.name} value=${`${local}@${domain.name}`} />`)}</datalist>
    <${Input} label=${t('account.name')} ...${form.field('name')} autocomplete="off" />
    <${Radios} label=${t('accounts.how')} ...${form.field('how')} options=${[
      ['link', t('accounts.how-link')],
      ['password', t('accounts.how-password')],
    ]} />
    ${form.values.how === 'password' && html`<${Password} label=${t('sign-in.password')} hint=${t('password.rule')}
      ...${form.field('password')} autocomplete="new-password" />`}
    <${Submit} state=${form} verb=${t('accounts.add')} onCancel=${onCancel} explain=${explain} />
  </form>`;
}
