// What was deleted and can come back: the way back, its column in a list, and its banner.
import { useState } from 'preact/hooks';
import { request } from '/app/api.js';
import { html } from '/app/html.js';
import { clock, t } from '/app/i18n.js';
import { Confirm } from '/app/parts/dialog.js';
import { Notice } from '/app/parts/page.js';
import { toast } from '/app/parts/toast.js';
import { navigate } from '/app/router.js';
import { can } from '/app/store.js';

/** path: of the API and the page; done: what is said then. onDone(object) after it; it may reject. */
export async function restore(path, done, onDone) {
  const object = await request('POST', `${path}/restore`);
  toast(done);
  onDone?.(object);
}

/** Says that it is deleted, with Undo, which opens its page. */
export function sayDeleted(text, path, done) {
  toast(text, () => restore(path, done, () => navigate(path)));
}

/** The last column of a list that shows deleted rows. path(row), done(row): as for restore. */
export function restoreColumn(path, done, reload) {
  const run = async (row) => {
    try {
      await restore(path(row), done(row));
    } catch {
      toast(t('failure.refused'));
    }
    reload();
  };
  return {
    key: 'restore',
    head: t('table.actions'),
    hide: true,
    className: 'act fit end top',
    cell: (row) =>
      row.state === 'deleted' &&
      html`<button class="button is-quiet" type="button"
        onClick=${() => run(row)}>${t('action.restore')}</button>`,
  };
}

/**
 * The banner of a deleted object. kind: "account" or "domain", of the words; name: what must be typed to purge it;
 * children: what goes with it then.
 */
export function Deleted({ object, path, kind, name, args, scope, home, now, children }) {
  const [asking, setAsking] = useState(false);
  const { deleted, version } = object.data;
  const back = async () => {
    try {
      await restore(path, t(`${kind}.restored`, args), object.put);
    } catch {
      toast(t('failure.refused'));
      object.reload();
    }
  };
  const purge = async () => {
    await request('DELETE', path, { version, query: { purge: true } });
    toast(t(`${kind}.purged`, args));
    navigate(home);
  };
  const actions =
    can(scope) &&
    html`<button class="button is-primary" type="button" onClick=${back}>${t('action.restore')}</button>
      <button class="button is-danger" type="button" onClick=${() => setAsking(true)}>${t(`${kind}.purge`)}</button>`;
  return html`<${Notice} answer tone="fail" icon="fail" label=${t('account.what-happened')}
      lead=${t(`${kind}.deleted-since`, { time: clock(deleted.at, { now }) })} actions=${actions}>
      <p>${t(`${kind}.deleted-text`, { time: clock(deleted.until, { now }) })}</p><//>
    ${
      asking &&
      html`<${Confirm} title=${t(`${kind}.purge-title`, args)} verb=${t(`${kind}.purge`)} danger type=${name} run=${purge}
        onClose=${() => setAsking(false)}><p>${children} ${t('danger.final')}</p><//>`
    }`;
}
