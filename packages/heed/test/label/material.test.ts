import { describe, expect, it } from 'vitest';
import { LabelData, readPairs, readSingles } from '../../src/label/material.js';
import { scratchFolder } from '../support/scratch.js';

const { write } = scratchFolder();
const file = (name: string, rows: readonly object[]): string => write(name, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
const data = (path: string, more: object = {}): LabelData => LabelData.parse({ path, ...more });

describe('what labelers read', () => {
  it('chosen and rejected come in an order that does not tell which is which, the same in every run and wherever the row is', async () => {
    const rows = Array.from({ length: 400 }, (_, i) => ({ prompt: `Q ${i}`, chosen: `yes ${i % 7} ${i}`, rejected: `no ${i % 5} ${i}` }));
    const { rows: pairs } = await readPairs(data(file('a.jsonl', rows)));
    const first = pairs.filter(({ human }) => human === 1).length;
    // Half of 400, four standard deviations on either side.
    expect(Math.abs(first - 200)).toBeLessThan(40);
    for (const [i, { human, responses }] of pairs.entries())
      expect(responses).toEqual(human === 1 ? [rows[i]!.chosen, rows[i]!.rejected] : [rows[i]!.rejected, rows[i]!.chosen]);
    const { rows: turned } = await readPairs(
      data(
        file(
          'b.jsonl',
          rows.toReversed().map(({ prompt, chosen, rejected }) => ({ prompt, chosen: rejected, rejected: chosen })),
        ),
      ),
    );
    expect(turned.toReversed().map(({ responses }) => responses)).toEqual(pairs.map(({ responses }) => responses));
    expect(turned.toReversed().map(({ human }) => human)).toEqual(pairs.map(({ human }) => 1 - human!));
  });

  it('responses stay as they are; soft_label is what people said of the first', async () => {
    const { rows } = await readPairs(
      data(
        file('c.jsonl', [
          { prompt: 'Q', responses: ['a', 'b'], soft_label: 0.25 },
          { id: 7, prompt: 'Q', responses: ['b', 'a'] },
        ]),
      ),
    );
    expect(rows).toMatchObject([
      { responses: ['a', 'b'], human: 0.25 },
      { id: '7', responses: ['b', 'a'] },
    ]);
    expect(rows[1]).not.toHaveProperty('human');
  });

  it('lists what is no pair, or leaves it out and counts it', async () => {
    const path = file('d.jsonl', [
      { prompt: 'Q', responses: ['a', 'b'] },
      { prompt: 'Q', responses: ['a'] },
      { prompt: 'Q', responses: ['a', ' a'] },
      { prompt: 'Q', responses: ['a', 'b'], soft_label: 2 },
    ]);
    await expect(readPairs(data(path))).rejects.toThrow(
      /3 of 4 rows hold no pair[^]*d\.jsonl:2 {2}responses is not a list of two texts that differ: \["a"\][^]*d\.jsonl:4 {2}soft_label/,
    );
    expect(await readPairs(data(path, { junk: 'skip' }))).toMatchObject({ rows: [{ responses: ['a', 'b'] }], skipped: 3 });
  });

  it('what people said of one response: judgments, scores or votes', async () => {
    const read = async (name: string, row: object): Promise<unknown> =>
      (await readSingles(data(file(name, [{ prompt: 'Q', completion: 'a', ...row }])))).rows[0]!.human;
    expect(await read('e.jsonl', { judgment: 'bad', satisfied: false })).toEqual({ judgment: 'bad', satisfied: false });
    expect(await read('f.jsonl', { score: 4 })).toEqual({ score: 4 });
    expect(await read('g.jsonl', { label: true })).toEqual({ satisfied: true, score: 1 });
    expect(await read('h.jsonl', {})).toBeUndefined();
  });

  it('a shuffled limit takes a fair sample, always the same', async () => {
    const path = file(
      'i.jsonl',
      Array.from({ length: 50 }, (_, i) => ({ prompt: `Q ${i}`, completion: String(i) })),
    );
    const take = async (more: object): Promise<string[]> =>
      (await readSingles(data(path, { limit: 5, ...more }))).rows.map(({ completion }) => completion);
    expect(await take({})).toEqual(['0', '1', '2', '3', '4']);
    const shuffled = await take({ shuffle: true });
    expect(shuffled).not.toEqual(['0', '1', '2', '3', '4']);
    expect(await take({ shuffle: true })).toEqual(shuffled);
    expect(await take({ shuffle: true, seed: 1 })).not.toEqual(shuffled);
  });
});
