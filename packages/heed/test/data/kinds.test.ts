import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.js';
import { parseRows, type ParseOptions } from '../../src/data/parse.js';
import { rowDefinition, rowSchemas, type RowKind, type RowKinds, type RowOf } from '../../src/data/rows.js';
import type { RawRow } from '../../src/data/source.js';
import { splitByPrompt } from '../../src/data/split.js';

type Fields = Record<string, unknown>;
const raw = (records: readonly Fields[], untyped = false): RawRow[] =>
  records.map((fields, i) => ({ source: { file: 'f', line: i + 1 }, fields, untyped }));
const parse = <K extends RowKind>(kind: K, records: readonly Fields[], options?: ParseOptions, untyped = false): RowOf<K>[] =>
  parseRows(kind, raw(records, untyped), options).rows;

/** What is wrong with each row, without the headline. */
function faults(kind: RowKind, records: readonly Fields[], untyped = false, options?: ParseOptions): string[] {
  try {
    parseRows(kind, raw(records, untyped), options);
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return (error as UserError).message.split('\n').slice(1);
  }
  return [];
}

const user = (content: string) => ({ role: 'user' as const, content });
const assistant = (content: string) => ({ role: 'assistant' as const, content });
const source = (line: number) => ({ file: 'f', line });

/** How many rows `junk: skip` leaves out; what it does not may be no junk. */
const skipped = (kind: RowKind, good: Fields, bad: readonly Fields[]): number =>
  parseRows(kind, raw([good, ...bad]), { junk: 'skip' }).skipped.length;

describe('negative rows', () => {
  it('take rejected, or completion where there is no rejected', () => {
    const expected = { source: source(1), prompt: [user('p')], rejected: 'bad' };
    expect(parse('negative', [{ prompt: 'p', rejected: 'bad' }])).toEqual([expected]);
    expect(parse('negative', [{ prompt: 'p', completion: 'bad' }])).toEqual([expected]);
    expect(parse('negative', [{ prompt: 'p', rejected: 'bad', completion: 'good', chosen: 'good' }])).toEqual([expected]);
    expect(parse('negative', [{ question: 'p', response: 'bad' }], { columns: { prompt: 'question', rejected: 'response' } })).toEqual([
      expected,
    ]);
    expect(parse('negative', [{ prompt: [user('p')], rejected: [user('p'), assistant('bad')] }])).toEqual([expected]);
    expect(parse('negative', [{ prompt: '\n\nHuman: p\n\nAssistant:', rejected: 'bad' }], { transcript: 'human-assistant' })).toEqual([
      expected,
    ]);
  });

  it('keep positives; null says that there are none yet', () => {
    expect(parse('negative', [{ prompt: 'p', rejected: 'bad', positives: ['a', 'b'] }])[0]?.positives).toEqual(['a', 'b']);
    expect(parse('negative', [{ prompt: 'p', rejected: 'bad', positives: '["a", "b"]' }], {}, true)[0]?.positives).toEqual(['a', 'b']);
    expect(parse('negative', [{ prompt: 'p', rejected: 'bad', positives: null }])[0]).not.toHaveProperty('positives');
  });

  it('positives that are none, empty or the negative itself are junk', () => {
    const row = { prompt: 'p', rejected: 'bad' };
    const bad = [
      { ...row, positives: [] },
      { ...row, positives: ['a', ' '] },
      { ...row, positives: ['a', 'bad '] },
      { ...row, rejected: '' },
    ];
    expect(faults('negative', bad)).toEqual([
      '  f:1  positives is an empty list: []',
      '  f:2  positives has an item 2 that is empty: ["a"," "]',
      '  f:3  positives equals rejected: nothing is preferred: "bad "',
      '  f:4  rejected is empty: ""',
    ]);
    expect(skipped('negative', row, bad)).toBe(4);
    expect(
      faults(
        'negative',
        [
          { ...row, positives: 'a' },
          { ...row, positives: [1] },
        ],
        false,
        { junk: 'skip' },
      ),
    ).toEqual(['  f:1  positives is a string, not a list: "a"', '  f:2  positives has an item 1 that is a number, not text: [1]']);
    expect(faults('negative', [{ ...row, positives: '["a"' }], true)).toEqual([
      '  f:1  positives is not a list written as JSON: "[\\"a\\""',
    ]);
  });
});

describe('preference rows', () => {
  it('a pair of equal responses is junk, whatever white space is around them; a soft label out of range never is', () => {
    const pair = { prompt: 'p', chosen: 'a', rejected: 'b' };
    const tie = { ...pair, rejected: ' a\n' };
    expect(faults('preference', [tie])).toEqual(['  f:1  chosen equals rejected: nothing is preferred: "a"']);
    expect(skipped('preference', pair, [tie, { ...pair, chosen: '' }])).toBe(2);
    expect(
      faults('preference', [pair, { ...tie, soft_label: -0.1 }, { ...pair, chosen: '', soft_label: 2 }], false, { junk: 'skip' }),
    ).toEqual(['  f:2  soft_label is not a probability from 0 to 1: -0.1', '  f:3  soft_label is not a probability from 0 to 1: 2']);
  });
});

