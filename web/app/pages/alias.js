// One alias: its members, and its end.
import { useState } from 'preact/hooks';
import { request, segment } from '/app/api.js';
import { html } from '/app/html.js';
import { day, t } from '/app/i18n.js';
import { useKeys } from '/app/keys.js';
import { membersOf } from '/app/pages/aliases.js';
import { Confirm } from '/app/parts/dialog.js';
import { Select, Submit, TextArea, useForm } from '/app/parts/form.js';
import { NoObject, useObject, useStale } from '/app/parts/object.js';
import { Crumb, Fact, Facts, Heading } from '/app/parts/page.js';
import { toast } from '/app/parts/toast.js';
import { back, navigate } from '/app/router.js';
import { can } from '/app/store.js';

function Edit({ object, stale }) {
  const form = useForm({
    initial: {
      members: object.data.members.join('\n'),
      senders: object.data.who_may_send,
      allowed: object.data.allowed_senders.join('\n'),
      state: object.data.state,
    },
    save: async ({ members, senders, allowed, state }) => {
      await object.patch({
        members: membersOf(members),
        who_may_send: senders,
        allowed_senders: senders === 'list' ? membersOf(allowed) : [],
        state,
      });
      toast(t('saved'));
    },
    places: { '/members': 'members', '/allowed_senders': 'allowed' },
  });
  const senders = ['anyone', 'domain', 'members', 'list'].map((one) => [one, t(`alias.senders-${one}`)]);
  const rows = Math.min(12, Math.max(3, form.values.members.split('\n').length + 1));
  return html`<form class="near form" ...${form.form}>
    <${TextArea} label=${t('alias.members')} hint=${t('alias.members-hint')} ...${form.field('members')} rows=${rows} />
    <${Select} label=${t('alias.senders')} ...${form.field('senders')} options=${senders} />
    ${
      form.values.senders === 'list' &&
      html`<${TextArea} label=${t('alias.allowed')} hint=${t('alias.allowed-hint')} ...${form.field('allowed')} rows="4" />`
    }
    <${Select} label=${t('alias.state')} ...${form.field('state')}
      options=${[['active', t('alias.active')], ['disabled', t('alias.disabled')]]} />
    <${Submit} state=${form} verb=${t('action.save')} explain=${stale.explain} />${stale.offer(form.failure)}
  </form>`;
}

function Remove({ alias }) {
  const [asking, setAsking] = useState(false);
  const run = async () => {
    await request('DELETE', `/aliases/${segment(alias.address)}`, { version: alias.version });
    toast(t('alias.deleted', { address: alias.address }));
    navigate('/aliases');
  };
  return html`<section class="near"><h2>${t('danger.title')}</h2><p class="muted">${t('alias.delete-text')}</p>
    <p><button class="button is-danger" type="button" onClick=${() => setAsking(true)}>${t('alias.delete')}</button></p>
    ${
      asking &&
      html`<${Confirm} title=${t('alias.delete-title', { address: alias.address })} verb=${t('alias.delete')} danger
        run=${run} onClose=${() => setAsking(false)}>
      <p>${t('alias.delete-text')}</p><//>`
    }</section>`;
}

export default function Alias({ address }) {
  const object = useObject(`/aliases/${segment(address)}`);
  const stale = useStale(object);
  useKeys({ Escape: () => back('/aliases') });
  if (object.data === null) {
    return html`<${NoObject} object=${object} href="/aliases" crumb=${t('menu.aliases')} title=${address}
      unknown=${t('alias.unknown')} unreadable=${t('alias.unreadable')} />`;
  }
  const alias = object.data;
  return html`
    <div><${Crumb} href="/aliases" text=${t('menu.aliases')} /><${Heading} title=${alias.address}>
      <span class="break">${alias.address}</span><//></div>
    <div class="split">
      <div class="stack">${
        can('aliases:write')
          ? html`<${Edit} key=${stale.generation} object=${object} stale=${stale} /><${Remove} alias=${alias} />`
          : html`<ul class="mono">${alias.members.map((member) => html`<li key=${member}>${member}</li>`)}</ul>`
      }</div>
      <section class="near"><h2>${t('alias.facts')}</h2><${Facts}>
        <${Fact} name=${t('alias.count')}>${alias.members.length}<//>
          <${Fact} name=${t('created')}>${day(alias.created_at)}<//><//></section>
    </div>`;
}
