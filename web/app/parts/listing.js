// A plain list page: heading, add, filters, table, pages, and the dialog that ?add opens.
import { get } from '/app/api.js';
import { html } from '/app/html.js';
import { t } from '/app/i18n.js';
import { Filters, filtersOf, withQuery } from '/app/parts/filters.js';
import { Failure, Heading } from '/app/parts/page.js';
import { Empty, Pager, Table, useList } from '/app/parts/table.js';
import { useQuery } from '/app/query.js';
import { setQuery } from '/app/router.js';
import { can } from '/app/store.js';

/**
 * name: of the words (menu.<name>, <name>.add …), path: of page and API, scope: that adding needs, fields: of
 * the filters, columns(reload), keyOf, keys: those for adding ("c a"). add(onClose, onAdded) gives the dialog,
 * more(filter), where there is one, buttons beside that for adding.
 */
export function Listing({ name, path, scope, fields, columns, keyOf, keys, add, more, query }) {
  const filter = filtersOf(query, fields);
  const cursor = query.get('cursor');
  const bare = new URLSearchParams(query);
  bare.delete('add');
  const list = useQuery(`${path}?${bare}`, (signal) => get(path, { signal, query: { ...filter, cursor } }));
  const rows = list.data?.data ?? null;
  const keyboard = useList(rows, keyOf);
  const mayAdd = can(scope);
  const adding = mayAdd && query.has('add');
  const open = () => {
    const next = new URLSearchParams(query);
    next.set('add', '');
    setQuery(next);
  };
  const close = () => setQuery(bare, { replace: true });
  const href = (to) => {
    const next = withQuery(bare, 'cursor', []);
    if (to) next.set('cursor', to);
    return path + (next.size ? `?${next}` : '');
  };
  const addButton = (primary) =>
    mayAdd &&
    html`<button class=${`button${primary ? ' is-primary' : ''}`} type="button"
      onClick=${open}>${t(`${name}.add`)} <kbd>${keys}</kbd></button>`;
  const filtered = Object.keys(filter).length > 0;
  return html`<div class="near">
    <div class="head"><${Heading} title=${t(`menu.${name}`)} />${
      more ? html`<div class="row">${more(filter)}${addButton(true)}</div>` : addButton(true)
    }</div>
    <${Filters} fields=${fields} query=${bare} />
    ${list.error && html`<${Failure} error=${list.error} lead=${t(`${name}.unreadable`)} retry=${list.reload} />`}
    ${
      rows?.length === 0 && !list.old
        ? filtered
          ? html`<${Empty} title=${t(`${name}.no-match`)} actions=${html`
            <a class="button" href=${path}>${t('filter.clear')}</a>`} />`
          : html`<${Empty} title=${t(`${name}.nothing`)} actions=${addButton(false)}>${t(`${name}.nothing-text`)}<//>`
        : (rows !== null || !list.error) &&
          html`<${Table} label=${t(`menu.${name}`)} columns=${columns(list.reload)} rows=${rows} keyOf=${keyOf} list=${keyboard}
            busy=${list.busy} old=${list.old} />`
    }
    <${Pager} next=${list.data?.next} cursor=${cursor} href=${href} />
    ${adding && add(close, list.reload)}
  </div>`;
}
