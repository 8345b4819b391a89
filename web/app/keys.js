// Keyboard: single keys and two-key sequences. Never in a field, never in a dialog, can be switched off.
import { useLayoutEffect, useRef } from 'preact/hooks';
import { remembered } from '/app/store.js';

const layers = [];
let prefix = null;
let prefixTimer = 0;

const inField = (target) => target.closest?.('input, textarea, select, [contenteditable]') !== null;

/** A checkbox has no text to type into, so the keys of the list work on it. */
const typing = (target) => inField(target) && target.type !== 'checkbox';

function keyName(event) {
  if (event.key.length === 1 && event.shiftKey && /[a-z]/i.test(event.key)) return `Shift-${event.key.toLowerCase()}`;
  return event.key;
}

function onKey(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (typing(event.target) || document.querySelector('dialog[open], :popover-open')) return;
  if (event.key.length === 1 && remembered('keys') === 'off') return;
  const name = prefix === null ? keyName(event) : `${prefix} ${event.key}`;
  clearTimeout(prefixTimer);
  const pressed = prefix;
  prefix = null;
  for (let i = layers.length - 1; i >= 0; i--) {
    const action = layers[i].current[name];
    if (action && action(event) !== false) {
      event.preventDefault();
      return;
    }
  }
  if (pressed === null && (name === 'g' || name === 'c')) {
    prefix = name;
    prefixTimer = setTimeout(() => {
      prefix = null;
    }, 1500);
  }
}

export function watchKeys() {
  document.addEventListener('keydown', onKey);
}

/**
 * Binds keys while the component is there: {'j': fn, 'g q': fn, 'Shift-x': fn}. The innermost wins; a
 * function that returns false leaves the key to the others.
 */
export function useKeys(bindings) {
  const latest = useRef(bindings);
  latest.current = bindings;
  useLayoutEffect(() => {
    layers.push(latest);
    return () => {
      layers.splice(layers.indexOf(latest), 1);
    };
  }, []);
}
