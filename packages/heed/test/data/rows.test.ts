import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.js';
import { parseRows, type ParseOptions } from '../../src/data/parse.js';
import type { RawRow } from '../../src/data/source.js';
import type { RowKind, RowOf } from '../../src/data/rows.js';
import * as schemas from '../../src/data/rows.js';

type Fields = Record<string, unknown>;
const raw = (records: readonly Fields[], untyped = false): RawRow[] =>
  records.map((fields, i) => ({ source: { file: 'f', line: i + 1 }, fields, untyped }));

function parse<K extends RowKind>(kind: K, records: readonly Fields[], options?: ParseOptions): RowOf<K>[] {
  return parseRows(kind, raw(records), options).rows;
}

function failure(kind: RowKind, records: readonly Fields[], options?: ParseOptions, untyped = false): UserError {
  try {
    parseRows(kind, raw(records, untyped), options);
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return error as UserError;
  }
  throw new Error('nothing was thrown');
}

const user = (content: string) => ({ role: 'user' as const, content });
const assistant = (content: string) => ({ role: 'assistant' as const, content });
const source = (line: number) => ({ file: 'f', line });

describe('completion rows', () => {
  it('a string prompt is one user turn; ids become text', () => {
    expect(parse('completion', [{ id: 7, prompt: 'p', completion: 'c' }])).toEqual([
      { source: source(1), id: '7', prompt: [user('p')], completion: 'c' },
    ]);
  });

  it('takes TRL conversations: lists of turns, or messages whose last turn is the response', () => {
    const expected = { source: source(1), prompt: [user('p')], completion: 'c' };
    expect(parse('completion', [{ prompt: [user('p')], completion: [assistant('c')] }])).toEqual([expected]);
    expect(parse('completion', [{ messages: [user('p'), assistant('c')] }])).toEqual([expected]);
  });

  it('takes Alpaca, the input on the line below the instruction', () => {
    const rows = parse('completion', [
      { instruction: 'Add.', input: '1 2', output: '3' },
      { instruction: 'Hi.', input: '', output: 'Hi!' },
      { instruction: 'Hi.', input: null, output: 'Hi!' },
    ]);
    expect(rows.map(({ prompt }) => prompt[0]?.content)).toEqual(['Add.\n1 2', 'Hi.', 'Hi.']);
  });

  it('takes other names by data.columns', () => {
    expect(
      parse('completion', [{ question: 'p', answer: 'c', prompt: 'unused' }], { columns: { prompt: 'question', completion: 'answer' } })[0],
    ).toMatchObject({
      prompt: [user('p')],
      completion: 'c',
    });
  });

  it('names missing columns, those present and the nearest', () => {
    const error = failure('completion', [{ promt: 'p', reply: 'c' }]);
    expect(error.message).toBe('f has no column prompt and no completion (needed: prompt and completion, or messages)');
    expect(error.hints).toEqual([
      'Columns in the data: promt, reply.',
      'If they are there by another name: data.columns: { prompt: promt, completion: <its name> }.',
    ]);
    expect(failure('completion', [{ question: 'p' }], { columns: { prompt: 'questoin' } }).hints).toContain('Did you mean question?');
    expect(failure('completion', [{ prompt: 'p', instruction: 'q', completion: 'c' }]).message).toContain(
      'a column prompt and a column instruction, which mean the same',
    );
  });

  it('leaves out rows with an empty cell, as CSV has them, where junk is skipped', () => {
    const rows = [{ prompt: null, completion: 'c' }, { prompt: 'p', completion: null }, { prompt: 'p', completion: 'c' }]
      .map((fields, i) => ({ source: { file: 'f', line: i + 1 }, fields }));
    for (const kind of ['completion', 'conversation', 'prompt'] as const) {
      const { rows: read, skipped } = parseRows(kind, rows, { junk: 'skip' });
      expect(read.at(-1)!.source.line).toBe(3);
      expect(skipped.map(({ source }) => source.line)).toEqual(kind === 'prompt' ? [1] : [1, 2]);
    }
  });

  it('points to satisfied where votes are wanted', () => {
    expect(failure('labelled', [{ prompt: 'p', completion: 'c', satisfied: true }]).hints)
      .toContain('If they are there by another name: data.columns: { label: satisfied }.');
  });

  it('lists every bad row with line, column and value', () => {
    const { message, hints } = failure('completion', [
      { prompt: 'p', completion: 'c' },
      { prompt: 'p', completion: ' \n' },
      { prompt: 3, completion: 'c' },
      { completion: 'c' },
      { prompt: [user('p'), { role: 'human', content: 'x' }], completion: 'c' },
      { prompt: [user('p'), assistant('a')], completion: 'c' },
      { prompt: '', completion: 'c' },
      { prompt: 'p', completion: null },
      { prompt: 'p', completion: [user('c')] },
    ]);
    expect(message.split('\n')).toEqual([
      '8 of 9 rows cannot be used as completion rows',
      '  f:2  completion is empty: " \\n"',
      '  f:3  prompt is a number, not text or a list of turns: 3',
      '  f:4  prompt is missing',
      '  f:5  prompt turn 2 has the role human; known are system, user, assistant, tool; write user in its place: '
        + '{"role":"human","content":"x"}',
      '  f:6  prompt ends with a turn of role assistant; a prompt ends with user or tool: '
        + '[{"role":"user","content":"p"},{"role":"assistant","content":"a"}]',
      '  f:7  prompt is empty: ""',
      '  f:8  completion is null, not text: null',
      '  f:9  completion has the turns user; a response is one assistant turn: [{"role":"user","content":"c"}]',
    ]);
    expect(hints).toEqual(['Rows with nothing to learn from can be left out: data.junk: skip']);
  });

  it('junk: skip leaves out and lists empty rows, yet not wrong types', () => {
    const records = [{ prompt: 'p', completion: 'c' }, { prompt: 'p', completion: '' }, { prompt: ' ', completion: 'c' }];
    const { rows, skipped } = parseRows('completion', raw(records), { junk: 'skip' });
    expect(rows).toHaveLength(1);
    expect(skipped.map(({ source: { line }, column, reason }) => [line, column, reason])).toEqual([
      [2, 'completion', 'is empty'],
      [3, 'prompt', 'is empty'],
    ]);
    expect(failure('completion', [...records, { prompt: 5, completion: 'c' }], { junk: 'skip' }).message).toContain('1 of 4 rows');
    expect(failure('completion', records.slice(1), { junk: 'skip' }).message).toContain('All 2 rows are junk');
  });
});

