// Words, numbers, times. Catalogues are flat: key → text, or {one, many, other} chosen by `n`.
import { store } from '/app/store.js';

export const LANGUAGES = { en: 'English', 'pt-BR': 'Português' };

let words = {};
let code = 'en';
const further = new Set(); // names of catalogues beside the main one
let plural = new Intl.PluralRules('en');
let locale = 'en-GB'; // English here is not American: 23 Nov, 14:32
const cache = new Map();

/** The language to use: what this browser chose, else the account's, else the browser's, else English. */
export function pickLanguage(chosen, account, browser) {
  for (const code of [chosen, account, ...browser]) {
    if (!code) continue;
    if (code in LANGUAGES) return code;
    if (/^pt\b/i.test(code)) return 'pt-BR';
    if (/^en\b/i.test(code)) return 'en';
  }
  return 'en';
}

async function fetchWords(name) {
  const answer = await fetch(`/i18n/${name}.json`);
  if (!answer.ok) throw new Error(`no catalogue ${name}`);
  return answer.json();
}

/** The keys of a further catalogue begin with its name. */
const fetchFurther = async (name) =>
  Object.entries(await fetchWords(`${name}.${code}`)).map(([key, text]) => [`${name}.${key}`, text]);

/** Loads a catalogue that not every page needs, in this language and in each that is chosen later. */
export async function needWords(name) {
  if (further.has(name)) return;
  Object.assign(words, Object.fromEntries(await fetchFurther(name)));
  further.add(name);
}

/** Loads a catalogue and makes it the one in use. */
export async function loadLanguage(chosen) {
  code = chosen;
  const [main, ...more] = await Promise.all([fetchWords(code), ...[...further].map(fetchFurther)]);
  words = Object.assign(main, Object.fromEntries(more.flat()));
  locale = code === 'en' ? 'en-GB' : code;
  plural = new Intl.PluralRules(code);
  cache.clear();
  document.documentElement.lang = code;
  store.set({ language: code });
}

function formatter(Kind, options) {
  const key = Kind.name + JSON.stringify(options);
  if (!cache.has(key)) cache.set(key, new Kind(locale, options));
  return cache.get(key);
}

function lookUp(key, args) {
  const entry = words[key];
  if (entry === undefined) return key;
  return typeof entry === 'string' ? entry : (entry[plural.select(args.n)] ?? entry.other);
}

/** True when the catalogue has this key. */
export const has = (key) => key in words;

/** The text of a key with {name} filled in; numbers are written as the language does. */
export function t(key, args = {}) {
  return lookUp(key, args).replace(/\{(\w+)\}/g, (whole, name) => {
    const value = args[name];
    if (value === undefined) return whole;
    return typeof value === 'number' ? number(value) : value;
  });
}

/** As t(), for arguments that are nodes: gives a list of texts and nodes. */
export function tx(key, args) {
  return lookUp(key, args)
    .split(/(\{\w+\})/)
    .map((piece) => {
      const name = /^\{(\w+)\}$/.exec(piece)?.[1];
      if (name === undefined || args[name] === undefined) return piece;
      return typeof args[name] === 'number' ? number(args[name]) : args[name];
    });
}

export function number(value) {
  return formatter(Intl.NumberFormat, {}).format(value);
}

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte', 'petabyte'];

/** How often 1,000 goes into so many bytes: the index of their unit. */
function stepOf(bytes) {
  let step = 0;
  for (let value = bytes; value >= 999.5 && step < UNITS.length - 1; value /= 1000) step++;
  return step;
}

/** Bytes, decimal: 41 kB, 1,5 GB. */
export function size(bytes) {
  const step = stepOf(bytes);
  if (step === 0) return t('size.bytes', { n: bytes });
  const value = bytes / 1000 ** step;
  const options = {
    style: 'unit',
    unit: UNITS[step],
    unitDisplay: 'short',
    maximumFractionDigits: step > 1 && value < 9.95 ? 1 : 0,
  };
  return formatter(Intl.NumberFormat, options).format(value);
}

/** "3.1 of 5 GB"; with its own unit where the first is too small for the second's. */
export function sizeOf(used, limit) {
  const share = used / 1000 ** stepOf(limit);
  const words =
    used === 0 || share >= 0.05 ? formatter(Intl.NumberFormat, { maximumFractionDigits: 1 }).format(share) : size(used);
  return t('size.of', { used: words, limit: size(limit) });
}

/** A span of seconds in its largest unit: 20 s, 42 min, 3 h, 2 days. */
export function duration(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return t('duration.s', { n: s });
  if (s < 90 * 60) return t('duration.min', { n: Math.round(s / 60) });
  if (s < 36 * 3600) return t('duration.h', { n: Math.round(s / 3600) });
  return t('duration.d', { n: Math.round(s / 86400) });
}

/** Milliseconds as people say them: 14 ms, 0.2 s, 31 s. */
export function milliseconds(ms) {
  if (ms < 1000) return t('duration.ms', { n: ms });
  if (ms < 10000) return t('duration.s', { n: Math.round(ms / 100) / 10 });
  return duration(ms / 1000);
}

const sameDay = (a, b) => a.toDateString() === b.toDateString();

/** Clock time today, else with the date, and the year when it is another. */
export function clock(time, { seconds = false, now = new Date() } = {}) {
  const date = new Date(time);
  const options = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };
  if (seconds) options.second = '2-digit';
  if (!sameDay(date, now)) Object.assign(options, { day: 'numeric', month: 'short' });
  if (date.getFullYear() !== now.getFullYear()) options.year = 'numeric';
  return formatter(Intl.DateTimeFormat, options).format(date);
}

/** A date without a clock time: 23 Nov 2026. */
export function day(time) {
  return formatter(Intl.DateTimeFormat, { day: 'numeric', month: 'short', year: 'numeric' }).format(new Date(time));
}

/** "2 min ago" up to a day, then the date. */
export function ago(time, now = new Date()) {
  const seconds = (now - new Date(time)) / 1000;
  if (seconds < 86400) return t('time.ago', { duration: duration(seconds) });
  return clock(time, { now });
}

/** A day of this year, short: 23 Nov. */
export function shortDay(time) {
  return formatter(Intl.DateTimeFormat, { day: 'numeric', month: 'short' }).format(new Date(time));
}

/** For titles: the moment in UTC, to the second. */
export function utc(time) {
  return `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
