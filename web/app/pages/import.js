// Accounts from a file: chosen, checked as a whole, done, and what became of it, with links to hand over.
import { useEffect, useState } from 'preact/hooks';
import { get, request, segment } from '/app/api.js';
import { html } from '/app/html.js';
import { clock, has, needWords, number, t } from '/app/i18n.js';
import { Copy } from '/app/parts/copy.js';
import { Frame, described } from '/app/parts/form.js';
import { Crumb, Failure, Heading, Notice, fieldText } from '/app/parts/page.js';
import { Progress } from '/app/parts/progress.js';
import { csv, save } from '/app/parts/save.js';
import { Table, useList } from '/app/parts/table.js';
import { useQuery } from '/app/query.js';
import { setQuery } from '/app/router.js';

await needWords('import');

const SHOWN = 200;
const EXAMPLE = 'address,name,role,language,addresses,quota,password\r\nana@example.org,Ana Reis,account,pt-BR,ana.reis@example.org,5000000000,\r\n';

const typeOf = async (file) => {
  const start = (await file.slice(0, 200).text()).replace(/^\ufeff/, '').trimStart();
  return start.startsWith('{') ? 'application/jsonl' : 'text/csv';
};

/** What was refused of a line: of this page's own words first, since they are of a file. */
const sentence = (error) => (has(`import.error.${error.code}`) ? t(`import.error.${error.code}`) : fieldText(error));
const OUTCOMES = ['created', 'updated', 'unchanged', 'failed'];
const counts = (of, tense) => OUTCOMES.filter((one) => of[one] > 0).map((one) => t(`import.${tense}.${one}`, { n: of[one] })).join(' · ');

const address = {
  key: 'address',
  head: t('account.address'),
  className: 'clip',
  cell: (row) => html`<span class="mono">${row.address ?? '–'}</span>`,
};
const line = { key: 'line', head: t('import.line'), label: t('import.line'), className: 'num fit', cell: (row) => number(row.line) };

function ErrorTable({ errors }) {
  const list = useList(errors, (row) => row.key);
  const columns = [
    line,
    { ...address, className: 'clip line', headClass: 'w28' },
    { key: 'place', head: t('import.place'), className: 'line', cell: (row) => html`<span class="mono">${row.cell ?? (row.pointer || '–')}</span>` },
    { key: 'what', head: t('import.what'), className: 'line', cell: (row) => sentence(row) },
  ];
  return html`<${Table} label=${t('import.bad')} columns=${columns} keyOf=${(row) => row.key} list=${list}
    rows=${errors.slice(0, SHOWN).map((error, key) => ({ ...error, key }))} />
    ${errors.length > SHOWN && html`<p class="muted">${t('import.more', { n: errors.length - SHOWN })}</p>`}`;
}

function PlanTable({ rows }) {
  const list = useList(rows, (row) => row.line);
  const columns = [line, address, { key: 'outcome', head: t('import.outcome'), className: 'line', cell: (row) => t(`import.will.${row.outcome}`) }];
  return html`<${Table} label=${t('import.plan')} columns=${columns} rows=${rows.slice(0, SHOWN)} keyOf=${(row) => row.line} list=${list} />
    ${rows.length > SHOWN && html`<p class="muted">${t('import.more', { n: rows.length - SHOWN })}</p>`}`;
}