describe('scores', () => {
  it('are numbers by name', () => {
    const row = { prompt: 'p', completion: 'c', scores: { helpful: 4, harmless: 0 } };
    expect(parse('completion', [row])[0]?.scores).toEqual({ helpful: 4, harmless: 0 });
    expect(parseRows('completion', raw([{ ...row, scores: '{"helpful": 4}' }], true)).rows[0]?.scores).toEqual({ helpful: 4 });
    expect(failure('completion', [{ ...row, scores: 3 }, { ...row, scores: { helpful: '4' } }]).message.split('\n').slice(1)).toEqual([
      '  f:1  scores is a number, not an object of numbers: 3',
      '  f:2  scores has helpful that is a string, not a finite number: {"helpful":"4"}',
    ]);
  });
});

describe('conversation and prompt rows', () => {
  it('a conversation needs an assistant turn', () => {
    const messages = [{ role: 'system', content: 's' }, user('p'), assistant('a')];
    expect(parse('conversation', [{ messages }])[0]?.messages).toEqual(messages);
    expect(parse('conversation', [{ prompt: 'p', completion: 'c' }])[0]?.messages).toEqual([user('p'), assistant('c')]);
    expect(failure('conversation', [{ messages: [user('p')] }]).message).toContain('has no assistant turn to learn');
    expect(failure('conversation', [{ messages: 'p' }]).message).toContain('is a string, not a list of turns');
  });

  it('keep whether somebody called the response good, by satisfied or by a vote', () => {
    const said = (records: readonly Fields[], untyped = false) =>
      (['conversation', 'completion'] as const).map((kind) =>
        parseRows(
          kind,
          raw(
            records.map((fields) => ({ prompt: 'p', completion: 'c', ...fields })),
            untyped,
          ),
        ).rows.map(({ satisfied }) => satisfied),
      );
    const both = <T,>(value: T): T[] => [value, value];
    expect(said([{ satisfied: true }, { satisfied: false }, { satisfied: null }, {}])).toEqual(both([true, false, undefined, undefined]));
    expect(said([{ label: true }, { label: 0 }, { label: null }, { label: 1 }])).toEqual(both([true, false, undefined, true]));
    expect(said([{ label: 'False' }, { label: '1' }], true)).toEqual(both([false, true]));
    // One label that is no vote: all are names of classes, which say nothing of how good a response is.
    expect(said([{ label: 0 }, { label: 2 }])).toEqual(both([undefined, undefined]));
    expect(said([{ label: 'true' }, { label: 'delivery' }], true)).toEqual(both([undefined, undefined]));
    expect(parse('conversation', [{ prompt: 'p', completion: 'c' }])[0]).not.toHaveProperty('satisfied');
    expect(failure('conversation', [{ prompt: 'p', completion: 'c', satisfied: true, label: false }]).message).toContain(
      'satisfied is true, though label is false: make the two agree: true',
    );
    expect(failure('conversation', [{ prompt: 'p', completion: 'c', kind: 'delivery' }], { columns: { label: 'kind' } }).message).toContain(
      'kind is a string, not true or false: "delivery"',
    );
    expect(failure('conversation', [{ prompt: 'p', completion: 'c', satisfied: 'no' }]).message).toContain(
      'satisfied is a string, not true or false: "no"',
    );
  });

  it('a prompt keeps the other columns for rewards', () => {
    expect(parse('prompt', [{ id: 'q1', prompt: 'p', answer: 42 }])).toEqual([
      { source: source(1), id: 'q1', prompt: [user('p')], extra: { answer: 42 } },
    ]);
  });
});

