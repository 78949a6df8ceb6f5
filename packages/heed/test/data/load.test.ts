import { describe, expect, it } from 'vitest';
import { DataOptions, loadData } from '../../src/data/load.js';
import { UserError } from '../../src/errors.js';
import { scratchFolder } from '../support/scratch.js';

const { folder, write } = scratchFolder();
const file = (name: string, from: number, to: number) =>
  write(
    name,
    Array.from({ length: to - from }, (_, i) => JSON.stringify({ prompt: `p${from + i}`, completion: `c${from + i}` })).join('\n'),
  );
const path = file('twenty.jsonl', 0, 20);

describe('DataOptions', () => {
  it('takes a path, paths or options', () => {
    const defaults = { junk: 'error', duplicates: 'keep', transcript: 'plain', onLong: 'error', seed: 0 };
    expect(DataOptions.parse('a.jsonl')).toEqual({ path: 'a.jsonl', ...defaults });
    expect(DataOptions.parse(['a.jsonl', 'b.csv'])).toEqual({ path: ['a.jsonl', 'b.csv'], ...defaults });
    expect(DataOptions.parse({ path: 'a.jsonl', eval: 0.1, columns: { prompt: 'question' } })).toEqual({
      ...defaults,
      path: 'a.jsonl',
      eval: 0.1,
      columns: { prompt: 'question' },
    });
  });

  it.each([
    [{ path: 'a', evaluation: 0.1 }, 'evaluation'],
    [{ path: 'a', columns: { prompt: 1 } }, 'columns'],
    [{ path: 'a', eval: 1.5 }, 'eval'],
    [{ path: 'a', eval: 0 }, 'eval'],
    [{ path: [] }, 'path'],
    [{}, 'path'],
    [{ path: 'a', onLong: 'truncate' }, 'onLong'],
  ])('refuses %j, naming %s', (options, name) => {
    const { error } = DataOptions.safeParse(options);
    expect(JSON.stringify(error?.issues)).toContain(name);
  });
});

describe('loadData', () => {
  const load = async (options: object) => {
    const { train, eval: held } = await loadData(DataOptions.parse({ path, ...options }), 'completion');
    return [train.map(({ completion }) => completion), held.map(({ completion }) => completion)] as const;
  };

  it('without options: every row, in order, none held out', async () => {
    const [train, held] = await load({});
    expect(train).toEqual(Array.from({ length: 20 }, (_, i) => `c${i}`));
    expect(held).toEqual([]);
  });

  it('shuffles by seed, always the same, and limits after the shuffle', async () => {
    const [shuffled] = await load({ shuffle: true, seed: 5 });
    expect(shuffled).not.toEqual((await load({}))[0]);
    expect([...shuffled].sort()).toEqual([...(await load({}))[0]].sort());
    expect((await load({ shuffle: true, seed: 5, limit: 4 }))[0]).toEqual(shuffled.slice(0, 4));
    expect((await load({ shuffle: true, seed: 6 }))[0]).not.toEqual(shuffled);
    expect((await load({ limit: 4 }))[0]).toEqual(['c0', 'c1', 'c2', 'c3']);
  });

  it('holds out a fraction, a number, or another file', async () => {
    expect((await load({ eval: 0.25 })).map((rows) => rows.length)).toEqual([15, 5]);
    expect((await load({ eval: 3 })).map((rows) => rows.length)).toEqual([17, 3]);
    expect((await load({ eval: file('more.jsonl', 20, 22) }))[1]).toEqual(['c20', 'c21']);
    // The same rows are held out whatever the order they are read in.
    expect([...(await load({ eval: 0.25, shuffle: true }))[1]].sort()).toEqual([...(await load({ eval: 0.25 }))[1]].sort());
  });

  it('reads relative paths from the folder given', async () => {
    expect((await loadData(DataOptions.parse('twenty.jsonl'), 'completion', folder)).train).toHaveLength(20);
    await expect(loadData(DataOptions.parse('thirty.jsonl'), 'completion', folder)).rejects.toThrow('thirty.jsonl does not exist');
  });

  it('lists lines that are not JSON and rows that cannot be used together, in the order of the files', async () => {
    const a = write(
      'mixed.jsonl',
      '{"prompt":"p","completion":7}\nnot json\n{"prompt":"p"}\n{"prompt":"p","completion":NaN}\n{"prompt":"p","completion":"fine"}\n',
    );
    const b = write('ragged.csv', 'prompt,completion\np\np,\n');
    const error = await load({ path: [a, b] }).catch((e: unknown) => e as UserError);
    expect(error).toBeInstanceOf(UserError);
    const { message, hints } = error as UserError;
    expect(message.split('\n').map((line) => line.replace(/\S*\//, ''))).toEqual([
      '6 of 7 rows cannot be used as completion rows',
      expect.stringMatching(/mixed.jsonl:1 {2}completion is a number.*: 7$/),
      expect.stringMatching(/mixed.jsonl:2 {2}is not JSON .*: "not json"$/),
      expect.stringMatching(/mixed.jsonl:3 {2}completion is missing$/),
      expect.stringMatching(/mixed.jsonl:4 {2}is not JSON /),
      expect.stringMatching(/ragged.csv:2 {2}has 1 cell where the header has 2/),
      expect.stringMatching(/ragged.csv:3 {2}completion is /),
    ]);
    expect(hints).toContain('NaN and Infinity are Python, not JSON; write null.');
  });
});
