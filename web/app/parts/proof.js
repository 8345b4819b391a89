// Asks for the password again before what cannot be taken back. Loaded when it is needed.
import { useState } from 'preact/hooks';
import { prove } from '/app/api.js';
import { html } from '/app/html.js';
import { t } from '/app/i18n.js';
import { Dialog } from '/app/parts/dialog.js';
import { Input, Password, Submit, useForm } from '/app/parts/form.js';
import { store } from '/app/store.js';

export default function Proof({ account, answer }) {
  const [code, setCode] = useState(false); // a code is asked for, too
  const close = (proven) => {
    store.set({ proof: null });
    answer(proven);
  };
  const form = useForm({
    initial: { password: '', code: '' },
    save: async (values) => {
      try {
        await prove(values.password, values.code.trim());
      } catch (error) {
        if (error.fields['/code'] === undefined) throw error;
        const first = !code;
        setCode(true);
        if (!first) throw error;
        return;
      }
      close(true);
    },
    places: { '/password': 'password', '/code': 'code' },
  });
  const explain = (error) => (error.kind === 'rate-limited' ? t('sign-in.too-often', { n: error.problem.retry_after ?? 60 }) : null);
  return html`<${Dialog} title=${t('proof.title')} onClose=${() => close(false)}><form class="near" ...${form.form}>
    <p>${t('proof.text')}</p>
    <input type="text" value=${account?.address} autocomplete="username" readonly hidden />
    <${Password} label=${t('sign-in.password')} ...${form.field('password')} autocomplete="current-password" autofocus />
    ${
      code &&
      html`<${Input} label=${t('sign-in.code')} hint=${t('sign-in.code-hint')} ...${form.field('code')}
        autocomplete="one-time-code" autocapitalize="none" spellcheck=${false} autofocus />`
    }
    <${Submit} state=${form} verb=${t('action.go-on')} onCancel=${() => close(false)} explain=${explain} />
  </form><//>`;
}
