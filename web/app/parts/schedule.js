// The times that come of the schedule's settings, while they are edited.
import { html } from '/app/html.js';
import { duration, t } from '/app/i18n.js';

const UNITS = { s: 1, m: 60, min: 60, h: 3600, d: 86400, w: 604800 };
const SHOWN = 12;

/** Seconds of "15m"; NaN when it is none. */
export function seconds(text) {
  const [, n, unit = 's'] = /^(\d+)\s*([a-z]+)?$/.exec(text.trim()) ?? [];
  return Number(n) * UNITS[unit];
}

/** As daemon/queue/schedule.c does: [seconds after acceptance, …], the last one at the end. null: not yet a schedule. */
export function times(schedule, expire) {
  const delays = schedule.trim().split(/\s+/).map(seconds);
  const end = seconds(expire);
  if (!(end > 0) || delays.some((one) => !(one > 0))) return null;
  const all = [0];
  while (all.at(-1) < end && all.length < 100000)
    all.push(Math.min(all.at(-1) + delays[Math.min(all.length - 1, delays.length - 1)], end));
  return all;
}

/** values: {'queue.retry_schedule': …} as they stand in the fields. */
export function ScheduleTimes({ values }) {
  const all = times(values['queue.retry_schedule'] ?? '', values['queue.expire'] ?? '');
  if (all === null) return null;
  const notice = seconds(values['queue.delay_notice'] ?? '');
  const told = notice > 0 && notice < all.at(-1);
  const first = all.length > SHOWN + 1 ? all.slice(0, SHOWN) : all.slice(0, -1);
  return html`<section class="setting" aria-label=${t('schedule.title')}>
    <div><h2>${t('schedule.title')}</h2><p class="muted">${t('schedule.text')}</p></div>
    <div class="near" role="status">
      <p>${t('schedule.attempts', { n: all.length })}${' '}
        ${first.map(
          (at, i) => html`${i > 0 && ' · '}<span class="nowrap" key=${at}>${
            at === 0 ? t('schedule.at-once') : t('schedule.after', { duration: duration(at) })
          }</span>`,
        )}${first.length < all.length - 1 && ' · …'} ·${' '}
        ${t('schedule.last', { duration: duration(all.at(-1)) })}</p>
      <p class="muted">${told ? t('schedule.told', { duration: duration(notice) }) : t('schedule.not-told')}</p>
    </div></section>`;
}