describe('judged rows', () => {
  const judged = (fields: Fields) => parse('judged', [{ judgment: undefined, prompt: 'p', completion: 'c', ...fields }])[0];

  it('null says satisfactory; satisfied, where given, decides', () => {
    expect(judged({ judgment: null })).toMatchObject({ judgment: null, satisfied: true });
    expect(judged({ judgment: 'Wrong sum.' })).toMatchObject({ judgment: 'Wrong sum.', satisfied: false });
    expect(judged({ judgment: 'Perfect.' })).toMatchObject({ judgment: 'Perfect.', satisfied: false });
    expect(judged({ judgment: 'Lovely.', satisfied: true })).toMatchObject({ judgment: 'Lovely.', satisfied: true });
    expect(judged({ satisfied: true })).toMatchObject({ judgment: null, satisfied: true });
  });

  it('a score of 7 or more is satisfactory in Alpaca files alone', () => {
    const scores = [7, 6.5, null];
    const alpaca = parse('judged', scores.map((score) => ({ instruction: 'p', output: 'c', judgment: 'Hm.', score })));
    expect(alpaca.map(({ satisfied }) => satisfied)).toEqual([true, false, false]);
    const ours = parse('judged', scores.map((score) => ({ prompt: 'p', completion: 'c', judgment: 'Hm.', score })));
    expect(ours.map(({ satisfied }) => satisfied)).toEqual([false, false, false]);
  });

  it.each([
    ...['$ERROR$', ' $error$\n'].map((judgment) => [judgment, 'judgment stands for a call that failed']),
    ...['', '  ', 'None', 'nan', 'N/A', 'null'].map((judgment) => [
      judgment,
      'the comment is empty; write what is wrong, or set satisfied to true',
    ]),
  ])('%j is junk: %s', (judgment, message) => {
    expect(failure('judged', [{ prompt: 'p', completion: 'c', judgment }]).message).toContain(message);
    expect(failure('judged', [{ prompt: 'p', completion: 'c', judgment, satisfied: false }]).message).toContain(message);
    const good = { prompt: 'p', completion: 'c', judgment: 'None of the steps is right.' };
    expect(parseRows('judged', raw([good, { ...good, judgment }]), { junk: 'skip' })).toMatchObject({
      rows: [{ judgment: good.judgment }],
      skipped: [{ source: source(2) }],
    });
  });

  it.each(['', ' \n', 'None', 'n/a'])('the comment %j of a satisfied row is no comment, since satisfied decides', (judgment) => {
    expect(judged({ judgment, satisfied: true })).toEqual({
      source: source(1),
      prompt: [user('p')],
      completion: 'c',
      judgment: null,
      satisfied: true,
    });
    expect(parse('refined', [{ prompt: 'p', completion: 'c', judgment, satisfied: true }])[0]).toMatchObject({
      judgment: null,
      satisfied: true,
    });
    const cells = [{ prompt: 'p', completion: 'c', judgment, satisfied: 'true' }];
    expect(parseRows('judged', raw(cells, true)).rows[0]).toMatchObject({ judgment: null, satisfied: true });
  });

  it('refuses rows that say neither', () => {
    const rows = [
      { prompt: 'p', completion: 'c', judgment: 'x' },
      { prompt: 'p', completion: 'c' },
      { prompt: 'p', completion: 'c', judgment: null, satisfied: false },
      { prompt: 'p', completion: 'c', judgment: ['x'] },
    ];
    expect(failure('judged', rows).message.split('\n').slice(1)).toEqual([
      '  f:2  judgment is missing (null says the response was satisfactory)',
      '  f:3  judgment says nothing though satisfied is false: write what is wrong with the response: null',
      '  f:4  judgment is a list, not text or null: ["x"]',
    ]);
    expect(failure('judged', [{ prompt: 'p', completion: 'c' }]).message).toContain('has no column judgment or satisfied');
  });
});