describe('choice rows', () => {
  const row = { prompt: 'Which?', choices: ['A', 'B', 'C'] };

  it('take targets, a place from 0 or the text of a choice', () => {
    const targets = (fields: Fields, untyped = false) => parse('choice', [{ ...row, ...fields }], {}, untyped)[0]?.targets;
    expect(targets({ targets: [0.25, 0.75, 0] })).toEqual([0.25, 0.75, 0]);
    expect(targets({ targets: [0.25, 0.7505, 0] })).toEqual([0.25, 0.7505, 0]);
    expect(targets({ label: 1 })).toEqual([0, 1, 0]);
    expect(targets({ label: 'C' })).toEqual([0, 0, 1]);
    expect(targets({ targets: [1, 0, 0], label: 'C' })).toEqual([1, 0, 0]);
    expect(targets({ targets: null, label: 'C' })).toEqual([0, 0, 1]);
    expect(targets({ choices: '["A", "B"]', targets: '[0.5, 0.5]' }, true)).toEqual([0.5, 0.5]);
    expect(targets({ choices: '["A", "B"]', label: '1' }, true)).toEqual([0, 1]);
    expect(
      parse('choice', [{ question: 'Which?', choices: ['x', 'y'], answer: 0 }], { columns: { prompt: 'question', label: 'answer' } }),
    ).toEqual([{ source: source(1), prompt: [user('Which?')], choices: ['x', 'y'], targets: [1, 0] }]);
  });

  it('numbers are places and texts are texts, though choices may look like numbers (MMLU)', () => {
    const choices = ['0', '4', '2', '6'];
    expect(
      parse('choice', [
        { ...row, choices, label: 1 },
        { ...row, choices, label: '2' },
      ]).map(({ targets }) => targets.indexOf(1)),
    ).toEqual([1, 2]);
    expect(
      faults('choice', [
        { ...row, choices, label: 6 },
        { ...row, choices, label: 7 },
        { ...row, choices, label: '3' },
      ]),
    ).toEqual([
      '  f:1  label is no place from 0 to 3; choice 4 has this text: write the label as text: 6',
      '  f:2  label is no place from 0 to 3: 7',
      '  f:3  label is none of the 4 choices: "3"',
    ]);
    // A cell of CSV may be meant either way.
    const cells = { ...row, choices: JSON.stringify(choices) };
    expect(
      faults(
        'choice',
        [
          { ...cells, label: '0' },
          { ...cells, label: '2' },
          { ...cells, label: '3' },
        ],
        true,
      ),
    ).toEqual([]);
    expect(faults('choice', [{ ...row, choices: '["1","0"]', label: '0' }], true)).toEqual([
      '  f:1  label is the text of choice 2 and, counted from 0, the place of choice 1; give targets instead: "0"',
    ]);
  });

  it('refuse targets that are no probabilities of the choices', () => {
    const bad = [
      { targets: [0.5, 0.5] },
      { targets: [1.5, -0.5, 0] },
      { targets: [0.5, 0.4, 0] },
      { targets: [0.5, '0.5', 0] },
      { targets: 1 },
      { label: true },
      { label: 0.5 },
      {},
    ];
    expect(
      faults(
        'choice',
        bad.map((fields) => ({ ...row, ...fields })),
        false,
        { junk: 'skip' },
      ),
    ).toEqual([
      '  f:1  targets has 2 items for 3 choices: [0.5,0.5]',
      '  f:2  targets has an item 1 that is not a probability from 0 to 1: [1.5,-0.5,0]',
      '  f:3  targets sum to 0.9, not 1: [0.5,0.4,0]',
      '  f:4  targets has an item 2 that is not a probability from 0 to 1: [0.5,"0.5",0]',
      '  f:5  targets is a number, not a list: 1',
      '  f:6  label is a boolean, neither the place of a choice nor its text: true',
      '  f:7  label is no place from 0 to 2: 0.5',
      '  f:8  label is missing',
    ]);
  });

  it('choices that leave nothing to choose are junk', () => {
    const bad = [
      { ...row, choices: ['A'], label: 0 },
      { ...row, choices: ['A', 'A'], label: 0 },
      { ...row, choices: ['A', ''], label: 0 },
      { ...row, choices: [], label: 0 },
    ];
    expect(faults('choice', bad)).toHaveLength(4);
    expect(skipped('choice', { ...row, label: 0 }, bad)).toBe(4);
  });
});

