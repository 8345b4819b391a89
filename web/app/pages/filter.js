// One filter: its rules or its text, whether it is active, a trial of what is written, and its end.
import { useMemo, useState } from 'preact/hooks';
import { request } from '/app/api.js';
import { html } from '/app/html.js';
import { needWords, t } from '/app/i18n.js';
import { useKeys } from '/app/keys.js';
import { ActiveState, runs } from '/app/pages/filters.js';
import { Code, inCharacters } from '/app/parts/code.js';
import { Confirm, Dialog } from '/app/parts/dialog.js';
import { FiltersHead, ownerOf, pathOf } from '/app/parts/filter-owner.js';
import { Input, Submit, useForm } from '/app/parts/form.js';
import { More } from '/app/parts/menu.js';
import { NoObject, useObject, useStale } from '/app/parts/object.js';
import { Crumb } from '/app/parts/page.js';
import { RulesForm } from '/app/parts/rules.js';
import { toast } from '/app/parts/toast.js';
import { placeText, Trial } from '/app/parts/trial.js';
import { back, navigate } from '/app/router.js';
import { parse } from '/app/sieve-rules.js';

await needWords('trial');
await needWords('sieve');
await needWords('rules');

function Rename({ object, owner, onClose }) {
  const form = useForm({
    initial: { name: object.data.name },
    save: async ({ name }) => {
      const fresh = await object.patch({ name: name.trim() });
      toast(t('saved'));
      navigate(owner.page + pathOf(owner, fresh), { replace: true });
    },
    places: { '/name': 'name' },
  });
  const explain = (error) =>
    ({ exists: t('sieve.exists'), stale: t('stale.object') })[error.kind] ?? null;
  return html`<${Dialog} title=${t('sieve.rename')} onClose=${onClose}><form class="near" ...${form.form}>
    <${Input} label=${t('sieve.name')} ...${form.field('name')} maxlength="128" required autocomplete="off" autofocus />
    <${Submit} state=${form} verb=${t('sieve.rename')} onCancel=${onClose} explain=${explain} />
  </form><//>`;
}

/** isForm: the stored script can also be a form, at the same URL without ?text. */
function Edit({ object, stale, url, owner, isForm }) {
  const filter = object.data;
  const form = useForm({
    initial: { script: filter.script.replaceAll('\r\n', '\n') },
    save: async ({ script }) => {
      object.put(await request('PUT', url, { body: { script }, version: filter.version }));
      toast(t('saved'));
    },
    places: { '/script': 'script' },
  });
  const refused = form.error?.fields?.['/script'];
  // The text of then: typing on must not move the error, or the cursor to it.
  const at = useMemo(() => (refused?.line ? inCharacters(form.values.script, refused) : null), [refused]);
  const error = at ? placeText(at) : form.errors.script;
  const toForm = !form.changed && html` <a href=${owner.page + pathOf(owner, filter)}>${t('rules.as-form')}</a>`;
  const lead = owner.places !== null ? owner.lead : t(isForm ? 'rules.from-form' : 'rules.by-hand');
  return html`<p class="muted">${lead}${isForm && toForm}</p>
    <form class="near" ...${form.form}>
      <${Code} label=${t('sieve.script')} hint=${t(owner.places === null ? 'sieve.script-hint' : 'sieve.script-checked')} ...${form.field('script')} error=${error}
        at=${at} rows=${18} readonly=${!owner.change} />
      ${owner.change && html`<${Submit} state=${form} verb=${t('action.save')} explain=${stale.explain} />
        ${stale.offer(form.failure)}`}
    </form>
    ${owner.places === null && html`<${Trial} path=${owner.api} script=${form.values.script} lead=${t('trial.one')} />`}`;
}

export default function Filter({ place, name, query, ...params }) {
  const owner = ownerOf(params);
  const path = pathOf(owner, { place, name });
  const url = owner.api + path;
  const object = useObject(url);
  const stale = useStale(object);
  const [dialog, setDialog] = useState(null);
  useKeys({ Escape: () => back(owner.page) });
  const script = object.data?.script ?? '';
  const model = useMemo(() => (owner.places === null ? parse(script) : null), [script]);
  if (object.data === null) {
    return html`<${NoObject} object=${object} href=${owner.page} crumb=${owner.tab} title=${name}
      unknown=${t('sieve.unknown')} unreadable=${t('sieve.unreadable')} />`;
  }
  const filter = object.data;
  const close = () => setDialog(null);
  const toggle = async () => {
    try {
      await object.patch({ active: !filter.active });
      toast(t(filter.active ? 'sieve.deactivated' : 'sieve.activated', { name: filter.name }));
    } catch (error) {
      toast(t(error.kind === 'stale' ? 'stale.object' : 'failure.refused'));
      object.reload();
    }
  };
  const remove = async () => {
    await request('DELETE', url, { version: filter.version });
    toast(t('sieve.deleted', { name: filter.name }));
    navigate(owner.page);
  };
  const items = [
    { word: t('sieve.rename'), run: () => setDialog('rename') },
    { word: t('sieve.delete'), run: () => setDialog('delete'), danger: true },
  ];
  return html`<${FiltersHead} owner=${owner} />
    <div class="near"><div class="head">
      <div><${Crumb} href=${owner.page} text=${owner.tab} />
        <h2 class="row"><span class="break">${filter.name}</span> ${runs(filter) && html`<${ActiveState} active=${filter.active} />`}</h2></div>
      ${
        owner.change &&
        html`<div class="row">
          ${runs(filter) && html`<button class="button" type="button" onClick=${toggle}>
            ${t(filter.active ? 'sieve.deactivate' : 'sieve.activate')}</button>`}
        <${More} label=${t('action.more')} items=${items} /></div>`
      }</div>
      ${
        model === null || query.has('text')
          ? html`<${Edit} key=${stale.generation} object=${object} stale=${stale} url=${url} owner=${owner}
              isForm=${model !== null} />`
          : html`<${RulesForm} key=${stale.generation} object=${object} stale=${stale} url=${url} path=${owner.api} model=${model}
              textHref=${`${owner.page}${path}?text`} change=${owner.change} />`
      }</div>
    ${dialog === 'rename' && html`<${Rename} object=${object} owner=${owner} onClose=${close} />`}
    ${
      dialog === 'delete' &&
      html`<${Confirm} title=${t('sieve.delete-title', { name: filter.name })} verb=${t('sieve.delete')} danger
        run=${remove} onClose=${close}><p>${runs(filter) && t(filter.active ? 'sieve.delete-active' : 'sieve.delete-text')}
        ${t('danger.final')}</p><//>`
    }`;
}
