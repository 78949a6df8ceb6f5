/** Where the page is: `#/runs?run=runs/cut`. The address holds everything that a reload or a link should show again. */
import { computed, signal } from '@preact/signals';

/** A place in the studio. */
export interface Place {
  /** The id of a page. */
  readonly page: string;
  readonly params: URLSearchParams;
}

/** What an address after `#` names; without one the first page. */
export function parsePlace(hash: string): Place {
  const [path = '', query = ''] = hash.replace(/^#?\/?/, '').split(/\?(.*)/s);
  return { page: path === '' ? 'runs' : path, params: new URLSearchParams(query) };
}

/** The address of a place. Parameters that are undefined or empty are left out. */
export function addressOf(page: string, params: Readonly<Record<string, string | undefined>> = {}): string {
  const query = new URLSearchParams(Object.entries(params).filter((entry): entry is [string, string] => (entry[1] ?? '') !== ''));
  return `#/${page}${query.size === 0 ? '' : `?${query}`}`;
}

const hash = signal(location.hash);
addEventListener('hashchange', () => { hash.value = location.hash; });

/** The place that is shown. */
export const place = computed(() => parsePlace(hash.value));

/** Goes to a place; `replace` leaves no step in the history. */
export function go(address: string, { replace = false } = {}): void {
  if (replace) history.replaceState(null, '', address);
  else history.pushState(null, '', address);
  hash.value = location.hash;
}

/** Changes parameters of the place that is shown, without a step in the history. */
export function setParams(change: Readonly<Record<string, string | undefined>>): void {
  const { page, params } = place.peek();
  go(addressOf(page, { ...Object.fromEntries(params), ...change }), { replace: true });
}
