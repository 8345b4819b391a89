// Icons of the sprite in index.html, and states: always icon + word + colour.
import { html } from '/app/html.js';
import { t } from '/app/i18n.js';

export function Icon({ name }) {
  return html`<svg class="icon" aria-hidden="true"><use href=${`#i-${name}`} /></svg>`;
}

/** tone: ok, wait, fail, held, plain. chip: on its tint, for a heading. */
export function State({ tone, icon, chip, children }) {
  return html`<span class=${`state is-${tone}${chip ? ' is-chip' : ''}`}><${Icon} name=${icon} />${children}</span>`;
}

const MESSAGE = {
  deferred: ['wait', 'wait'],
  waiting: ['wait', 'wait'],
  scheduled: ['plain', 'planned'],
  held: ['held', 'held'],
  sending: ['plain', 'send'],
  removing: ['plain', 'close'],
  delivered: ['plain', 'ok'],
  relayed: ['plain', 'ok'],
  bounced: ['fail', 'fail'],
  refused: ['fail', 'fail'],
  expired: ['fail', 'fail'],
  removed: ['plain', 'close'],
  gone: ['plain', 'next'],
};
const ACCOUNT = {
  active: ['plain', 'ok'],
  invited: ['plain', 'invited'],
  frozen: ['held', 'held'],
  suspended: ['fail', 'fail'],
  deleted: ['plain', 'close'],
};
const DOMAIN = { active: ['plain', 'ok'], disabled: ['held', 'held'], deleted: ['plain', 'close'] };

const stateOf =
  (table, prefix) =>
  ({ state, chip }) => {
    const [tone, icon] = table[state] ?? ['plain', 'dot'];
    return html`<${State} tone=${tone} icon=${icon} chip=${chip}>${t(`${prefix}.${state}`)}<//>`;
  };

export const MessageState = stateOf(MESSAGE, 'message.state');
export const AccountState = stateOf(ACCOUNT, 'account.state');
export const DomainState = stateOf(DOMAIN, 'domain.state');
