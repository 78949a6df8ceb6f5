/** What training changed on held-out rows, for people. */
import type { TrainSummary } from '../loop/train-job.js';
import { CHANGE_NOTE, directionOf, isNotDifference, measurementOf } from '../run/report/measurements.js';

/** Metrics on held-out rows, before → after, with the interval of their paired change and the good direction. */
export function renderChange({ heldOut, before, after, change }: TrainSummary): string[] {
  if (before === undefined || after === undefined) return [];
  const names = Object.keys(after);
  const lines = names.map((name) => {
    const by = change?.[name];
    const interval = by === undefined ? '' : `  (${signed(by.mean)}, 95 % [${signed(by.low)}, ${signed(by.high)}])`;
    const direction = directionOf(measurementOf(name));
    const good = direction === undefined ? '' : `  ${direction}`;
    return `  ${name.padEnd(24)} ${plain(before[name])} → ${plain(after[name])}${interval}${good}`;
  });
  const odd = names.some((name) => isNotDifference(before[name], after[name], change?.[name]));
  return [`held out, ${heldOut} rows:`, ...lines, ...(odd ? [CHANGE_NOTE] : [])];
}

/** Four digits behind the point; what rounds to 0 is 0, without a sign. */
const plain = (x: number | undefined): string => (x === undefined ? '-' : x.toFixed(4).replace(/^-(0\.0+)$/, '$1'));
const signed = (x: number): string => `${x < 0 && plain(x).startsWith('-') ? '' : '+'}${plain(x)}`;
