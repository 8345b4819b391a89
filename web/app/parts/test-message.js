// A message to oneself: sent by the server, and looked for in the trace until it has arrived.
import { useEffect, useState } from 'preact/hooks';
import { get, request, segment } from '/app/api.js';
import { html } from '/app/html.js';
import { needWords, t } from '/app/i18n.js';
import { settle } from '/app/parts/first-steps.js';
import { Select, Submit, useForm } from '/app/parts/form.js';
import { Failure, Notice } from '/app/parts/page.js';
import { useQuery } from '/app/query.js';
import { store } from '/app/store.js';

await needWords('welcome');

const LOOK_MS = 500;
const LOOKS = 40;

const isLocalhost = (address) => address.endsWith('@localhost');

/** Oneself first, when that is an address of a domain; those of localhost last. */
function inOrder(accounts) {
  const own = store.get().session?.account?.address;
  const rank = ({ address }) => (isLocalhost(address) ? 2 : address === own ? 0 : 1);
  return [...accounts].sort((a, b) => rank(a) - rank(b) || a.address.localeCompare(b.address));
}

/** The trace of a message, null until it is there and tells more than that it waits; late: looked for long enough. */
function useArrival(id) {
  const [state, setState] = useState({ trace: null, late: false });
  useEffect(() => {
    setState({ trace: null, late: false });
    if (id === null) return undefined;
    const abort = new AbortController();
    let looks = 0;
    const timer = setInterval(async () => {
      const trace = await get(`/traces/${segment(id)}`, { signal: abort.signal }).catch(() => null); // not yet, or the server is away
      if (abort.signal.aborted) return;
      looks++;
      if ((trace === null || trace.outcome === 'waiting') && looks < LOOKS) return;
      clearInterval(timer);
      setState({ trace, late: trace === null || trace.outcome === 'waiting' });
      if (trace?.outcome === 'delivered') settle('message');
    }, LOOK_MS);
    return () => {
      abort.abort();
      clearInterval(timer);
    };
  }, [id]);
  return state;
}

function Result({ answer }) {
  const { trace, late } = useArrival(answer.trace);
  const link = answer.trace && html`<a class="button" href=${`/trace/${segment(answer.trace)}`}>${t('welcome.message.trace')}</a>`;
  if (!answer.accepted)
    return html`<${Notice} tone="fail" icon="fail" lead=${t('welcome.message.refused', { to: answer.to })}>
      <p lang="en">${answer.code} ${answer.text}</p><//>`;
  if (late) return html`<${Notice} tone="wait" icon="wait" lead=${t('welcome.message.late', { to: answer.to })} actions=${link} />`;
  if (trace === null) return html`<${Notice} tone="plain" icon="send" lead=${t('welcome.message.sent', { to: answer.to })} />`;
  if (trace.outcome !== 'delivered')
    return html`<${Notice} tone="fail" icon="fail" lead=${t('welcome.message.lost', { to: answer.to })} actions=${link} />`;
  return html`<${Notice} tone="ok" icon="ok" lead=${t('welcome.message.arrived', { to: answer.to })} actions=${link}>
    <p>${t('welcome.message.outside', { to: answer.to })}</p><//>`;
}

function Send({ accounts }) {
  const [answer, setAnswer] = useState(null);
  const form = useForm({
    initial: { to: accounts[0].address },
    save: async ({ to }) => {
      setAnswer(null);
      setAnswer(await request('POST', `/accounts/${segment(to)}/test-message`));
    },
  });
  return html`<form class="near form" ...${form.form}>
      <${Select} label=${t('welcome.message.to')} ...${form.field('to')} options=${accounts.map(({ address }) => [address, address])} />
      <${Submit} state=${form} verb=${t(answer === null ? 'welcome.message.send' : 'welcome.message.again')} quiet=${answer !== null} /></form>
    <div role="status">${answer !== null && html`<${Result} key=${answer.trace} answer=${answer} />`}</div>`;
}

export function TestMessage() {
  const list = useQuery('accounts', (signal) => get('/accounts', { signal, query: { state: ['active', 'invited'], limit: 100 } }));
  if (list.error) return html`<${Failure} error=${list.error} lead=${t('welcome.unreadable')} retry=${list.reload} />`;
  if (list.data === null) return html`<div aria-busy="true"></div>`;
  return html`<p>${t('welcome.message.text')}</p><${Send} accounts=${inOrder(list.data.data)} />`;
}