describe('classified rows', () => {
  it('take text and label, or a prompt and a completion', () => {
    expect(parse('classified', [{ text: 'F*ck Lizzo', is_toxic: true, label: 'Toxic' }])).toEqual([
      { source: source(1), text: 'F*ck Lizzo', label: 'Toxic' },
    ]);
    expect(parse('classified', [{ text: 'x', is_toxic: false, label: 'Toxic' }], { columns: { label: 'is_toxic' } })[0]?.label).toBe(
      'false',
    );
    const answer = { source: source(1), prompt: [user('p')], text: 'c', label: '2' };
    expect(parse('classified', [{ prompt: 'p', completion: 'c', label: 2 }])).toEqual([answer]);
    expect(parse('classified', [{ prompt: 'p', text: 'c', label: ' 2' }])).toEqual([answer]);
    expect(parse('classified', [{ text: 'c', label: '2' }], {}, true)[0]?.label).toBe('2');
  });

  it('refuse what names no class', () => {
    const bad = [{ label: null }, { label: 0.5 }, { label: ['x'] }, { label: '  ' }, { label: 'x', text: '' }];
    expect(faults('classified', bad.map((fields) => ({ text: 't', ...fields })))).toEqual([
      '  f:1  label is missing: null',
      '  f:2  label is not a whole number: 0.5',
      '  f:3  label is a list, not the name of a class: ["x"]',
      '  f:4  label is empty: "  "',
      '  f:5  text is empty: ""',
    ]);
    expect(() => parse('classified', [{ sentence: 'a', label: 'b' }])).toThrow(
      'f has no column text or completion (needed: text and label, or prompt, completion and label)',
    );
    expect(() => parse('classified', [{ completion: 'a', label: 'b' }])).toThrow('f has no column prompt');
  });

  it('without prompts are split by text, with prompts by prompt', () => {
    const texts = parse(
      'classified',
      ['a', 'b', 'a ', 'c', 'b', 'd'].map((text) => ({ text, label: 'x' })),
    );
    const answers = parse(
      'classified',
      ['a', 'b', 'a', 'c', 'b', 'd'].map((prompt, i) => ({ prompt, completion: `c${i}`, label: 'x' })),
    );
    for (const [rows, key] of [
      [texts, ({ text }) => text.trim()],
      [answers, ({ prompt }) => prompt?.[0]?.content ?? ''],
    ] as [RowKinds['classified'][], (row: RowKinds['classified']) => string][]) {
      for (let seed = 0; seed < 20; seed++) {
        const { train, eval: held } = splitByPrompt(rowDefinition('classified'), rows, 2, seed);
        expect(train.length + held.length).toBe(6);
        expect(held.filter((row) => train.some((other) => key(other) === key(row)))).toEqual([]);
      }
    }
    expect(() =>
      splitByPrompt(
        rowDefinition('classified'),
        parse('classified', [
          { text: 'a', label: 'x' },
          { text: 'a', label: 'x' },
        ]),
        1,
        0,
      ),
    ).toThrow('1 distinct text: one part would be empty (rows with the same text stay together)');
  });
});

describe('scored rows', () => {
  it('need a finite number', () => {
    expect(parse('scored', [{ prompt: 'p', completion: 'c', score: -1.5 }])).toEqual([
      { source: source(1), prompt: [user('p')], completion: 'c', score: -1.5 },
    ]);
    expect(parse('scored', [{ prompt: 'p', completion: 'c', rating: '4' }], { columns: { score: 'rating' } }, true)[0]?.score).toBe(4);
    expect(
      faults(
        'scored',
        [{ score: null }, { score: '4' }, { score: Infinity }].map((fields) => ({ prompt: 'p', completion: 'c', ...fields })),
      ),
    ).toEqual([
      '  f:1  score is missing: null',
      '  f:2  score is a string, not a finite number: "4"',
      '  f:3  score is a number, not a finite number: null',
    ]);
  });
});

describe('refined rows', () => {
  it('are judged rows with or without a better response', () => {
    const row = { prompt: 'p', completion: 'c', judgment: 'Wrong sum.' };
    const judged = { source: source(1), prompt: [user('p')], completion: 'c', judgment: 'Wrong sum.', satisfied: false };
    expect(parse('refined', [{ ...row, refinement: 'd' }])).toEqual([{ ...judged, refinement: 'd' }]);
    expect(parse('refined', [row])).toEqual([judged]);
    expect(parse('refined', [{ ...row, refinement: null }])).toEqual([judged]);
    expect(parse('refined', [{ ...row, refinement: [assistant('d')] }])).toEqual([{ ...judged, refinement: 'd' }]);
    expect(
      faults('refined', [
        { ...row, refinement: '' },
        { ...row, refinement: 3 },
      ]),
    ).toEqual(['  f:1  refinement is empty: ""', '  f:2  refinement is a number, not text: 3']);
    expect(skipped('refined', row, [{ ...row, refinement: ' ' }])).toBe(1);
  });
});

