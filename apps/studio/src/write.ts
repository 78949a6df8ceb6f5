/** Numbers as people read them: as the report writes them. */
import { clock } from '../../../packages/heed/src/run/numbers.js';
import { number, percent } from '../../../packages/heed/src/run/report/format.js';
import { writerOf } from '../../../packages/heed/src/run/report/measurements.js';
import type { Value } from './api.js';

export { clock, number, percent, writerOf };

/** `1 item`, `2 items`. */
export const counted = (n: number, one: string, several = `${one}s`): string => `${number(n)} ${n === 1 ? one : several}`;

/** `−0.4 to −0.2`; empty where no interval was measured. */
export const interval = ({ low, high }: Value, write: (value: number) => string): string =>
  (low === undefined || high === undefined ? '' : `${write(low)} to ${write(high)}`);

const units: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [['day', 86400], ['hour', 3600], ['minute', 60]];

/** `5 minutes ago`. */
export function ago(iso: string, now = Date.now()): string {
  const seconds = (Date.parse(iso) - now) / 1000;
  const [unit, size] = units.find(([, length]) => Math.abs(seconds) >= length) ?? ['second', 1];
  return new Intl.RelativeTimeFormat('en', { numeric: 'auto' }).format(Math.round(seconds / size), unit);
}

/** A point in time in the words of the reader's own clock. */
export const moment = (iso: string): string => new Date(iso).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** The last part of a path. */
export const nameOf = (run: string): string => run.split('/').at(-1)!;
