// How the own account is kept: the password, and the second step of signing in.
import { useState } from 'preact/hooks';
import { get, request } from '/app/api.js';
import { html } from '/app/html.js';
import { day, needWords, t } from '/app/i18n.js';
import { AccountTabs } from '/app/parts/account.js';
import { Copy } from '/app/parts/copy.js';
import { Confirm, Dialog } from '/app/parts/dialog.js';
import { Input, Password, Submit, useForm } from '/app/parts/form.js';
import { State } from '/app/parts/icon.js';
import { Failure, Heading } from '/app/parts/page.js';
import { Qr } from '/app/parts/qr.js';
import { toast } from '/app/parts/toast.js';
import { useQuery } from '/app/query.js';
import { useStore } from '/app/store.js';

await needWords('totp');

const FEW = 3; // recovery codes

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

/** Shown once, when it was turned on. */
function RecoveryCodes({ codes, onClose }) {
  return html`<${Dialog} title=${t('totp.codes-title')} onClose=${onClose}>
    <p>${t('totp.codes-text')}</p>
    <ul class="secret codes">${codes.map((code) => html`<li key=${code}><code>${code}</code></li>`)}</ul>
    <div class="row"><${Copy} text=${codes.join('\n')} word=${t('totp.copy-codes')} className="is-primary" />
      <button class="button" type="button" onClick=${onClose}>${t('totp.have-codes')}</button></div><//>`;
}

/** found: {secret, uri} */
function SetUp({ found, onClose, onDone }) {
  const form = useForm({
    initial: { code: '' },
    save: async ({ code }) => onDone((await request('PUT', '/me/totp', { body: { code: code.trim() } })).recovery_codes),
    places: { '/code': 'code' },
  });
  return html`<${Dialog} title=${t('totp.set-up')} onClose=${onClose}><form class="near" ...${form.form}>
    <p>${t('totp.scan')}</p>
    <${Qr} text=${found.uri} label=${t('totp.qr')} />
    <p class="small">${t('totp.by-hand')} <code class="break">${found.secret.replace(/.{4}(?=.)/g, '$& ')}</code></p>
    <${Input} label=${t('totp.code')} hint=${t('totp.code-hint')} ...${form.field('code')} inputmode="numeric"
      autocomplete="one-time-code" autofocus />
    <${Submit} state=${form} verb=${t('totp.turn-on')} onCancel=${onClose} />
  </form><//>`;
}

function TwoStep() {
  const query = useQuery('/me/totp', (signal) => get('/me/totp', { signal }));
  const [dialog, setDialog] = useState(null);
  const close = () => setDialog(null);
  const state = query.data;
  const begin = async () => {
    try {
      setDialog({ found: await request('POST', '/me/totp') });
    } catch (error) {
      if (error.kind !== 'reauthentication-required') toast(t('failure.refused'));
    }
  };
  const turnedOn = (codes) => {
    setDialog({ codes });
    query.reload();
  };
  const turnOff = async () => {
    await request('DELETE', '/me/totp');
    toast(t('totp.turned-off'));
    query.reload();
  };
  const few = state?.enabled && state.recovery_codes_left <= FEW;
  return html`<section class="near"><h2>${t('totp.title')}</h2>
    ${query.error && html`<${Failure} error=${query.error} lead=${t('totp.unreadable')} retry=${query.reload} />`}
    ${
      state &&
      html`<p>${
        state.enabled
          ? html`<${State} tone="ok" icon="ok">${t('totp.on', { day: day(state.since) })}<//>`
          : html`<${State} tone="plain" icon="dot">${t('totp.off')}<//>`
      }</p>
      <p class="muted">${t(state.enabled ? 'totp.on-text' : 'totp.text')}</p>
      ${state.enabled && html`<p>${few ? html`<b>${t('totp.left', { n: state.recovery_codes_left })}</b>` : t('totp.left', { n: state.recovery_codes_left })}</p>`}
      <div class="row">${
        state.enabled
          ? html`<button class="button" type="button" onClick=${() => setDialog({ off: true })}>${t('totp.turn-off')}</button>`
          : html`<button class="button is-primary" type="button" onClick=${begin}>${t('totp.set-up')}</button>`
      }</div>`
    }
    ${dialog?.found && html`<${SetUp} found=${dialog.found} onClose=${close} onDone=${turnedOn} />`}
    ${dialog?.codes && html`<${RecoveryCodes} codes=${dialog.codes} onClose=${close} />`}
    ${
      dialog?.off &&
      html`<${Confirm} title=${t('totp.off-title')} verb=${t('totp.turn-off')} danger run=${turnOff} onClose=${close}>
      <p>${t('totp.off-text')}</p><//>`
    }
  </section>`;
}

export default function Security() {
  const address = useStore((s) => s.session?.account?.address);
  return html`<div class="near"><${Heading} title=${t('menu.security')} /><${AccountTabs} base="/me" tab="security" /></div>
    <div class="halves"><${ChangePassword} address=${address} /><${TwoStep} /></div>`;
}