describe('principled rows', () => {
  // The scores of the worked example: answers A (2, 3, 6) and B (1, 5, 5) by three principles, A − B.
  const principle = (name: string, score?: number, scores?: unknown) => ({
    name,
    text: `The answer is ${name}.`,
    negation: `The answer is not ${name}.`,
    ...(score === undefined ? {} : { score }),
    ...(scores === undefined ? {} : { scores }),
  });
  const three = [principle('Concise', 1), principle('Ethical', -2), principle('Specific', 1)];
  const row = { prompt: 'p', responses: ['A', 'B'], principles: three };

  it('come back as written, from JSON and from cells of CSV', () => {
    expect(parse('principled', [row])).toEqual([{ source: source(1), prompt: [user('p')], responses: ['A', 'B'], principles: three }]);
    const cells = { prompt: 'p', responses: JSON.stringify(row.responses), principles: JSON.stringify(three) };
    expect(parse('principled', [cells], {}, true)).toEqual(parse('principled', [row]));
  });

  it('the score is the mean of both orders where they agree in sign, else 0', () => {
    const scores = [
      [1, 3],
      [-1, -2],
      [1, -3],
      [0, 2],
      [0, 0],
    ];
    const principles = scores.map((both, i) => principle(`n${i}`, undefined, both));
    expect(parse('principled', [{ ...row, principles }])[0]?.principles.map(({ score }) => score)).toEqual([2, -1.5, 0, 0, 0]);
    expect(parse('principled', [{ ...row, principles: [principle('n', 7, [1, 3])] }])[0]?.principles[0]).toMatchObject({
      score: 7,
      scores: [1, 3],
    });
  });

  it('refuse principles that say nothing, name each fault', () => {
    const given = (one: object) => ({ ...row, principles: [three[0], one] });
    const bad = [
      given(principle('x')),
      given({ ...three[1], negation: '' }),
      given({ ...three[1], text: 4 }),
      given({ ...three[1], negation: three[1]!.text }),
      given(principle('x', undefined, [1])),
      given({ ...three[1], score: '1' }),
      given(three[0]!),
      { ...row, responses: ['A'] },
      { ...row, principles: 'Ethical' },
      { ...row, principles: ['Ethical'] },
      { prompt: 'p', responses: ['A', 'B'] },
    ];
    expect(faults('principled', bad, false, { junk: 'skip' }).map((line) => line.replace(/: [[{"].*/, ''))).toEqual([
      '  f:1  principles item 2 has neither score nor scores',
      '  f:2  principles item 2 has a negation that is empty',
      '  f:3  principles item 2 has a text that is a number',
      '  f:4  principles item 2 has a negation that equals its text',
      '  f:5  principles item 2 has scores that are not two finite numbers',
      '  f:6  principles item 2 has a score that is a string, not a finite number',
      '  f:7  principles names Concise twice',
      '  f:8  responses has 1 items; two responses are compared',
      '  f:9  principles is a string, not a list',
      '  f:10  principles item 1 is a string, not an object',
      '  f:11  principles is missing',
    ]);
  });

  it('equal or empty responses and no principles are junk', () => {
    expect(
      skipped('principled', row, [
        { ...row, responses: ['A', 'A '] },
        { ...row, responses: ['', 'A'] },
        { ...row, principles: [] },
      ]),
    ).toBe(3);
  });
});

describe('schemas', () => {
  it('refuse rows from code that a reader would never make', () => {
    const base = { source: source(1), prompt: [user('p')] };
    const principle = { name: 'n', text: 't', negation: 'u', score: 1 };
    const good: [RowKind, object][] = [
      ['choice', { ...base, choices: ['a', 'b'], targets: [0.5, 0.5] }],
      ['negative', { ...base, rejected: 'r' }],
      ['classified', { source: source(1), text: 't', label: 'l' }],
      ['principled', { ...base, responses: ['a', 'b'], principles: [principle] }],
    ];
    for (const [kind, row] of good) expect(rowSchemas[kind].safeParse(row).success).toBe(true);
    const bad: [RowKind, object][] = [
      ['choice', { ...base, choices: ['a', 'a'], targets: [0.5, 0.5] }],
      ['choice', { ...base, choices: ['a', 'b'], targets: [0.5, 0.4] }],
      ['choice', { ...base, choices: ['a', 'b'], targets: [0.5, 0.25, 0.25] }],
      ['negative', { ...base, rejected: 'r', positives: [] }],
      ['classified', { source: source(1), text: 't', label: true }],
      ['principled', { ...base, responses: ['a', 'b'], principles: [] }],
      ['scored', { ...base, completion: 'c', score: NaN }],
    ];
    for (const [kind, row] of bad) expect(rowSchemas[kind].safeParse(row).success).toBe(false);
  });
});
