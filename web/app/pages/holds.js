// Rules that hold new mail: of a sender, of a domain, or for a destination.
import { useState } from 'preact/hooks';
import { get, request, segment } from '/app/api.js';
import { html } from '/app/html.js';
import { clock, needWords, t } from '/app/i18n.js';
import { Dialog } from '/app/parts/dialog.js';
import { Input, Radios, Select, Submit, useForm } from '/app/parts/form.js';
import { byWhom, Crumb, Failure, Heading } from '/app/parts/page.js';
import { Empty, Pager, Table, useList } from '/app/parts/table.js';
import { toast } from '/app/parts/toast.js';
import { useNow, useQuery } from '/app/query.js';
import { setQuery } from '/app/router.js';
import { can, useStore } from '/app/store.js';

await needWords('holds');

const KINDS = ['sender', 'sender_domain', 'destination'];
const TIMES = ['', '+1h', '+4h', '+24h'];

const whatOf = (rule) => KINDS.find((kind) => rule[kind] !== null);

function AddRule({ onClose, onAdded }) {
  const whole = useStore((s) => s.session?.domains === null);
  const kinds = whole ? KINDS : KINDS.slice(0, 2);
  const form = useForm({
    initial: { kind: 'sender', what: '', until: '', reason: '' },
    save: async ({ kind, what, until, reason }) => {
      await request('POST', '/queue/holds', {
        body: { [kind]: what.trim(), until: until || null, reason: reason.trim() || null },
      });
      toast(t('holds.added', { what: what.trim() }));
      await onAdded();
      onClose();
    },
    places: { '/sender': 'what', '/sender_domain': 'what', '/destination': 'what', '/reason': 'reason' },
  });
  return html`<${Dialog} title=${t('holds.add')} onClose=${onClose}><form class="near" ...${form.form}>
    <p>${t('holds.add-text')}</p>
    <${Radios} label=${t('holds.what')} ...${form.field('kind')}
      options=${kinds.map((kind) => [kind, t(`holds.kind.${kind}`)])} />
    <${Input} label=${t(`holds.name.${form.values.kind}`)} ...${form.field('what')} mono autocomplete="off"
      spellcheck=${false} required />
    <${Select} label=${t('pause.until')} ...${form.field('until')}
      options=${TIMES.map((one) => [one, t(one === '' ? 'holds.until-removed' : `choose.time.${one.slice(1)}`)])} />
    <${Input} label=${t('pause.reason')} ...${form.field('reason')} maxlength="200" autocomplete="off" />
    <${Submit} state=${form} verb=${t('holds.add')} onCancel=${onClose} />
  </form><//>`;
}

function columns(now, remove) {
  return [
    {
      key: 'what',
      head: t('holds.what'),
      className: 'line',
      cell: (rule) => html`${t(`holds.kind.${whatOf(rule)}`)} <span class="mono">${rule[whatOf(rule)]}</span>`,
    },
    {
      key: 'until',
      head: t('pause.until'),
      className: 'nowrap',
      label: t('pause.until'),
      cell: (rule) => (rule.until ? clock(rule.until, { now }) : t('holds.until-removed')),
    },
    {
      key: 'why',
      head: t('queue.why'),
      className: 'line muted',
      cell: (rule) => byWhom({ by: rule.created_by, reason: rule.reason }),
    },
    can('queue:write') && {
      key: 'act',
      head: t('table.actions'),
      hide: true,
      className: 'act fit end',
      cell: (rule) => html`<button class="button is-quiet" type="button" onClick=${() => remove(rule)}>
      ${t('holds.remove')}<span class="hidden"> ${rule[whatOf(rule)]}</span></button>`,
    },
  ].filter(Boolean);
}

export default function Holds({ query }) {
  const now = useNow();
  const cursor = query.get('cursor');
  const list = useQuery(`holds?${cursor}`, (signal) => get('/queue/holds', { signal, query: { cursor } }));
  const [error, setError] = useState(null);
  const rows = list.data?.data ?? null;
  const keys = useList(rows, (rule) => rule.id);
  const close = () => setQuery(new URLSearchParams(), { replace: true });
  const remove = async (rule) => {
    setError(null);
    try {
      await request('DELETE', `/queue/holds/${segment(rule.id)}`);
      toast(t('holds.removed'));
    } catch (refused) {
      setError(refused);
    }
    await list.reload();
  };
  const add =
    can('queue:write') &&
    html`<button class="button is-primary" type="button"
      onClick=${() => setQuery(new URLSearchParams('add'))}>${t('holds.add')}</button>`;
  return html`<div class="near">
      <div class="head"><div><${Crumb} href="/queue" text=${t('menu.queue')} /><${Heading} title=${t('holds.title')} />
        <p class="muted">${t('holds.text')}</p></div>${rows?.length !== 0 && add}</div>
      ${error && html`<${Failure} error=${error} lead=${t('failure.refused')} />`}
      ${list.error && html`<${Failure} error=${list.error} lead=${t('holds.unreadable')} retry=${list.reload} />`}
      ${
        rows?.length === 0
          ? html`<${Empty} title=${t('holds.nothing')} actions=${add} />`
          : (rows !== null || !list.error) &&
            html`<${Table} label=${t('holds.title')} columns=${columns(now, remove)} rows=${rows}
              keyOf=${(rule) => rule.id} list=${keys} busy=${list.busy} old=${list.old} />`
      }
      <${Pager} next=${list.data?.next} cursor=${cursor}
        href=${(to) => `/queue/holds${to ? `?cursor=${encodeURIComponent(to)}` : ''}`} />
    </div>
    ${query.has('add') && can('queue:write') && html`<${AddRule} onClose=${close} onAdded=${list.reload} />`}`;
}
