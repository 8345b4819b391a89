// Lists: rows that become cards below 720 px, skeletons, selection, the keyboard's row, pages.
import { useEffect, useRef, useState } from 'preact/hooks';
import { html } from '/app/html.js';
import { t } from '/app/i18n.js';
import { useKeys } from '/app/keys.js';
import { Icon } from '/app/parts/icon.js';
import { useSlow } from '/app/query.js';

function Skeleton({ columns, select }) {
  const widths = [72, 150, 160, 120, 40];
  return [0, 1, 2, 3].map(
    (row) => html`<tr role="row" key=${row}>
    ${select && html`<td role="cell" class="fit"></td>`}
    ${columns.map(
      (column, i) => html`<td role="cell" key=${column.key}>
      <svg class="skeleton" width=${widths[(row + i) % widths.length]} aria-hidden="true" /></td>`,
    )}
  </tr>`,
  );
}

function Row({ row, id, columns, list, selection, name }) {
  const label = selection && t('table.select', { name: name(row) });
  const pick =
    selection &&
    html`<td role="cell" class="fit top"><label class="pick">
    <input type="checkbox" aria-label=${label} checked=${selection.has(id)} disabled=${row.gone || selection.everything}
      onClick=${(event) => selection.toggle(id, event.shiftKey)} /></label></td>`;
  const classes = [list.cursor === id && 'cursor', row.gone && 'is-old'].filter(Boolean).join(' ');
  return html`<tr role="row" data-id=${id} class=${classes || undefined} onFocusIn=${() => list.setCursor(id)}>
    ${pick}
    ${columns.map(
      (column) => html`<td role="cell" key=${column.key} class=${column.className} data-label=${column.label}>
      ${column.cell(row)}</td>`,
    )}
  </tr>`;
}

/**
 * columns: {key, head, className, headClass, label (shown in cards), cell(row), hide (head for readers only), sort}.
 * keyOf(row); list: from useList; selection: from useSelection or absent; name(row): for labels of boxes.
 * busy/old: from useQuery. Rows are null until the first answer.
 */
export function Table({ label, columns, rows, keyOf, list, selection, name, busy, old }) {
  const slow = useSlow(busy && rows === null);
  if (rows === null && !slow) return html`<div aria-busy="true"></div>`;
  const page =
    selection &&
    html`<th class="fit" scope="col"><label class="pick">
    <input type="checkbox" aria-label=${t('table.select-all')} checked=${selection.page} disabled=${selection.everything}
      onClick=${selection.togglePage} /></label></th>`;
  return html`<table class="table" role="table" aria-label=${label} ref=${list.ref}>
    <thead role="rowgroup"><tr role="row">${page}
      ${columns.map(
        (
          column,
        ) => html`<th key=${column.key} scope="col" class=${column.headClass ?? column.className}
          aria-sort=${column.sort}>
        ${column.hide ? html`<span class="hidden">${column.head}</span>` : column.head}</th>`,
      )}
    </tr></thead>
    <tbody role="rowgroup" class=${old ? 'is-old' : undefined} aria-busy=${String(rows === null || old === true)}>
      ${
        rows === null
          ? html`<${Skeleton} columns=${columns} select=${selection} />`
          : rows.map(
              (row) => html`<${Row} key=${keyOf(row)} id=${keyOf(row)} row=${row} columns=${columns}
            list=${list} selection=${selection} name=${name} />`,
            )
      }
    </tbody>
  </table>`;
}

/** The keyboard's row: j and k move it (and the focus, to the row's link), Enter opens by the link itself. */
export function useList(rows, keyOf, selection) {
  const ref = useRef(null);
  const [cursor, setCursor] = useState(null);
  const move = (step) => {
    if (!rows || rows.length === 0) return false;
    const at = rows.findIndex((row) => keyOf(row) === cursor);
    const next = at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + step));
    const line = [...ref.current.querySelectorAll('tbody tr')][next];
    line.querySelector('.open')?.focus();
    line.scrollIntoView({ block: 'nearest' });
    setCursor(keyOf(rows[next]));
    return true;
  };
  const pick = (range) => {
    if (!selection || cursor === null || !rows?.some((row) => keyOf(row) === cursor)) return false;
    selection.toggle(cursor, range);
    return true;
  };
  useKeys({ j: () => move(1), k: () => move(-1), x: () => pick(false), 'Shift-x': () => pick(true) });
  return { ref, cursor, setCursor };
}

/**
 * Which rows are chosen. everything: all that match, not just this page's. `scope` is the filter's text:
 * another filter, another choice.
 */
export function useSelection(rows, keyOf, scope) {
  const [ids, setIds] = useState(() => new Set());
  const [everything, setEverything] = useState(false);
  const anchor = useRef(null);
  const clear = () => {
    setIds(new Set());
    setEverything(false);
    anchor.current = null;
  };
  useEffect(clear, [scope]);

  const present = (rows ?? []).filter((row) => !row.gone).map(keyOf);
  const chosen = present.filter((id) => everything || ids.has(id));
  const toggle = (id, range) => {
    const next = new Set(ids);
    const from = present.indexOf(anchor.current);
    const to = present.indexOf(id);
    if (range && from >= 0 && to >= 0) {
      for (const one of present.slice(Math.min(from, to), Math.max(from, to) + 1)) next.add(one);
    } else if (!next.delete(id)) {
      next.add(id);
    }
    anchor.current = id;
    setIds(next);
  };
  const page = present.length > 0 && chosen.length === present.length;
  return {
    ids: chosen,
    count: chosen.length,
    everything,
    page,
    toggle,
    clear,
    has: (id) => everything || ids.has(id),
    togglePage: () => setIds(page ? new Set() : new Set(present)),
    chooseEverything: () => setEverything(true),
  };
}

/** Pages by cursor. `href(cursor)` gives the URL of a page; null is the first. */
export function Pager({ next, cursor, href, word, children }) {
  if (!next && !cursor && !children) return null;
  return html`<nav class="pager" aria-label=${t('pager.label')}>
    <span>${children}</span>
    <span class="row end">
      ${cursor && html`<a class="button" href=${href(null)}><${Icon} name="back" />${t('pager.first')}</a>`}
      ${next && html`<a class="button" href=${href(next)}>${word ?? t('pager.next')}<${Icon} name="next" /></a>`}
    </span>
  </nav>`;
}

/** Nothing to list: what it means, and what to do next. */
export function Empty({ title, children, actions }) {
  return html`<section class="empty"><h2>${title}</h2>
    ${children && html`<p class="muted">${children}</p>`}
    ${actions && html`<div class="row">${actions}</div>`}
  </section>`;
}
