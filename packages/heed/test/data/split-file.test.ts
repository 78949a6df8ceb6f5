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
    expect(err).toContain('did you mean "eval"?');
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
