import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AnyRow, type PromptRow, type RowKind, rowDefinition, rowSchemas } from '../../src/data/rows.js';
import { createRandom } from '../../src/run/random.js';
import {
  ROWS_OF, type Sample, conversation, judged, labelled, negative, preference, refined, scored,
} from '../../src/loop/rows-of.js';

const user = (content: string): PromptRow['prompt'] => [{ role: 'user', content }];
const asked: PromptRow = { source: { file: 'prompts.jsonl', line: 7 }, id: 'q', prompt: user('Why?'), extra: { topic: 'x' } };
const unnamed: PromptRow = { source: { file: 'prompts.jsonl', line: 8 }, prompt: user('Why?'), extra: {} };

/** Samples of one prompt: [text, value, whether it is good], numbered in their order. */
const samples = (rows: readonly (readonly [string, number, boolean])[], prompt = asked): Sample[] =>
  rows.map(([text, value, good], sample) => ({
    prompt, sample, text, rated: { value, satisfied: good, reason: good ? null : `"${text}" is bad.` },
  }));
const MIXED = samples([['a', 0.5, false], ['b', 2, true], ['c', -1, false], ['d', 2, true], ['e', -1, false]]);
const ids = (rows: readonly AnyRow[]): (string | undefined)[] => rows.map(({ id }) => id);

describe('an answer each', () => {
  const { source, prompt } = asked;

  it.each([null, ' '])('that is bad without a reason (%j) is no judged row', (reason) => {
    const silent: Sample = { ...MIXED.find(({ rated }) => rated.satisfied !== true)!, rated: { value: 0, satisfied: false, reason } };
    expect(() => judged([silent])).toThrow(/^\S+:\d+: the reward gives no reason why this answer is bad/);
  });

  it('becomes a judged row with the reason as its judgment', () => {
    expect(judged(MIXED.slice(0, 2))).toEqual([
      { source, id: 'q#0', prompt, completion: 'a', judgment: '"a" is bad.', satisfied: false },
      { source, id: 'q#1', prompt, completion: 'b', judgment: null, satisfied: true },
    ]);
    expect(refined(MIXED)).toEqual(judged(MIXED));
  });

  it('becomes a vote', () => {
    expect(labelled(MIXED).map(({ completion, label }) => [completion, label]))
      .toEqual([['a', false], ['b', true], ['c', false], ['d', true], ['e', false]]);
  });

  it('becomes a row with the number of the reward, whether or not the reward draws a line', () => {
    const unlined = MIXED.map((one): Sample => ({ ...one, rated: { value: one.rated.value, reason: null } }));
    expect(scored(unlined)).toEqual(scored(MIXED));
    expect(scored(unlined).map(({ completion, score }) => [completion, score]))
      .toEqual([['a', 0.5], ['b', 2], ['c', -1], ['d', 2], ['e', -1]]);
  });

  it('becomes a conversation where it is good', () => {
    expect(conversation(MIXED)).toEqual([1, 3].map((i) => ({
      source, id: `q#${i}`, messages: [...prompt, { role: 'assistant', content: MIXED[i]!.text }],
    })));
    expect(conversation(samples([['a', 0, false]]))).toEqual([]);
  });

  it('is named by its prompt and its number, and keeps the line of the prompt; a prompt without a name gives none', () => {
    expect(ids(judged(MIXED))).toEqual(['q#0', 'q#1', 'q#2', 'q#3', 'q#4']);
    // One of the answers got no rating, and the others keep their numbers.
    expect(ids(judged(MIXED.filter((_, i) => i !== 1)))).toEqual(['q#0', 'q#2', 'q#3', 'q#4']);
    const [row] = judged(samples([['a', 0, false]], unnamed));
    expect(row!.source).toEqual({ file: 'prompts.jsonl', line: 8 });
    expect(row!.id).toBeUndefined();
  });
});

