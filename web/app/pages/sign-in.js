// Signing in: password, code, one-time link, and the password that a set-up or reset link asks for.
import { useEffect, useState } from 'preact/hooks';
import { get, readSession, redeemLink, request, signIn, signInCode } from '/app/api.js';
import { html } from '/app/html.js';
import { LANGUAGES, t } from '/app/i18n.js';
import { Input, Password, Submit, useForm } from '/app/parts/form.js';
import { Heading } from '/app/parts/page.js';
import { setLanguage } from '/app/parts/shell.js';
import { toast, Toasts } from '/app/parts/toast.js';
import { navigate } from '/app/router.js';
import { store, useStore } from '/app/store.js';

function explainSignIn(error) {
  if (error.kind === 'wrong-credentials') return t('sign-in.wrong');
  if (error.kind === 'wrong-code') return t('sign-in.wrong-code');
  if (error.kind === 'rate-limited') return t('sign-in.too-often', { n: error.problem.retry_after ?? 60 });
  return t('sign-in.failed');
}

function PasswordForm({ hostname, onCode }) {
  const form = useForm({
    initial: { address: '', password: '' },
    save: async ({ address, password }) => {
      if ((await signIn(address.trim(), password)) === null) onCode();
    },
    places: { '/address': 'address', '/password': 'password' },
  });
  return html`<${Heading} title=${t('sign-in.title', { host: hostname })} />
    <form ...${form.form}>
      <${Input} label=${t('sign-in.address')} ...${form.field('address')} type="text" inputmode="email"
        autocomplete="username"
        autocapitalize="none" spellcheck=${false} required autofocus />
      <${Password} label=${t('sign-in.password')} ...${form.field('password')} autocomplete="current-password" required />
      <${SignInFailure} error=${form.failure} />
      <button class="button is-primary is-full" disabled=${form.busy}>${t('sign-in.verb')}</button>
    </form>
    <p class="muted">${t('sign-in.forgotten')}</p>`;
}

/** The second step; when it is over by tries or time, the first one again. */
function CodeForm({ giveUp }) {
  const form = useForm({
    initial: { code: '' },
    save: async ({ code }) => {
      try {
        await signInCode(code);
      } catch (error) {
        if (error.kind !== 'unauthenticated') throw error;
        toast(t('sign-in.begin-again'));
        giveUp();
      }
    },
    places: { '/code': 'code' },
  });
  return html`<${Heading} title=${t('sign-in.code-title')} />
    <p>${t('sign-in.code-text')}</p>
    <form ...${form.form}>
      <${Input} label=${t('sign-in.code')} hint=${t('sign-in.code-hint')} ...${form.field('code')}
        autocomplete="one-time-code" autocapitalize="none" spellcheck=${false} required autofocus />
      <${SignInFailure} error=${form.failure} />
      <button class="button is-primary is-full" disabled=${form.busy}>${t('sign-in.verb')}</button>
    </form>
    <p><button class="button is-quiet is-flush" type="button" onClick=${giveUp}>${t('sign-in.other')}</button></p>`;
}

function SignInFailure({ error }) {
  return html`<p class="error" role="alert">${error && explainSignIn(error)}</p>`;
}

function LinkForm({ token, hostname, giveUp, onCode }) {
  const form = useForm({
    initial: {},
    save: async () => {
      if ((await redeemLink(token)) === null) onCode();
      giveUp();
    },
  });
  const used = form.error?.kind === 'link-used';
  return html`<${Heading} title=${t('link.title', { host: hostname })} />
    <p>${t(used ? 'link.used' : 'link.text')}</p>
    <form ...${form.form}>
      ${
        !used &&
        html`<${SignInFailure} error=${form.failure} />
        <button class="button is-primary is-full" disabled=${form.busy} autofocus>${t('link.verb')}</button>`
      }
    </form>
    <p><button class=${`button ${used ? 'is-full' : 'is-quiet is-flush'}`} type="button"
      onClick=${giveUp}>${t('link.password-instead')}</button></p>`;
}

/** Whether this is the first administrator of an empty server, who begins with the first steps. */
async function isFirst() {
  const { checklist } = await get('/status').catch(() => ({})); // others may not read it
  return checklist?.some(({ id, done }) => ['domain', 'account'].includes(id) && !done) ?? false;
}

function NewPassword() {
  const address = useStore((s) => s.session?.account?.address);
  const form = useForm({
    initial: { password: '' },
    save: async ({ password }) => {
      await request('PUT', '/me/password', { body: { password } });
      if (await isFirst()) navigate('/sign-in?to=/welcome', { replace: true });
      await readSession();
    },
    places: { '/password': 'password' },
  });
  return html`<${Heading} title=${t('new-password.title')} />
    <p>${t('new-password.for')} <b class="mono">${address}</b></p>
    <form ...${form.form}>
      <input type="text" name="address" value=${address} autocomplete="username" readonly hidden />
      <${Password} label=${t('new-password.label')} hint=${t('password.rule')} ...${form.field('password')}
        autocomplete="new-password" required autofocus />
      <${Submit} state=${form} verb=${t('new-password.verb')} />
    </form>`;
}

function LanguageLinks() {
  const language = useStore((s) => s.language);
  return html`<p class="row small">${Object.entries(LANGUAGES)
    .filter(([code]) => code !== language)
    .map(
      ([code, name]) =>
        html`<button class="button is-quiet is-flush" type="button" key=${code} lang=${code}
          onClick=${() => setLanguage(code)}>${name}</button>`,
    )}</p>`;
}

export default function SignIn({ hostname }) {
  const token = useStore((s) => s.linkToken);
  const host = hostname ?? location.hostname;
  const forget = () => store.set({ linkToken: null });
  const mustSet = useStore((s) => s.session?.password_required ?? false);
  const [code, setCode] = useState(false);
  const onCode = () => setCode(true);
  useEffect(() => {
    document.querySelector('main [autofocus]')?.focus(); // the browser does so for the first form alone
  }, [token, code, mustSet]);
  let form = html`<${PasswordForm} hostname=${host} onCode=${onCode} />`;
  if (token !== null) form = html`<${LinkForm} token=${token} hostname=${host} giveUp=${forget} onCode=${onCode} />`;
  else if (code && !mustSet) form = html`<${CodeForm} giveUp=${() => setCode(false)} />`;
  else if (mustSet) form = html`<${NewPassword} />`;
  return html`<main id="main"><div class="gate"><p class="brand">Correio</p>${form}<${LanguageLinks} /></div><${Toasts} /></main>`;
}
