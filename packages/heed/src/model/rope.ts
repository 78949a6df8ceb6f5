import type { Feed } from '@heed/tensor';
import { UserError } from '../errors.js';

export interface RopeConfig {
  readonly headSize: number;
  readonly theta: number;
  readonly scaling: Readonly<Record<string, unknown>> | undefined;
}

/** Inverse frequencies θ^(−2i/d) for i < d/2, after the scaling the checkpoint asks for (`linear` or `llama3`). */
export function inverseFrequencies({ headSize, theta, scaling }: RopeConfig): number[] {
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
      const [factor, low, high, original] = ['factor', 'low_freq_factor', 'high_freq_factor', 'original_max_position_embeddings'].map(number) as [number, number, number, number];
      return plain.map((f) => {
        const wavelength = (2 * Math.PI) / f;
        if (wavelength < original / high) return f;
        if (wavelength > original / low) return f / factor;
        const smooth = (original / wavelength - low) / (high - low);
        return ((1 - smooth) * f) / factor + smooth * f;
      });
    }
    default:
      throw new UserError(`config.json asks for rope_scaling ${JSON.stringify(kind)}; Heed knows default, linear and llama3.`);
  }
}

/** cos and sin of position × frequency, [rows, headSize/2] each. */
export function ropeTables(config: RopeConfig, rows: number): { cosine: Float32Array; sine: Float32Array } {
  const frequencies = inverseFrequencies(config);
  const half = frequencies.length;
  const cosine = new Float32Array(rows * half);
  const sine = new Float32Array(rows * half);
  for (let t = 0; t < rows; t++) for (let i = 0; i < half; i++) {
    cosine[t * half + i] = Math.cos(t * frequencies[i]!);
    sine[t * half + i] = Math.sin(t * frequencies[i]!);
  }
  return { cosine, sine };
}

/** Cosines and sines for at least so many rows: the kernel wants as many as there are tokens, not only positions. */
export type RopeFeed = (rows: number) => Record<string, Feed>;

/** Feeds of `ropeInputs`: tables that grow by doubling, so that lengths rarely make new ones. */
export function ropeFeed({ rope }: { readonly rope: RopeConfig }): RopeFeed {
  let rows = 0;
  let feeds: Record<string, Feed> | undefined;
  return (needed) => {
    if (feeds === undefined || needed > rows) {
      rows = Math.max(1024, 2 ** Math.ceil(Math.log2(needed)));
      const { cosine, sine } = ropeTables(rope, rows);
      const shape = [rows, rope.headSize / 2];
      feeds = { cosine: { data: cosine, shape }, sine: { data: sine, shape } };
    }
    return feeds;
  };
}

/** For each row of a layout, which row of the tables turns it: its position. */
export const tableRows = ({ positions }: { readonly positions: BigInt64Array }, _architecture: { readonly rope: RopeConfig }): BigInt64Array => positions;