describe('answers to one prompt together', () => {
  it('become one pair of the best and the worst; of equal ones the first', () => {
    expect(preference(MIXED)).toEqual([{ source: asked.source, id: 'q', prompt: asked.prompt, chosen: 'b', rejected: 'c' }]);
    const [reversed] = preference([...MIXED].reverse());
    expect([reversed!.chosen, reversed!.rejected]).toEqual(['d', 'e']);
  });

  it.each([
    ['one answer', [['a', 1, true]]],
    ['equally good answers', [['a', 1, true], ['b', 1, true], ['c', 1, true]]],
    ['equally bad answers', [['a', 0, false], ['b', 0, false]]],
  ] as const)('become no pair: %s', (_, rows) => {
    expect(preference(samples(rows))).toEqual([]);
  });

  it('become a pair by their values, where all are good and where all are bad', () => {
    for (const good of [true, false]) {
      const [pair] = preference(samples([['a', 1, good], ['b', 3, good], ['c', 2, good]]));
      expect([pair!.chosen, pair!.rejected]).toEqual(['b', 'a']);
    }
  });

  it('become the bad ones, each with the good ones as its positives', () => {
    const { source, prompt } = asked;
    expect(negative(MIXED)).toEqual([['q#0', 'a'], ['q#2', 'c'], ['q#4', 'e']].map(([id, rejected]) => ({
      source, id, prompt, rejected, positives: ['b', 'd'],
    })));
  });

  it('become bad ones with a positive once where two good answers are the same text, and without positives where none is good', () => {
    expect(negative(samples([['a', 0, false], ['b', 1, true], ['b', 1, true]]))[0]!.positives).toEqual(['b']);
    const [only] = negative(samples([['a', 0, false]]));
    expect(only).not.toHaveProperty('positives');
    expect(negative(samples([['a', 1, true], ['b', 1, true]]))).toEqual([]);
  });
});

describe('a reward that draws no line', () => {
  it('makes no answer good', () => {
    const unlined = MIXED.map((one): Sample => ({ ...one, rated: { value: one.rated.value, reason: null } }));
    expect(labelled(unlined).some(({ label }) => label)).toBe(false);
    expect(conversation(unlined)).toEqual([]);
    // So every kind that tells good answers from bad ones asks for a line, and the others do not.
    const asking = Object.entries(ROWS_OF).flatMap(([kind, { needsLine }]) => (needsLine === true ? [kind] : []));
    expect(asking.sort()).toEqual(['conversation', 'judged', 'labelled', 'negative', 'refined']);
  });
});

const KINDS = Object.keys(ROWS_OF) as RowKind[];
const anySamples = fc.array(fc.record({
  text: fc.string({ minLength: 1 }), value: fc.integer({ min: -2, max: 2 }), good: fc.boolean(),
}), { minLength: 1, maxLength: 6 });

describe.each(KINDS)('rows of the kind %s', (kind) => {
  const make = (own: readonly Sample[]): AnyRow[] => ROWS_OF[kind]!.rows(own, createRandom('rows', 1));
  const { prompt: promptOf, responses } = rowDefinition(kind);

  it('fit the schema, have the prompt of their samples, and no text that is not one of the samples', () => {
    fc.assert(fc.property(anySamples, (given) => {
      const own = samples(given.map(({ text, value, good }) => [text, value, good] as const));
      const texts = new Set(own.map(({ text }) => text));
      for (const row of make(own)) {
        expect(rowSchemas[kind].safeParse(row).error).toBeUndefined();
        expect(row.source).toEqual(asked.source);
        expect(promptOf(row)).toEqual(asked.prompt);
        for (const text of responses(row)) expect(texts).toContain(text);
      }
    }));
  });

  it('are of the answers that the kind takes: each once, none twice', () => {
    fc.assert(fc.property(anySamples, (given) => {
      const own = samples(given.map(({ text, value, good }) => [text, value, good] as const));
      const good = own.filter(({ rated }) => rated.satisfied).length;
      const apart = new Set(own.map(({ rated }) => rated.value)).size > 1 ? 1 : 0;
      const counts = { conversation: good, negative: own.length - good, preference: apart };
      expect(make(own)).toHaveLength(counts[kind as keyof typeof counts] ?? own.length);
      expect(new Set(ids(make(own))).size).toBe(make(own).length);
    }));
  });
});
