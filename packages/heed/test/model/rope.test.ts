import { describe, expect, it } from 'vitest';
import { inverseFrequencies, ropeTables } from '../../src/model/rope.js';
import { json } from './support.js';
import { modelFixture } from './tiny.js';

interface Case { rope_type: string; rope_theta: number; headSize: number; frequencies: number[]; [key: string]: unknown }

describe('rotary frequencies', () => {
  it.each(json<Case[]>(modelFixture('rope.json')))(
    'equal those of transformers: $rope_type, heads of $headSize',
    ({ headSize, rope_theta: theta, frequencies, ...scaling }) => {
      const ours = inverseFrequencies({ headSize, theta, scaling });
      expect(ours).toHaveLength(frequencies.length);
      // Python's are 32-bit floats
      ours.forEach((f, i) => expect(Math.abs(f / frequencies[i]! - 1)).toBeLessThan(1e-6));
    },
  );

  it('know no scaling as default, and the older key "type"', () => {
    const plain = inverseFrequencies({ headSize: 8, theta: 10000, scaling: undefined });
    expect(plain[0]).toBe(1);
    expect(plain[2]).toBeCloseTo(0.01, 12);
    expect(inverseFrequencies({ headSize: 8, theta: 10000, scaling: { type: 'linear', factor: 2 } })).toEqual(plain.map((f) => f / 2));
  });

  it('refuse a scaling that is not known, or lacks a number, by name', () => {
    expect(() => inverseFrequencies({ headSize: 8, theta: 10000, scaling: { rope_type: 'yarn', factor: 4 } })).toThrow(
      /"yarn".*default, linear, llama3 and longrope/,
    );
    expect(() => inverseFrequencies({ headSize: 8, theta: 10000, scaling: { rope_type: 'llama3', factor: 8 } })).toThrow(
      /rope_scaling\.low_freq_factor must be a number/,
    );
  });

  it('make tables of cosines and sines by position', () => {
    const { cosine, sine } = ropeTables({ headSize: 4, theta: 100, scaling: undefined }, 3);
    expect([...cosine]).toEqual([1, 1, Math.cos(1), Math.cos(0.1), Math.cos(2), Math.cos(0.2)].map(Math.fround));
    expect([...sine]).toEqual([0, 0, Math.sin(1), Math.sin(0.1), Math.sin(2), Math.sin(0.2)].map(Math.fround));
  });
});
