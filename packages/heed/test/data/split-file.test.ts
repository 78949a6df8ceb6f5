import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { main } from '../../src/cli/main.js';
import { DataOptions, loadData } from '../../src/data/load.js';
import type { BaseRow } from '../../src/data/row.js';
import type { RowKind } from '../../src/data/rows.js';
import { splitFile } from '../../src/data/split-file.js';
import { scratchFolder } from '../support/scratch.js';

const { folder, write } = scratchFolder();
const user = (content: string) => ({ role: 'user', content });
const assistant = (content: string) => ({ role: 'assistant', content });
const lines = (rows: readonly object[]): string => rows.map((row) => JSON.stringify(row)).join('\n');

/** Conversations of which several share all turns before the answer, and others the first turn alone. */
const talks = Array.from({ length: 30 }, (_, i) => {
  const before = [user(`q${i % 3}`), assistant(`a${i % 2}`), user(`and ${i % 10}?`)];
  return { id: i, messages: [...before, assistant(`so ${i}`)], judgment: `${i}`, label: i % 2 === 0, score: i };
});
const path = write('talks.jsonl', lines(talks));

describe('a split', () => {
  it('holds out the same rows whatever kind a method reads them as, and keeps equal turns before the answer together', async () => {
    const held = async (kind: RowKind): Promise<number[]> => {
      const { eval: rows } = await loadData(DataOptions.parse({ path, eval: 0.3, seed: 4 }), kind);
      return (rows as BaseRow[]).map(({ source }) => source.line - 1);
    };
    const [first, ...others] = await Promise.all((['conversation', 'completion', 'judged', 'labelled', 'scored'] as const).map(held));
    expect(first!.length).toBeGreaterThan(5);
    for (const other of others) expect(other).toEqual(first);
    const before = (i: number): string => JSON.stringify(talks[i]!.messages.slice(0, -1));
    const out = new Set(first!.map(before));
    for (const [i] of talks.entries()) expect(out.has(before(i))).toBe(first!.includes(i));
    const { eval: written, train } = await splitFile(DataOptions.parse({ path, eval: 0.3, seed: 4 }));
    expect(written).toEqual(first!.map((i) => talks[i]));
    expect(train).toHaveLength(30 - first!.length);
  });

  it('holds out the same prompts where methods leave out different rows, after a limit and a shuffle too', async () => {
    const rows = Array.from({ length: 60 }, (_, i) => ({
      prompt: `q${i}`, completion: i % 5 === 1 ? '' : `a${i}`, judgment: i % 4 === 3 ? '$ERROR$' : 'too long', label: i % 2 === 0,
      chosen: `c${i}`, rejected: i % 6 === 4 ? `c${i}` : `r${i}`,
    }));
    const messy = write('messy.jsonl', lines(rows));
    for (const more of [{}, { limit: 40 }, { limit: 40, shuffle: true }, { eval: 7 }]) {
      const options = DataOptions.parse({ path: messy, eval: 0.3, seed: 2, junk: 'skip', ...more });
      const { eval: written, train } = await splitFile(options);
      expect(written).toHaveLength('eval' in more ? 7 : Math.round(0.3 * (written.length + train.length)));
      const [held, learnt] = [written, train].map((part) => part.map(({ prompt }) => Number(String(prompt).slice(1))));
      const fit = { completion: 'completion', judged: 'judgment', preference: 'rejected', labelled: 'completion' } as const;
      for (const kind of ['completion', 'judged', 'preference', 'labelled'] as const) {
        const loaded = await loadData(options, kind);
        const at = (part: readonly BaseRow[]): number[] => part.map(({ source }) => source.line - 1);
        const left = new Set(loaded.skipped.map(({ source }) => source.line - 1));
        expect(left.size, fit[kind]).toBeGreaterThan(5);
        expect(at(loaded.eval as BaseRow[])).toEqual(held!.filter((i) => !left.has(i)));
        expect(at(loaded.train as BaseRow[]).sort((a, b) => a - b)).toEqual(learnt!.filter((i) => !left.has(i)).sort((a, b) => a - b));
      }
    }
  });

  it('says that rows left out count, where all that it would hold out is left out', async () => {
    const data = write('all-left.jsonl', lines(['', 'b', ''].map((completion, i) => ({ prompt: `p${i}`, completion }))));
    await expect(loadData(DataOptions.parse({ path: data, eval: 1, junk: 'skip' }), 'completion')).rejects
      .toThrow('data.eval: 1 cannot split 1 row and 2 left out with 3 distinct prompts');
  });

  it('is written by heed split: every column, every digit', async () => {
    const data = write('ids.jsonl',
      '{"id":1234567890123456789,"question":"a","x":[1]}\n{"id":2,"question":"b"}\n{"id":3,"question":"b"}\n');
    let err = '';
    const run = (...more: string[]) => main(['split', data, 'columns.prompt=question', 'eval=1', '-o', join(folder, 'parts'), ...more], {
      stdout: { write: () => undefined }, stderr: { write: (text) => void (err += text) },
    });
    expect(await run(), err).toBe(0);
    const parts = ['eval', 'train'].map((part) => readFileSync(join(folder, 'parts', `${part}.jsonl`), 'utf8'));
    expect(parts).toEqual(['{"id":"1234567890123456789","question":"a","x":[1]}\n', '{"id":2,"question":"b"}\n{"id":3,"question":"b"}\n']);
    expect(await run()).not.toBe(0);
    expect(err).toContain('is already there');
    expect(await run('--overwrite', 'evil=2')).not.toBe(0);
    expect(err).toContain('did you mean "data.eval"?');
    // As everywhere else: with the section before the option.
    const named = ['split', data, 'data.columns.prompt=question', 'data.eval=1', '-o', join(folder, 'named')];
    expect(await main(named, { stdout: { write: () => undefined }, stderr: { write: (text) => void (err += text) } }), err).toBe(0);
    expect(readFileSync(join(folder, 'named', 'eval.jsonl'), 'utf8')).toBe(parts[0]);
  });
});

describe('data.duplicates', () => {
  const row = { prompt: 'p', completion: 'c', judgment: 'x' };
  const data = write('twice.jsonl', lines([{ ...row, id: 1 }, { ...row, judgment: 'y' }, { ...row, id: 2 }, { ...row, judgment: 'y' }]));
  const load = (duplicates: string) => loadData(DataOptions.parse({ path: data, duplicates }), 'judged');

  it('keep, drop, or are an error', async () => {
    expect((await load('keep')).train).toHaveLength(4);
    const { train, skipped } = await load('drop');
    expect(train.map(({ judgment }) => judgment)).toEqual(['x', 'y']);
    expect(skipped.map(({ source: { line }, reason }) => [line, reason])).toEqual([[3, `repeats ${data}:1`], [4, `repeats ${data}:2`]]);
    await expect(load('error')).rejects.toThrow('2 of 4 rows are duplicates');
  });
});
