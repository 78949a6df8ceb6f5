/** Keyboard shortcuts: each place says which it has, and the help lists those that work where one is. */
import { computed, signal } from '@preact/signals';
import { useLayoutEffect, useState } from 'preact/hooks';

/** What a key does. */
export interface Shortcut {
  /** In words, for the help. */
  readonly does: string;
  readonly run: () => void;
}

/** Shortcuts by key: `j`, `Enter`, `?`; `g r` is one key after the other. */
export type Shortcuts = Readonly<Record<string, Shortcut>>;

const STORED = 'heed.shortcuts';

/** Whether shortcuts work; whoever speaks to the machine, or is in the way of single keys, turns them off. */
export const shortcutsOn = signal(localStorage.getItem(STORED) !== 'off');
export function setShortcutsOn(on: boolean): void {
  shortcutsOn.value = on;
  localStorage.setItem(STORED, on ? 'on' : 'off');
}

interface Entry { readonly owner: object; readonly shortcuts: Shortcuts; readonly everywhere: boolean }

const entries = signal<readonly Entry[]>([]);

/** What works now. Those of a part go before those of the page around it, and those of every page come last. */
export const active = computed(() =>
  [false, true].flatMap((everywhere) => entries.value.filter((one) => one.everywhere === everywhere).map(({ shortcuts }) => shortcuts)));

/**
 * Has shortcuts work while the component is shown.
 *
 * @param everywhere whether they are those of every page, which a page may use for something else
 */
export function useKeys(shortcuts: Shortcuts, everywhere = false): void {
  const [owner] = useState({});
  // Before the page is drawn: a key that is pressed at once must not be lost.
  useLayoutEffect(() => {
    const entry = { owner, shortcuts, everywhere };
    const before = entries.peek();
    const at = before.findIndex((one) => one.owner === owner);
    entries.value = at < 0 ? [...before, entry] : before.with(at, entry);
  });
  useLayoutEffect(() => () => { entries.value = entries.peek().filter((one) => one.owner !== owner); }, []);
}

let first = '';
let forget: ReturnType<typeof setTimeout> | undefined;

const TEXT = 'input:not([type=checkbox],[type=radio],[type=range]), textarea, select, [contenteditable]';

addEventListener('keydown', (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const target = event.target instanceof Element ? event.target : undefined;
  if (target?.closest(TEXT)) {
    if (event.key === 'Escape') (target as HTMLElement).blur();
    return;
  }
  // Enter and space on a button or a link are its own.
  if (['Enter', ' '].includes(event.key) && target?.closest('button, a, summary, input')) return;
  // A dialog has the keys to itself.
  if (document.querySelector('dialog[open]') !== null || (!shortcutsOn.peek() && event.key !== '?')) return;
  const two = `${first} ${event.key}`;
  const keys = first === '' ? [event.key] : [two, event.key];
  const found = keys.flatMap((key) => active.peek().flatMap((one) => (Object.hasOwn(one, key) ? [one[key]!] : [])))[0];
  clearTimeout(forget);
  first = '';
  if (found !== undefined) {
    event.preventDefault();
    found.run();
  } else if (active.peek().some((one) => Object.keys(one).some((key) => key.startsWith(`${event.key} `)))) {
    first = event.key;
    forget = setTimeout(() => { first = ''; }, 1500);
  }
});
