import { describe, expect, it } from 'vitest';
import { examine } from '../../src/data/doctor.js';
import { type ParseOptions, type Parsed, parseRows } from '../../src/data/parse.js';
import { renderDoctor } from '../../src/data/render-doctor.js';
import type { RowKind, RowOf } from '../../src/data/rows.js';
import { leftOver } from '../../src/data/unused.js';
import type { UserError } from '../../src/errors.js';

type Fields = Readonly<Record<string, unknown>>;

const parse = <K extends RowKind>(kind: K, rows: readonly Fields[], options: ParseOptions = {}, untyped = false): Parsed<RowOf<K>> =>
  parseRows(kind, rows.map((fields, i) => ({ source: { file: 'f', line: i + 1 }, fields, untyped })), options);

function failure(kind: RowKind, rows: readonly Fields[], options?: ParseOptions): string {
  try {
    parse(kind, rows, options);
  } catch (error) {
    return [(error as UserError).message, ...(error as UserError).hints].join('\n');
  }
  throw new Error('nothing was thrown');
}

describe('columns that nothing reads', () => {
  it('are named, by every kind of row', () => {
    const row = { id: 1, prompt: 'p', completion: 'c', created_at: 5, user_id: 'u' };
    expect(parse('completion', [row]).unused).toEqual(['created_at', 'user_id']);
    expect(parse('scored', [{ ...row, score: 1 }]).unused).toEqual(['created_at', 'user_id']);
    expect(parse('preference', [{ ...row, chosen: 'a', rejected: 'b' }]).unused).toEqual(['completion', 'created_at', 'user_id']);
    expect(parse('completion', [row], { ignore: ['user_id'] }).unused).toEqual(['created_at']);
    // Rewards may need what a row of a prompt has beside its prompt.
    expect(parse('prompt', [row])).toMatchObject({ unused: [], rows: [{ extra: { user_id: 'u' } }] });
    expect(parse('conversation', [{ ...row, messages: [{ role: 'user', content: 'p' }, { role: 'assistant', content: 'c' }] }]).unused)
      .toEqual([
      'prompt', 'completion', 'created_at', 'user_id',
    ]);
  });

  it('the doctor lists', () => {
    const { rows, unused } = parse('completion', [{ prompt: 'p', completion: 'c', user_id: 3 }]);
    expect(renderDoctor(examine('completion', { train: rows, eval: [], skipped: [], unused }))).toContain('\nNot used: user_id.\n');
    expect(leftOver(['a', 'messages[].name', 'messages[].x'], { reads: (key) => key === 'name' })).toEqual(['a', 'messages[].x']);
  });

  it('are refused by name where they change what rows teach', () => {
    const row = { prompt: 'p', completion: 'c' };
    expect(failure('completion', [row, { ...row, weight: 0 }])).toBe(
      'The data have a column weight: rows have no weights, and it would be lost\n'
        + 'Where it does not matter, pass over it: data.ignore: [weight].',
    );
    expect(failure('completion', [row, { ...row, sample_weight: 0.5 }])).toContain('column sample_weight: rows have no weights');
    expect(parse('completion', [{ ...row, weight: 1 }, { ...row, weight: null }]).unused).toEqual(['weight']);
    expect(parse('completion', [{ ...row, weight: 0 }], { ignore: ['weight'] }).unused).toEqual([]);
    expect(failure('preference', [{ ...row, chosen: 'a', rejected: 'b', images: ['x.png'] }]))
      .toContain('column images: only text is learned');
    expect(failure('completion', [row], { ignore: ['wieght'] })).toMatch(/data\.ignore names the column wieght, which no row of \S+ has/);
  });

  it('a judgment says of a conversation what it says of a judged row, unless satisfied does', () => {
    const said = ['Wrong.', null, '', '$ERROR$'].map((judgment) => ({ prompt: 'p', completion: 'c', judgment }));
    expect(parse('conversation', said).rows.map(({ satisfied }) => satisfied)).toEqual([false, true, true, undefined]);
    expect(parse('conversation', said.map((row) => ({ ...row, satisfied: true }))).rows.every(({ satisfied }) => satisfied)).toBe(true);
  });

  it('that rate a response are refused where it would be imitated whatever they say', () => {
    const row = { prompt: 'p', completion: 'c' };
    expect(failure('conversation', [row, { ...row, score: 2 }]))
      .toContain('The data have a column score: "conversation" rows are learned as good ones');
    expect(parse('conversation', [{ ...row, score: 2, satisfied: true }]).unused).toEqual(['score']);
    for (const name of ['rating', 'vote', 'thumb', 'thumbs'])
      expect(failure('conversation', [row, { ...row, [name]: 'down' }])).toContain(`data.columns: { satisfied: ${name} }`);
    expect(parse('conversation', [{ ...row, thumbs: null }]).unused).toEqual(['thumbs']);
    const stars = { columns: { satisfied: 'score' }, values: { 1: false, 2: false, 3: false, 4: true, 5: true } };
    expect(parse('conversation', [{ ...row, score: 2 }, { ...row, score: 5 }], stars).rows.map(({ satisfied }) => satisfied))
      .toEqual([false, true]);
  });
});

