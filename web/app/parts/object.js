// A page of one object: load it, save changes with If-Match, say what to do when another was faster.
import { useState } from 'preact/hooks';
import { get, request } from '/app/api.js';
import { html } from '/app/html.js';
import { t } from '/app/i18n.js';
import { Crumb, Failure, Heading } from '/app/parts/page.js';
import { useQuery } from '/app/query.js';

/** Gives {data, error, put, reload, patch}: patch(body) saves on top of what is shown, and rejects when it is stale. */
export function useObject(path) {
  const query = useQuery(path, (signal) => get(path, { signal }));
  const patch = async (body) => {
    const fresh = await request('PATCH', path, { body, version: query.data.version });
    query.put(fresh);
    return fresh;
  };
  return { ...query, patch };
}

/** What stands there until the object is there: its crumb, or why it is not. */
export function NoObject({ object, href, crumb, title, unknown, unreadable }) {
  const top = html`<${Crumb} href=${href} text=${crumb} />`;
  if (!object.error) return html`<div aria-busy="true">${top}</div>`;
  return html`<div class="near">${top}<${Heading} title=${title} />
    ${object.error.status === 404 ? html`<p>${unknown}</p>` : html`<${Failure} error=${object.error} lead=${unreadable}
      retry=${object.reload} />`}</div>`;
}

/** Says that somebody else saved first, and offers to take their version. Give it a form's failure. */
export function useStale(object) {
  const [generation, setGeneration] = useState(0); // a new key for the form, so that it begins from the new object
  const explain = (error) => (error.kind === 'stale' ? t('stale.object') : null);
  const take = (error) => {
    object.put(error.problem.current);
    setGeneration((n) => n + 1);
  };
  const offer = (failure) =>
    failure?.kind === 'stale' &&
    html`<button class="button" type="button" onClick=${() => take(failure)}>${t('stale.take')}</button>`;
  return { generation, explain, offer };
}