describe('preference rows', () => {
  it('takes text, turns, turns that repeat the prompt, and an implicit prompt', () => {
    const expected = { prompt: [user('p')], chosen: 'good', rejected: 'bad' };
    for (const fields of [
      { prompt: 'p', chosen: 'good', rejected: 'bad' },
      { prompt: [user('p')], chosen: [assistant('good')], rejected: [assistant('bad')] },
      { prompt: 'p', chosen: [user('p'), assistant('good')], rejected: [user('p'), assistant('bad')] },
      { chosen: [user('p'), assistant('good')], rejected: [user('p'), assistant('bad')] },
    ]) {
      expect(parse('preference', [fields])).toEqual([{ source: source(1), ...expected }]);
    }
    // Equal responses: the last turn is still the response, so it is they that are equal.
    expect(failure('preference', [{ chosen: [user('p'), assistant('x')], rejected: [user('p'), assistant('x')] }]).message).toContain(
      'chosen equals rejected: nothing is preferred: "x"',
    );
    expect(failure('preference', [{ chosen: 'a', rejected: 'b' }]).message).toContain(
      'without it chosen and rejected must be lists of turns',
    );
  });

  it('reads HH transcripts as turns when told to', () => {
    const prompt = '\n\nHuman: One?\n\nAssistant: Two.\n\nHuman: Three?\n\nAssistant:';
    const turns = [user('One?'), assistant('Two.'), user('Three?')];
    const options = { transcript: 'human-assistant' as const };
    expect(parse('preference', [{ prompt, chosen: 'a', rejected: 'b' }], options)[0]).toMatchObject({
      prompt: turns,
      chosen: 'a',
      rejected: 'b',
    });
    expect(parse('preference', [{ chosen: `${prompt} a`, rejected: `${prompt} b` }], options)[0]).toMatchObject({
      prompt: turns,
      chosen: 'a',
      rejected: 'b',
    });
    expect(parse('preference', [{ prompt, chosen: 'a', rejected: 'b' }])[0]?.prompt).toEqual([user(prompt)]);
    expect(failure('preference', [{ prompt: 'plain', chosen: 'a', rejected: 'b' }], options).message).toContain('is not a transcript');
  });

  it('checks soft labels and margins', () => {
    const pair = { prompt: 'p', chosen: 'a', rejected: 'b' };
    expect(parse('preference', [{ ...pair, soft_label: 0, margin: 0 }])[0]).toMatchObject({ soft_label: 0, margin: 0 });
    expect(parse('preference', [{ ...pair, soft_label: null, margin: null }])[0]).toEqual({
      source: source(1),
      ...pair,
      prompt: [user('p')],
    });
    expect(failure('preference', [{ ...pair, soft_label: 1.5 }]).message).toContain('soft_label is not a probability from 0 to 1: 1.5');
    expect(failure('preference', [{ ...pair, margin: '2' }]).message).toContain('margin is a string, not a finite number: "2"');
  });
});

