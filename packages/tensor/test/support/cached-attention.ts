import { type Dim, sym } from '../../src/dims.js';
import { lower } from '../../src/lower.js';
import type { Program } from '../../src/program.js';
import type { Feed } from '../../src/runtime/engine.js';
import { input, op } from '../../src/tensor.js';

/** A step of attention over a cache. */
export interface CachedStep {
  readonly heads: number;
  readonly keyHeads: number;
  readonly d: number;
  /** New positions of each sequence. */
  readonly S: number;
  /** Places in the cache. */
  readonly L: number;
  /** Each sequence's positions after the step. */
  readonly ends: readonly number[];
  /** Positions that are seen at most, -1 for all. */
  readonly window: number;
}

export const STEPS: Readonly<Record<string, CachedStep>> = {
  'a prompt': { heads: 4, keyHeads: 2, d: 8, S: 5, L: 8, ends: [5], window: -1 },
  'prompts of several lengths': { heads: 6, keyHeads: 2, d: 8, S: 5, L: 9, ends: [3, 5, 1], window: -1 },
  'a long prompt': { heads: 4, keyHeads: 4, d: 8, S: 40, L: 64, ends: [40], window: -1 },
  'a prompt longer than the window': { heads: 2, keyHeads: 1, d: 8, S: 9, L: 12, ends: [9], window: 4 },
  'a first token': { heads: 2, keyHeads: 1, d: 8, S: 1, L: 4, ends: [1], window: -1 },
  'a next token': { heads: 4, keyHeads: 2, d: 8, S: 1, L: 64, ends: [37], window: -1 },
  'next tokens at several places': { heads: 4, keyHeads: 2, d: 8, S: 1, L: 16, ends: [4, 16, 9], window: -1 },
  'next tokens in a window': { heads: 2, keyHeads: 2, d: 8, S: 1, L: 16, ends: [3, 12], window: 5 },
};

/** The program of one layer, with sizes that are known when it runs. */
export function cachedStep({ heads, keyHeads, d, window }: CachedStep): Program {
  const [B, S, L] = ['B', 'S', 'L'].map(sym) as [Dim, Dim, Dim];
  const cache = [B, keyHeads, L, d];
  const [out, key, value] = op('GroupQueryAttention', [
    input('q', [B, S, heads * d]), input('k', [B, S, keyHeads * d]), input('v', [B, S, keyHeads * d]),
    input('pastKey', cache), input('pastValue', cache), input('lengths', [B], 'int32'), input('longest', [1], 'int32'),
  ], [{ dtype: 'float32', shape: [B, S, heads * d] }, { dtype: 'float32', shape: cache }, { dtype: 'float32', shape: cache }], {
    domain: 'com.microsoft',
    attributes: { num_heads: { int: heads }, kv_num_heads: { int: keyHeads }, scale: { float: 0.3 }, local_window_size: { int: window } },
  });
  return lower({ out: out!, key: key!, value: value! });
}

/** Numbers for a step, the same everywhere. */
export function cachedFeeds({ heads, keyHeads, d, S, L, ends }: CachedStep): Record<string, Feed> {
  const B = ends.length;
  const numbers = (shape: readonly number[], phase: number): Feed =>
    ({ data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(3 * i + phase)), shape });
  return {
    q: numbers([B, S, heads * d], 1), k: numbers([B, S, keyHeads * d], 2), v: numbers([B, S, keyHeads * d], 3),
    pastKey: numbers([B, keyHeads, L, d], 4), pastValue: numbers([B, keyHeads, L, d], 5),
    lengths: { data: Int32Array.from(ends, (end) => end - 1), shape: [B] },
    longest: { data: Int32Array.of(Math.max(...ends)), shape: [1] },
  };
}

/** What of a step's results is ever read: rows of a sequence, and places of the caches up to its end. */
export function readPart(
  { heads, keyHeads, d, S, L, ends }: CachedStep, results: Readonly<Record<string, { readonly data: unknown }>>,
): number[] {
  const of = (name: string): Float32Array => results[name]!.data as Float32Array;
  return ends.flatMap((end, b) => [
    ...of('out').subarray(b * S * heads * d, (b * S + Math.min(S, end)) * heads * d),
    ...['key', 'value'].flatMap((name) => Array.from({ length: keyHeads }, (_, h) => {
      const at = (b * keyHeads + h) * L * d;
      return [...of(name).subarray(at, at + end * d)];
    }).flat()),
  ]);
}
