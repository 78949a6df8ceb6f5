import { quantileSorted } from 'simple-statistics';
import { UserError } from '../errors.js';

/** Tokens of one row's two parts. */
export interface TokenLengths {
  readonly prompt: number;
  readonly response: number;
}

/** Lengths of prompt + response, in tokens. */
export interface Lengths {
  readonly rows: number;
  readonly total: number;
  readonly min: number;
  readonly median: number;
  readonly p95: number;
  readonly max: number;
  /** Rows per length, in ranges that double: `from` ≤ length < `to`. */
  readonly histogram: readonly { readonly from: number; readonly to: number; readonly rows: number }[];
  /** Indices of rows longer than the limit, when there is one. */
  readonly over: readonly number[];
  /** Of these, the rows whose response alone leaves no room for one prompt token. */
  readonly responseOver: readonly number[];
}

/**
 * Summarises token lengths.
 *
 * @param maxTokens The limit on prompt + response; without one `over` and `responseOver` are empty.
 */
export function measureLengths(tokens: readonly TokenLengths[], maxTokens = Infinity): Lengths {
  if (tokens.length === 0) throw new UserError('There are no rows to measure');
  const sums = tokens.map(({ prompt, response }) => prompt + response);
  const sorted = [...sums].sort((a, b) => a - b);
  const [min, max] = [sorted[0] ?? 0, sorted.at(-1) ?? 0];
  const histogram: { from: number; to: number; rows: number }[] = [];
  for (let from = 2 ** Math.floor(Math.log2(Math.max(1, min))); from <= max; from *= 2) {
    histogram.push({ from, to: from * 2, rows: sums.filter((sum) => sum >= from && sum < from * 2).length });
  }
  const indices = [...tokens.keys()];
  return {
    rows: tokens.length,
    total: sums.reduce((a, b) => a + b, 0),
    min,
    median: quantileSorted(sorted, 0.5),
    p95: quantileSorted(sorted, 0.95),
    max,
    histogram,
    over: indices.filter((index) => (sums[index] ?? 0) > maxTokens),
    responseOver: indices.filter((index) => (tokens[index]?.response ?? 0) >= maxTokens),
  };
}
