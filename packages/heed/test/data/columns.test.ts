import { describe, expect, it } from 'vitest';
import type { ColumnMap } from '../../src/data/columns.js';
import { parseRows } from '../../src/data/parse.js';
import type { RowKind } from '../../src/data/rows.js';

type Fields = Readonly<Record<string, unknown>>;

const omit = (row: object, key: string): object => Object.fromEntries(Object.entries(row).filter(([name]) => name !== key));

/** What a file with this one row is read as, without its place. */
function read(kind: RowKind, fields: Fields, columns?: ColumnMap, untyped = false): object {
  const { rows: [row] } = parseRows(kind, [{ source: { file: 'f', line: 1 }, fields, untyped }], { columns });
  return omit(row!, 'source');
}

const turns = [{ role: 'user', content: 'p' }, { role: 'assistant', content: 'c' }];
const principle = { name: 'n', text: 't', negation: 'u', score: 1 };

/** A file of each kind, by our names; more than one where a kind is written in several ways. */
const files: readonly (readonly [RowKind, Fields])[] = [
  ['conversation', { id: 'i', messages: turns, satisfied: true }],
  ['conversation', { prompt: 'p', completion: 'c', label: true }],
  ['prompt', { id: 'i', prompt: 'p', input: 'q' }],
  ['completion', { id: 'i', prompt: 'p', input: 'q', completion: 'c', scores: { a: 1 }, satisfied: true }],
  ['completion', { messages: turns }],
  ['judged', { prompt: 'p', completion: 'c', judgment: 'wrong', satisfied: false, scores: { a: 1 } }],
  ['preference', { id: 'i', prompt: 'p', chosen: 'c', rejected: 'r', soft_label: 0.7, margin: 2 }],
  ['labelled', { prompt: 'p', completion: 'c', label: false, scores: { a: 1 } }],
  ['negative', { prompt: 'p', rejected: 'r', positives: ['a'] }],
  ['negative', { prompt: 'p', completion: 'r' }],
  ['negative', { prompt: 'p', completion: 'r', label: true }],
  ['negative', { prompt: 'p', completion: 'r', satisfied: false }],
  ['choice', { prompt: 'p', choices: ['a', 'b'], targets: [0, 1] }],
  ['choice', { prompt: 'p', choices: ['a', 'b'], label: 1 }],
  ['classified', { text: 't', label: 'l' }],
  ['classified', { prompt: 'p', completion: 't', label: 'l' }],
  ['scored', { prompt: 'p', completion: 'c', score: 3 }],
  ['refined', { prompt: 'p', completion: 'c', judgment: 'wrong', refinement: 'd' }],
  ['principled', { prompt: 'p', responses: ['a', 'b'], principles: [principle] }],
];

/** Names that mean something by themselves. */
const known = [
  'id',
  'messages',
  'prompt',
  'input',
  'completion',
  'chosen',
  'rejected',
  'label',
  'judgment',
  'satisfied',
  'score',
  'scores',
  'soft_label',
  'margin',
  'text',
  'positives',
  'choices',
  'targets',
  'refinement',
  'responses',
  'principles',
  'instruction',
  'output',
];

describe.each(files)('data.columns of %s rows %o', (kind, fields) => {
  const expected = read(kind, fields);

  it.each(Object.keys(fields))('%s may have any name in the file, and is used once', (column) => {
    const { [column]: cell, ...others } = fields;
    for (const name of known.filter((one) => !(one in fields))) {
      expect(read(kind, { [name]: cell, ...others }, { [column]: name }), name).toEqual(expected);
    }
  });

  it.each(Object.keys(fields))('what %s is mapped to goes before a column of that name', (column) => {
    const row = read(kind, { ...fields, mine: fields[column], [column]: 'another' }, { [column]: 'mine' });
    expect(omit(row, 'extra')).toEqual(omit(expected, 'extra'));
  });
});

describe('a mapping', () => {
  it('chooses between two ways to say the same thing', () => {
    const answer = { messages: [turns[0], { role: 'assistant', content: 'good' }] };
    const logs = { prompt: 'p', messages: turns, best: 'good', conversation: answer.messages, completion: 'c' };
    expect(read('conversation', logs, { completion: 'best' })).toEqual(answer);
    expect(read('conversation', logs, { messages: 'conversation' })).toEqual(answer);
    expect(read('completion', logs, { messages: 'conversation' })).toEqual({ prompt: [turns[0]], completion: 'good' });
    expect(read('negative', { prompt: 'p', rejected: 'old', answer: 'new' }, { completion: 'answer' })).toMatchObject({ rejected: 'new' });
    expect(read('choice', { prompt: 'p', choices: ['a', 'b'], targets: [1, 0], human: 1 }, { label: 'human' })).toMatchObject({
      targets: [0, 1],
    });
    expect(read('classified', { prompt: 'p', text: 'old', answer: 'new', label: 'l' }, { completion: 'answer' })).toMatchObject({
      text: 'new',
    });
  });

  it('is refused where it names both ways', () => {
    const logs = { prompt: 'p', a: turns, b: 'c' };
    expect(() => read('conversation', logs, { messages: 'a', completion: 'b' })).toThrow(
      'data.columns names messages and completion, which say the same thing in two ways',
    );
  });

  it('is refused where it names a column of the file twice', () => {
    expect(() => read('completion', { text: 'p' }, { prompt: 'text', completion: 'text' })).toThrow(
      'data.columns names the column text twice, for prompt and for completion',
    );
  });

  it('is refused where the kind of row would ignore it', () => {
    const fields = { prompt: 'p', completion: 'c', judgment: 'x', vote: 1 };
    expect(() => read('completion', fields, { promt: 'prompt' })).toThrow('data.columns.promt: "completion" rows have no column promt');
    expect(() => read('judged', fields, { margin: 'vote' })).toThrow('data.columns.margin: "judged" rows have no column margin');
    expect(() => read('judged', fields, { score: 'vote' })).toThrow('judged rows read a score in Alpaca files alone');
    expect(read('prompt', fields, { label: 'vote' })).toMatchObject({ extra: { vote: 1 } });
    expect(() => read('prompt', fields, { promt: 'vote' })).toThrow('"prompt" rows have no column promt');
  });

  it('leaves no second use of a column in logs of inputs and outputs', () => {
    const once = { prompt: [{ role: 'user', content: 'Hello' }] };
    expect(read('prompt', { input: 'Hello', output: 'good' }, { prompt: 'input' })).toEqual({ ...once, extra: { output: 'good' } });
    expect(read('completion', { input: 'Hello', output: 'good' }, { prompt: 'input' })).toEqual({ ...once, completion: 'good' });
    expect(read('completion', { input: 'Hello', output: 'good' }, { prompt: 'input' }, true)).toEqual({ ...once, completion: 'good' });
    expect(read('completion', { id: 'Hello', output: 'good' }, { prompt: 'id' })).toEqual({ ...once, completion: 'good' });
  });
});
