import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { LogProbs, LossValue } from './loss.js';

/** What the real TRL computes, written by tools/oracles/trl_losses.py; fixtures/trl/README.md describes it. */
export interface TrlEntry {
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly batch: string;
  readonly loss: number;
  readonly logp: Readonly<Record<string, readonly number[]>>;
  readonly reference?: Readonly<Record<string, readonly number[]>>;
  /** By a sequence's summed log-probability: the derivative by each of its tokens'. */
  readonly dLoss: Readonly<Record<string, readonly number[]>>;
  /** By each parameter of `trlBatch`, in its order: norm, product with sin(i + 1), first and last number. */
  readonly gradient: {
    readonly norms: readonly number[];
    readonly dots: readonly number[];
    readonly ends: readonly (readonly [number, number])[];
  };
  readonly headGradient?: readonly number[];
}

const read = (name: string): unknown => JSON.parse(readFileSync(new URL(`../fixtures/trl/${name}.json`, import.meta.url), 'utf8'));

export interface TrlBatch {
  readonly pairs: readonly Readonly<Record<'prompt' | 'chosen' | 'rejected', readonly number[]>>[];
  readonly unpaired: Readonly<
    Record<string, readonly { readonly completion: readonly number[]; readonly mismatched: readonly number[]; readonly label: boolean }[]>
  >;
  readonly conversations: readonly {
    readonly prompt: readonly number[];
    readonly response: readonly number[];
    readonly supervised: readonly boolean[];
  }[];
  readonly scoreHead: readonly number[];
  readonly parameters: readonly { readonly name: string }[];
}
export const trlBatch = read('batch') as TrlBatch;

export function trlEntries(file: string): (name: string) => TrlEntry {
  const { entries } = read(file) as { entries: readonly TrlEntry[] };
  return (name) => {
    const found = entries.find((entry) => entry.name === name);
    if (found === undefined)
      throw new Error(`fixtures/trl/${file}.json has no entry "${name}"; it has ${entries.map((entry) => entry.name).join(', ')}.`);
    return found;
  };
}

/** Unequal token log-probabilities with these sums. */
export const spread = (sums: readonly number[], lengths: readonly number[]): number[][] =>
  sums.map((total, i) => {
    const parts = Array.from({ length: lengths[i]! }, (_, t) => 1 + t);
    const whole = parts.reduce((a, b) => a + b);
    return parts.map((part) => (total * part) / whole);
  });

/** Of sums by name, with the lengths of the batch's sequences. */
export const spreadAll = (
  sums: Readonly<Record<string, readonly number[]>>,
  lengths: Readonly<Record<string, readonly number[]>>,
): LogProbs => Object.fromEntries(Object.entries(sums).map(([name, values]) => [name, spread(values, lengths[name]!)]));

/** That every token of a sequence has the sequence's derivative, to `digits` of the largest one's size. */
export function expectGradient(value: LossValue, expected: Readonly<Record<string, readonly number[]>>, tolerance = 1e-5): void {
  const scale = Math.max(...Object.values(expected).flat().map(Math.abs));
  for (const [name, rows] of Object.entries(expected)) {
    rows.forEach((d, i) =>
      value.gradient[name]![i]!.forEach((actual) =>
        expect(Math.abs(actual - d) / scale, `d ${name} of row ${i}: ${actual}, not ${d}`).toBeLessThan(tolerance),
      ),
    );
  }
}