describe('data.values', () => {
  const row = { prompt: 'p', completion: 'c' };
  const values = { up: true, down: false };

  it('say what the file writes for true and false', () => {
    expect(parse('labelled', [{ ...row, label: 'up' }, { ...row, label: ' down ' }], { values }).rows.map(({ label }) => label))
      .toEqual([true, false]);
    expect(parse('labelled', [{ ...row, label: 'UP ' }], { values: { 'UP ': true } }).rows[0]).toMatchObject({ label: true });
    expect(parse('conversation', [{ ...row, label: 'down' }], { values }).rows[0]).toMatchObject({ satisfied: false });
    expect(parse('negative', [{ ...row, thumb: 'up' }], { values, columns: { satisfied: 'thumb' } }).rows[0])
      .toMatchObject({ satisfied: true });
    const judged = [{ ...row, thumb: 'down', judgment: 'Bad.' }, { ...row, thumb: 'up', judgment: '' }];
    expect(parse('judged', judged, { values, columns: { label: 'thumb' } }).rows.map(({ satisfied }) => satisfied)).toEqual([false, true]);
    // pandas writes whole numbers beside empty cells as 5.0.
    const stars = { 1: false, 5: true };
    expect(parse('labelled', [{ ...row, label: '5.0' }, { ...row, label: '1' }], { values: stars }, true).rows.map(({ label }) => label))
      .toEqual([true, false]);
    expect(parse('labelled', [{ ...row, label: 1 }, { ...row, label: 0 }],
      { values: { 1: false, 0: true } }).rows.map(({ label }) => label)).toEqual([false, true]);
  });

  it('are asked for where a value is neither, and refused where nothing reads them', () => {
    expect(failure('labelled', [{ ...row, label: 'sideways' }], { values })).toContain(
      'label is a string, not true or false: "sideways"\ndata.values says what the file writes for true and false',
    );
    expect(failure('labelled', [{ ...row, label: 'Up' }, { ...row, label: 'meh' }, { ...row, label: 'meh ' }], { values }))
      .toContain('Not known as true or false: "meh" (2 rows), "Up" (1 row).');
    expect(failure('scored', [{ ...row, score: 1 }], { values })).toContain('"scored" rows of these data have no such column');
  });
});

describe('thumbs and comments', () => {
  const row = { prompt: 'p', completion: 'c' };

  it('a thumb down without a comment is never satisfactory by silence', () => {
    for (const said of [{ label: false }, { label: 0 }, { satisfied: false }]) {
      expect(failure('judged', [{ ...row, ...said, judgment: null }])).toContain('judgment says nothing though satisfied is false');
      expect(parse('judged', [{ ...row, ...said, judgment: 'x' }, { ...row, ...said, judgment: null }], { junk: 'skip' }).skipped)
        .toHaveLength(1);
    }
    expect(parse('judged', [{ ...row, label: true, judgment: 'thanks!' }]).rows[0]).toMatchObject({ satisfied: true, judgment: 'thanks!' });
  });

  it('the doctor warns where silence abounds, and not of a thumb up with thanks', () => {
    const found = (rows: readonly Fields[]) => {
      const { rows: train, notices } = parse('judged', rows);
      return examine('judged', { train, eval: [], skipped: [], notices }).findings.map(({ name, rows }) => [name, rows]);
    };
    const talk = (n: number, more: Fields): Fields[] => Array.from({ length: n }, (_, i) => ({ ...row, completion: `c${i}`, ...more }));
    expect(found([...talk(2, { judgment: null }), { ...row, judgment: 'Too long.' }])).toEqual([['called good by silence', 2]]);
    expect(found([...talk(1, { judgment: null }), ...['a.', 'b.', 'd.'].map((judgment) => ({ ...row, completion: judgment, judgment }))]))
      .toEqual([]);
    expect(found(talk(3, { judgment: null, satisfied: true }))).toEqual([]);
    expect(found(talk(1, { judgment: 'thanks!', satisfied: true }))).toEqual([]);
  });
});

describe('half a surrogate', () => {
  it('is refused with file and line, wherever it stands', () => {
    const half = '\ud83d';
    const rows = [{ prompt: 'p', completion: 'fine 😀' }, { prompt: 'p', completion: `x${half}` },
      { prompt: [{ role: 'user', content: half }], completion: 'c' }];
    expect(failure('completion', rows).split('\n').slice(0, 3)).toEqual([
      '2 of 3 rows cannot be used as completion rows',
      `  f:2  completion has half a surrogate pair (\\ud83d), which is no character: ${JSON.stringify(`x${half}`)}`,
      `  f:3  prompt has half a surrogate pair (\\ud83d), which is no character: ${JSON.stringify(half)}`,
    ]);
    expect(failure('prompt', [{ prompt: 'p', other: { deep: ['\udc00'] } }])).toContain('other has half a surrogate pair (\\udc00)');
  });
});