/** What a dry run found, and the button that does it. */
function Report({ report, busy, run }) {
  const good = report.created + report.updated;
  const bad = report.errors.length > 0;
  return html`<section class="near" aria-label=${t('import.report')}>
    ${
      bad
        ? html`<${Notice} tone="fail" icon="fail" role="alert" lead=${t('import.bad-lines', { n: report.failed })}>
        <p>${t('import.bad-text')}</p><//>
      <${ErrorTable} errors=${report.errors} />`
        : html`<${Notice} tone="ok" icon="ok" role="status" lead=${good > 0 ? t('import.good') : t('import.same')}
        actions=${good > 0 && html`<button class="button is-primary" type="button" disabled=${busy} onClick=${run}>
          ${t('import.run', { n: good })}</button>`}>
        <p>${counts({ ...report, failed: 0 }, 'would')}</p><//>`
    }
    ${report.data.length > 0 && html`<details open=${!bad && report.data.length <= 20}>
      <summary>${t('import.plan')}</summary><${PlanTable} rows=${report.data} /></details>`}
  </section>`;
}

function Choose({ onBegun }) {
  const [file, setFile] = useState(null);
  const [update, setUpdate] = useState(false);
  const [state, setState] = useState({ busy: false, report: null, error: null });
  const send = async (chosen, changes, dry) =>
    request('POST', '/import', { file: chosen, type: await typeOf(chosen), query: { update: changes || null, dry_run: dry || null } });
  const check = async (chosen, changes) => {
    if (!chosen) return;
    setState({ busy: true, report: null, error: null });
    try {
      setState({ busy: false, error: null, report: await send(chosen, changes, true) });
    } catch (error) {
      setState({ busy: false, report: null, error });
    }
  };
  const run = async () => {
    setState((before) => ({ ...before, busy: true }));
    try {
      onBegun(await send(file, update, false));
    } catch (error) {
      setState({ busy: false, report: null, error });
    }
  };
  const choose = (event) => {
    setFile(event.target.files[0] ?? null);
    check(event.target.files[0], update);
  };
  const tick = (event) => {
    setUpdate(event.target.checked);
    check(file, event.target.checked);
  };
  return html`<p>${t('import.text')}</p>
    <${Frame} id="file" label=${t('import.file')} hint=${t('import.file-hint')}>
      <input class="input" type="file" name="file" accept=".csv,.tsv,.txt,.jsonl,.ndjson,text/csv,application/jsonl"
        ...${described('file', true, null)} onChange=${choose} />
    <//>
    <div class="row"><label class="row"><input type="checkbox" name="update" checked=${update} onClick=${tick} /> ${t('import.update')}</label></div>
    <div class="row">
      <button class="button" type="button" onClick=${() => save('accounts-example.csv', 'text/csv', EXAMPLE)}>${t('import.example')}</button>
      ${file && html`<button class="button" type="button" disabled=${state.busy} onClick=${() => check(file, update)}>${t('import.again')}</button>`}
    </div>
    ${state.busy && html`<p class="muted" role="status">${t('import.checking')}</p>`}
    ${state.error && html`<${Failure} error=${state.error} lead=${t('import.refused')} />`}
    ${state.report && html`<${Report} report=${state.report} busy=${state.busy} run=${run} />`}`;
}

/** All pages of links: each call makes new ones, so they are asked for once. */
async function makeLinks(path) {
  const links = [];
  for (let after = 0; after !== null; ) {
    const page = await request('POST', `${path}/links`, { body: { after } });
    links.push(...page.data);
    after = page.next;
  }
  return links;
}

function LinkTable({ links }) {
  const list = useList(links, (row) => row.line);
  const columns = [
    address,
    { key: 'name', head: t('account.name'), className: 'clip line spare', cell: (row) => row.name },
    { key: 'link', head: t('import.link'), className: 'clip line', cell: (row) => html`<code title=${row.url}>${row.url}</code>` },
    {
      key: 'copy',
      head: t('table.actions'),
      hide: true,
      className: 'act fit end',
      cell: (row) => html`<${Copy} text=${row.url} label=${t('import.copy', { address: row.address })} />`,
    },
  ];
  const file = () => save('links.csv', 'text/csv', csv([['address', 'name', 'link'], ...links.map((row) => [row.address, row.name, row.url])]));
  return html`<p>${t('import.links-text', { time: clock(links[0].expires_at) })}</p>
    <div class="row"><button class="button" type="button" onClick=${file}>${t('import.links-save')}</button></div>
    <${Table} label=${t('import.links')} columns=${columns} rows=${links} keyOf=${(row) => row.line} list=${list} />`;
}

/** One-time links of the accounts that came without a password; at once when the import has just ended here. */
function Links({ path, atOnce }) {
  const [state, setState] = useState({ busy: false, links: null, error: null });
  const make = async () => {
    setState({ busy: true, links: null, error: null });
    try {
      setState({ busy: false, error: null, links: await makeLinks(path) });
    } catch (error) {
      setState({ busy: false, links: null, error });
    }
  };
  useEffect(() => {
    if (atOnce) make();
  }, []);
  return html`<section class="near" aria-label=${t('import.links')}><h2>${t('import.links')}</h2>
    ${state.error && html`<${Failure} error=${state.error} lead=${t('import.no-links')} retry=${make} />`}
    ${
      state.links === null
        ? html`<p>${t('import.links-wanted')}</p>
        <button class="button" type="button" disabled=${state.busy} onClick=${make}>${t('import.links-make')}</button>`
        : state.links.length === 0
          ? html`<p>${t('import.links-none')}</p>`
          : html`<${LinkTable} links=${state.links} />`
    }
  </section>`;
}

/** Lines that failed, or have something missing. */
function Notes({ path }) {
  const notes = useQuery(`${path}/lines`, (signal) => get(`${path}/lines`, { signal, query: { noted: true, limit: SHOWN } }));
  const rows = notes.data?.data ?? null;
  const list = useList(rows, (row) => row.line);
  if (notes.error) return html`<${Failure} error=${notes.error} lead=${t('import.unreadable')} retry=${notes.reload} />`;
  if (rows === null || rows.length === 0) return null;
  const columns = [
    line,
    address,
    { key: 'outcome', head: t('import.outcome'), className: 'line', cell: (row) => t(`import.did.${row.outcome}`) },
    { key: 'what', head: t('import.what'), className: 'line', cell: (row) => sentence(row) },
  ];
  return html`<${Table} label=${t('import.notes')} columns=${columns} rows=${rows} keyOf=${(row) => row.line} list=${list} />
    ${notes.data.next !== null && html`<p class="muted">${t('import.more-notes')}</p>`}`;
}

function Result({ operation, fresh }) {
  const path = `/operations/${segment(operation.id)}`;
  const { failed, created } = operation.import;
  const stopped = operation.state === 'cancelled';
  const tone = failed > 0 || stopped ? 'wait' : 'ok';
  return html`<${Notice} tone=${tone} icon=${tone} role="status" lead=${t(stopped ? 'import.stopped' : 'import.done')}
      actions=${html`<a class="button" href="/accounts">${t('menu.accounts')}</a>
        <a class="button" href="/accounts/import">${t('import.another')}</a>`}>
      <p>${counts(operation.import, 'has') || t('import.nothing')}</p><//>
    <${Notes} path=${path} />
    ${created > 0 && html`<${Links} path=${path} atOnce=${fresh} />`}`;
}

function Running({ id, here }) {
  const [ended, setEnded] = useState(null);
  const path = `/operations/${segment(id)}`;
  const first = useQuery(path, (signal) => get(path, { signal }));
  const operation = ended ?? first.data;
  if (first.error) return html`<${Failure} error=${first.error} lead=${t('import.gone')} retry=${first.reload} />`;
  if (operation === null) return html`<div aria-busy="true"></div>`;
  return operation.state === 'running'
    ? html`<${Progress} operation=${operation} onDone=${setEnded} />`
    : html`<${Result} operation=${operation} fresh=${here || ended !== null} />`;
}

export default function Import({ query }) {
  const id = query.get('operation');
  const [own, setOwn] = useState(null); // what was begun here
  const begun = (operation) => {
    setOwn(operation.id);
    setQuery(new URLSearchParams({ operation: operation.id }), { replace: true });
  };
  return html`<div class="near">
    <${Crumb} href="/accounts" text=${t('menu.accounts')} />
    <div class="head"><${Heading} title=${t('import.title')} /></div>
    ${id === null ? html`<${Choose} onBegun=${begun} />` : html`<${Running} key=${id} id=${id} here=${own === id} />`}
  </div>`;
}
