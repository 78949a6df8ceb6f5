import type { Feed } from '@heed/tensor';
import { UserError } from '../errors.js';
import type { Layout } from './layout.js';

export interface RopeConfig {
  /** How many numbers of a head are turned: all of them, but for a few architectures. */
  readonly headSize: number;
  readonly theta: number;
  readonly scaling: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Inverse frequencies θ^(−2i/d) for i < d/2, after the scaling the checkpoint asks for (`linear`, `llama3` or `longrope`).
 *
 * @param long the frequencies of texts longer than the model was first trained on: LongRoPE (Ding et al. 2024) has two sets
 */
export function inverseFrequencies({ headSize, theta, scaling }: RopeConfig, long = false): number[] {
  const plain = Array.from({ length: headSize / 2 }, (_, i) => theta ** ((-2 * i) / headSize));
  const kind = scaling?.['rope_type'] ?? scaling?.['type'] ?? 'default';
  const number = (key: string): number => {
    const value = scaling?.[key];
    if (typeof value !== 'number') throw new UserError(`config.json: rope_scaling.${key} must be a number, not ${JSON.stringify(value)}.`);
    return value;
  };
  switch (kind) {
    case 'default':
      return plain;
    case 'linear':
      return plain.map((f) => f / number('factor'));
    case 'llama3': {
      const [factor, low, high, original] = ['factor', 'low_freq_factor', 'high_freq_factor', 'original_max_position_embeddings'].map(
        number,
      ) as [number, number, number, number];
      return plain.map((f) => {
        const wavelength = (2 * Math.PI) / f;
        if (wavelength < original / high) return f;
        if (wavelength > original / low) return f / factor;
        const smooth = (original / wavelength - low) / (high - low);
        return ((1 - smooth) * f) / factor + smooth * f;
      });
    }
    case 'longrope': {
      const key = long ? 'long_factor' : 'short_factor';
      const factors = scaling?.[key];
      if (!Array.isArray(factors) || factors.length !== plain.length || !factors.every((f) => typeof f === 'number' && f > 0)) {
        throw new UserError(`config.json: rope_scaling.${key} must be a list of ${plain.length} numbers, not ${JSON.stringify(factors)}.`);
      }
      return plain.map((f, i) => f / (factors as number[])[i]!);
    }
    default:
      throw new UserError(`config.json asks for rope_scaling ${JSON.stringify(kind)}; Heed knows default, linear, llama3 and longrope.`);
  }
}

/** Up to this length a text is turned by LongRoPE's short factors, and a longer one, from its first token on, by the long ones. */
export function shortLength({ scaling }: RopeConfig): number | undefined {
  if (scaling?.['rope_type'] !== 'longrope') return undefined;
  const original = scaling['original_max_position_embeddings'];
  if (typeof original !== 'number')
    throw new UserError(`config.json: longrope needs original_max_position_embeddings, a number, not ${JSON.stringify(original)}.`);
  return original;
}

/** LongRoPE makes queries and keys longer as well: √(1 + ln(factor)/ln(original)) unless config.json says otherwise. */
function magnitude(config: RopeConfig): number {
  const original = shortLength(config);
  if (original === undefined) return 1;
  const { attention_factor: given, factor } = config.scaling!;
  if (typeof given === 'number') return given;
  return typeof factor === 'number' && factor > 1 ? Math.sqrt(1 + Math.log(factor) / Math.log(original)) : 1;
}

/**
 * cos and sin of position × frequency, [rows, headSize/2] each. With LongRoPE the first `shortLength` rows are those of short
 * texts, and those of long texts follow, from position 0 on: `tableRows` picks.
 */
export function ropeTables(config: RopeConfig, rows: number): { cosine: Float32Array; sine: Float32Array } {
  const long = shortLength(config) ?? rows;
  const frequencies = inverseFrequencies(config);
  const half = frequencies.length;
  const scale = magnitude(config);
  const cosine = new Float32Array(rows * half);
  const sine = new Float32Array(rows * half);
  const fill = (from: number, to: number, turns: readonly number[]): void => {
    for (let t = from; t < to; t++) for (let i = 0; i < half; i++) {
      cosine[t * half + i] = scale * Math.cos((t - from) * turns[i]!);
      sine[t * half + i] = scale * Math.sin((t - from) * turns[i]!);
    }
  };
  fill(0, Math.min(long, rows), frequencies);
  if (rows > long) fill(long, rows, inverseFrequencies(config, true));
  return { cosine, sine };
}

/** Tables of cosines and sines for positions below `rows`, and at least so many: the kernel wants as many as there are tokens. */
export type RopeFeed = (rows: number) => Record<string, Feed>;

/** Feeds of `ropeInputs`: tables that grow by doubling, so that lengths rarely make new ones. */
export function ropeFeed({ rope, localRope }: Ropes): RopeFeed {
  let rows = 0;
  let feeds: Record<string, Feed> | undefined;
  const tables = (cosineName: string, sineName: string, config: RopeConfig): Record<string, Feed> => {
    const { cosine, sine } = ropeTables(config, rows);
    const shape = [rows, config.headSize / 2];
    return { [cosineName]: { data: cosine, shape }, [sineName]: { data: sine, shape } };
  };
  return (needed) => {
    const wanted = needed + (shortLength(rope) ?? 0);
    if (feeds === undefined || wanted > rows) {
      rows = Math.max(1024, 2 ** Math.ceil(Math.log2(wanted)));
      feeds = { ...tables('cosine', 'sine', rope), ...(localRope && tables('localCosine', 'localSine', localRope)) };
    }
    return feeds;
  };
}

interface Ropes {
  readonly rope: RopeConfig;
  readonly localRope?: RopeConfig;
}

/** Which row of the tables turns a position of a text that is `length` long (at most: of a text being written). */
export function tableRow(length: number, { rope }: Ropes): (position: number) => number {
  const short = shortLength(rope);
  return short === undefined || length <= short ? (position) => position : (position) => short + position;
}

/**
 * For each row of a layout, which row of the tables turns it. A prompt is turned as its longest sequence is (transformers: as
 * the longest of the batch), so that it can be shared.
 */
export function tableRows(
  l: Pick<Layout, 'positions' | 'promptRows' | 'promptIndex' | 'promptOf' | 'promptSlots' | 'labelOf' | 'responseOf' | 'responseSlots'>,
  ropes: Ropes,
): BigInt64Array {
  const short = shortLength(ropes.rope);
  if (short === undefined) return l.positions;
  const rows = BigInt64Array.from(l.positions);
  const start = (s: number): number => l.promptRows + l.responseOf[s * l.responseSlots]!;
  const lengthOf = (s: number): number => Number(l.positions[start(s)]) + l.labelOf[s]!.length;
  const long = new Set(l.promptIndex.filter((_, s) => lengthOf(s) > short));
  const shift = (from: number, count: number): void => {
    for (let row = from; row < from + count; row++) rows[row]! += BigInt(short);
  };
  for (const g of long) shift(l.promptOf[g * l.promptSlots]!, Number(l.positions[start(l.promptIndex.indexOf(g))]));
  l.promptIndex.forEach((g, s) => {
    if (long.has(g)) shift(start(s), l.labelOf[s]!.length);
  });
  return rows;
}
