// Pieces of an account that list and page share.
import { html } from '/app/html.js';
import { ago, number, size, sizeOf, t } from '/app/i18n.js';
import { Input } from '/app/parts/form.js';
import { Icon } from '/app/parts/icon.js';

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

/** Limits of sending for the form, and for the server: empty is as said above it; it says what is wrong with it. */
const numberOrText = (text) => {
  const words = text.trim();
  if (words === '') return null;
  return /^\d{1,9}$/.test(words) ? Number(words) : words;
};
export const limitsText = (limits) => ({
  perHour: String(limits.recipients_per_hour ?? ''),
  perDay: String(limits.recipients_per_day ?? ''),
});
export const limitsBody = ({ perHour, perDay }) => ({
  recipients_per_hour: numberOrText(perHour),
  recipients_per_day: numberOrText(perDay),
});
export const LIMITS_PLACES = { '/limits/recipients_per_hour': 'perHour', '/limits/recipients_per_day': 'perDay' };
export function LimitFields({ form, hint }) {
  return html`<${Input} label=${t('account.limit-hour')} hint=${hint} ...${form.field('perHour')} inputmode="numeric"
      autocomplete="off" />
    <${Input} label=${t('account.limit-day')} hint=${hint} ...${form.field('perDay')} inputmode="numeric"
      autocomplete="off" />`;
}

/** How many it sent to; marked when a limit of its own is reached. */
export function Sent({ account }) {
  const { sent, limits } = account;
  const reached = (count, limit) => limit > 0 && count >= limit;
  const full = reached(sent.last_day, limits.recipients_per_day) || reached(sent.last_hour, limits.recipients_per_hour);
  const words = html`<span class="num">${number(sent.last_day)}</span>`;
  return full ? html`<b class="state is-fail"><${Icon} name="fail" />${words}</b>` : words;
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

const TABS = ['overview', 'addresses', 'devices', 'filters', 'activity'];
const OWN_TABS = ['overview', 'mail', 'devices', 'filters', 'security', 'activity'];

/** The pages of one account; base: "/accounts/alice@example.org" or "/me". */
export function AccountTabs({ base, tab }) {
  return html`<nav class="tabs" aria-label=${t('account.tabs')}>
    ${(base === '/me' ? OWN_TABS : TABS).map((name) => html`<a key=${name} href=${name === 'overview' ? base : `${base}/${name}`}
      aria-current=${name === tab ? 'page' : undefined}>${t(`account.tab.${name}`)}</a>`)}
  </nav>`;
}