describe('labelled rows', () => {
  it('labels are booleans, or 1 and 0', () => {
    expect(
      parse(
        'labelled',
        [1, 0, true].map((label) => ({ prompt: 'p', completion: 'c', label })),
      ).map(({ label }) => label),
    ).toEqual([true, false, true]);
    expect(parse('labelled', [{ prompt: 'p', completion: 'c', label: false }])[0]?.label).toBe(false);
    const bad = [
      { prompt: 'p', completion: 'c', label: 'true' },
      { prompt: 'p', completion: 'c', label: 2 },
      { prompt: 'p', completion: 'c' },
    ];
    expect(failure('labelled', bad).message).toContain('3 of 3 rows');
  });
});

describe('untyped (CSV) cells', () => {
  it('become what the column needs', () => {
    const cells = [
      { prompt: 'p', completion: '42', label: 'True' },
      { prompt: '[{"role":"user","content":"p"}]', completion: 'c', label: '0' },
      { prompt: '[{not json', completion: 'c', label: ' false' },
    ];
    expect(
      parseRows('labelled', raw(cells, true)).rows.map(({ prompt, completion, label }) => [prompt[0]?.content, completion, label]),
    ).toEqual([
      ['p', '42', true],
      ['p', 'c', false],
      ['[{not json', 'c', false],
    ]);
    expect(
      parseRows('preference', raw([{ prompt: 'p', chosen: 'a', rejected: 'b', soft_label: '0.25', margin: null }], true)).rows[0]
        ?.soft_label,
    ).toBe(0.25);
    expect(parseRows('judged', raw([{ prompt: 'p', completion: 'c', judgment: null }], true)).rows[0]?.satisfied).toBe(true);
    expect(failure('labelled', [{ prompt: 'p', completion: 'c', label: 'yes' }], {}, true).message).toContain(
      'label is a string, not true or false: "yes"',
    );
  });
});

describe('schemas', () => {
  it('accept what the reader makes', () => {
    schemas.JudgedRow.parse(parse('judged', [{ prompt: 'p', completion: 'c', judgment: null }])[0]);
    schemas.PreferenceRow.parse(parse('preference', [{ prompt: 'p', chosen: 'a', rejected: 'b', soft_label: 0.5 }])[0]);
    schemas.LabelledRow.parse(parse('labelled', [{ prompt: 'p', completion: 'c', label: true }])[0]);
    schemas.PromptRow.parse(parse('prompt', [{ prompt: 'p', x: 1 }])[0]);
    schemas.CompletionRow.parse(parse('completion', [{ prompt: 'p', completion: 'c' }])[0]);
    schemas.ConversationRow.parse(parse('conversation', [{ messages: [user('p'), assistant('a')] }])[0]);
  });
});
