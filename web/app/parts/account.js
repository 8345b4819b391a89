// Pieces of an account that list and page share.
import { html } from '/app/html.js';
import { ago, size, sizeOf, t } from '/app/i18n.js';

const NEAR = 0.85; // of the limit: amber
const FULL = 0.995;
const GB = 1e9;

/** "5" or "0,5" gigabytes to bytes; '' is no limit (null); NaN when it is no number. */
export function quotaBytes(text) {
  const words = text.trim();
  if (words === '') return null;
  return /^\d+([.,]\d+)?$/.test(words) ? Math.round(Number(words.replace(',', '.')) * GB) : NaN;
}

/** A quota for the form, in gigabytes, and what was written there for the server, which says what is wrong with it. */
export const quotaText = (quota) => (quota.limit === null ? '' : String(quota.limit / GB));
export function quotaBody(text) {
  const limit = quotaBytes(text);
  return { limit: Number.isNaN(limit) ? text : limit };
}

/** A bar and "3.1 of 5 GB"; without a limit the figure alone. */
export function Used({ quota }) {
  if (quota.limit === null) return html`<span class="num">${size(quota.used)}</span>`;
  const share = Math.min(1, quota.used / quota.limit);
  const tone = share >= FULL ? ' is-fail' : share >= NEAR ? ' is-wait' : '';
  const words = sizeOf(quota.used, quota.limit);
  return html`<span class="use"><svg class=${`quota${tone}`} aria-hidden="true">
    <rect width=${`${Math.round(share * 100)}%`} height="100%" rx="3" /></svg>
    <span class="num">${share >= FULL ? html`<b>${words}</b>` : words}</span></span>`;
}

export function SignInTime({ account, now }) {
  if (account.last_sign_in === null) return t(account.state === 'invited' ? 'account.never-invited' : 'account.never');
  return t('account.sign-in', {
    ago: ago(account.last_sign_in.at, now),
    protocol: t(`protocol.${account.last_sign_in.protocol}`),
  });
}

const TABS = ['overview', 'devices', 'filters', 'activity'];
const OWN_TABS = ['overview', 'devices', 'filters', 'security', 'activity'];

/** The pages of one account; base: "/accounts/alice@example.org" or "/me". */
export function AccountTabs({ base, tab }) {
  return html`<nav class="tabs" aria-label=${t('account.tabs')}>
    ${(base === '/me' ? OWN_TABS : TABS).map((name) => html`<a key=${name} href=${name === 'overview' ? base : `${base}/${name}`}
      aria-current=${name === tab ? 'page' : undefined}>${t(`account.tab.${name}`)}</a>`)}
  </nav>`;
}
