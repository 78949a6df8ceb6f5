import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openShared } from '../../src/run/shared-folder.js';
import { scratchFolder } from '../support/scratch.js';

const { folder } = scratchFolder();
const never = (): Promise<never> => Promise.reject(new Error('It was found before.'));

describe('what runs share', () => {
  it('is found again with all its bits, by another process too', async () => {
    // A part of a larger buffer; a negative zero, the least number, a third, and what is no number.
    const numbers = new Float32Array([9, -0, 1e-45, 1 / 3, Number.NaN, -Infinity]).subarray(1);
    const value = { rows: [[0, { 'logp:chosen': [numbers] }]], text: 'Yes.', none: null };
    const dir = join(folder, 'bits');
    expect(await openShared(dir).take('scores', ['key', 1], () => Promise.resolve(value))).toBe(value);
    const found = await openShared(dir).take<typeof value>('scores', ['key', 1], never);
    expect(found).toEqual(value);
    const [, read] = found.rows[0] as [number, { 'logp:chosen': [Float32Array] }];
    const bits = (all: Float32Array): Uint32Array => new Uint32Array(all.slice().buffer);
    expect(bits(read['logp:chosen'][0])).toEqual(bits(numbers));
  });

  it('depends on the whole key and on what it is', async () => {
    const shared = openShared(join(folder, 'keys'));
    const keys = [['a', 'b'], ['ab'], ['b', 'a'], ['a', 'b', undefined], [['a', 'b']], []];
    for (const [i, key] of keys.entries()) expect(await shared.take('answers', key, () => Promise.resolve(i))).toBe(i);
    expect(await shared.take('scores', keys[0]!, () => Promise.resolve(-1))).toBe(-1);
    for (const [i, key] of keys.entries()) expect(await shared.take('answers', key, never)).toBe(i);
  });

  it('is made again where its file is damaged, and nothing is kept of what failed', async () => {
    const dir = join(folder, 'damaged');
    const shared = openShared(dir);
    await expect(shared.take('answers', ['key'], never)).rejects.toThrow('It was found before.');
    await shared.take('answers', ['key'], () => Promise.resolve('first'));
    const [file] = readdirSync(dir);
    writeFileSync(join(dir, file!), '{"value": "fi');
    expect(await shared.take('answers', ['key'], () => Promise.resolve('second'))).toBe('second');
    expect(await shared.take('answers', ['key'], never)).toBe('second');
  });
});
