import { describe, expect, it } from 'vitest';
import type { ConversationRow, PreferenceRow, PromptRow } from '../../src/data/rows.js';
import { type Sample, makerOf } from '../../src/loop/rows-of.js';
import { type RowsOfRound, rowsOfRound } from '../../src/loop/rows-of-round.js';
import { AlignRowsOptions } from '../../src/loop/rows-recipe.js';

// Online DPO and best-of-n as the rows that they make of the rated answers of a round.
const promptOf = (word: string, line: number): PromptRow => (
  { source: { file: 'prompts.jsonl', line }, id: word, prompt: [{ role: 'user', content: `${word}?` }], extra: {} }
);
/** The answers to each prompt: a text and its reward. */
type Answers = Readonly<Record<string, readonly (readonly [text: string, value: number])[]>>;

function round(options: object, kind: 'preference' | 'conversation', answers: Answers, seed = 0): RowsOfRound {
  const samples = Object.entries(answers).flatMap(([word, own], line) => {
    const prompt = promptOf(word, line + 1);
    return own.map(([text, value], sample): Sample => ({ prompt, sample, text, rated: { value, reason: null } }));
  });
  return rowsOfRound(makerOf(kind, AlignRowsOptions.parse(options))!, kind, samples, [seed, 1]);
}
const pairs = (answers: Answers, minGap?: number) => {
  const { rows, unused, measures } = round({ make: 'pairs', minGap }, 'preference', answers);
  return { pairs: (rows as PreferenceRow[]).map(({ chosen, rejected }) => [chosen, rejected]), report: { unused, ...measures } };
};
const best = (answers: Answers, seed = 0) => {
  const { rows, unused, measures } = round({ make: 'best-of-n' }, 'conversation', answers, seed);
  return { texts: (rows as ConversationRow[]).map(({ messages }) => messages.at(-1)!.content), report: { unused, ...measures } };
};

describe('pairs of a round (online DPO)', () => {
  it('are the golden ones: the larger reward is chosen, and a tie is no pair, where TRL would choose its first answer', () => {
    const { pairs: made, report } = pairs({ One: [['a', 0.3], ['b', 0.7]], Two: [['a', 0.5], ['b', 0.5]] });
    expect(made).toEqual([['b', 'a']]);
    expect(report).toEqual({ unused: { tie: 1 }, 'objective/scores_margin': expect.closeTo(0.4, 12) as number });
  });

  it('are of the best and the worst of more than two answers, and the margin is a mean over pairs', () => {
    const { pairs: made, report } = pairs({
      One: [['a', 0.1], ['b', 0.9], ['c', -0.5], ['d', 0.2]], Two: [['e', 1], ['f', 0.4], ['g', 0.8]], Three: [['h', 1]],
    });
    expect(made).toEqual([['b', 'c'], ['e', 'f']]);
    expect(report).toEqual({ unused: { single: 1 }, 'objective/scores_margin': expect.closeTo((1.4 + 0.6) / 2, 12) as number });
  });

  it('are no closer than minGap: a pair just as far apart counts, whatever floating point makes of the difference', () => {
    expect(0.7 - 0.6).toBeLessThan(0.1);
    const answers: Answers = { One: [['a', 0.6], ['b', 0.7]], Two: [['c', 0.6], ['d', 0.69]], Three: [['e', 0.6], ['f', 0.9]] };
    expect(pairs(answers, 0.1)).toMatchObject({ pairs: [['b', 'a'], ['f', 'e']], report: { unused: { close: 1 } } });
    expect(pairs(answers).pairs).toHaveLength(3);
  });

  it('are none where all rewards are equal, and each prompt is counted', () => {
    const equal: Answers = { One: [['a', 1], ['b', 1]], Two: [['c', 0], ['d', 0], ['e', 0]] };
    expect(pairs(equal)).toEqual({ pairs: [], report: { unused: { tie: 2 } } });
  });
});

describe('the best of n answers of a round', () => {
  it('is learnt where it is better than the mean of all, and nowhere else', () => {
    const { texts, report } = best({
      One: [['a', 0.1], ['b', 0.9], ['c', 0.2]], Two: [['d', 0.5], ['e', 0.5]], Three: [['f', 3]], Four: [['g', -2], ['h', -1]],
    });
    expect(texts).toEqual(['b', 'h']);
    expect(report).toEqual({ unused: { tie: 1, single: 1 }, gain: expect.closeTo((0.5 + 0.5) / 2, 12) as number });
  });

  it('is no mean of equal numbers that rounding takes for better', () => {
    const values = [0.1, 0.7, 1.1, 2.3, 0.3].map((value) => [1, 2, 3, 4, 5, 6, 7].map((i) => [`${value} ${i}`, value] as const));
    expect(best(Object.fromEntries(values.map((own, i) => [`${i}`, own]))).texts).toEqual([]);
  });

  it('is drawn among equally good ones by the seed, each as often as another', () => {
    const answers: Answers = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`${i}`, [[`a${i}`, 1], [`b${i}`, 1], ['c', 0]]]));
    const drawn = best(answers).texts;
    expect(best(answers).texts).toEqual(drawn);
    expect(best(answers, 1).texts).not.toEqual(drawn);
    const first = drawn.filter((text) => text.startsWith('a')).length;
    expect(first + drawn.filter((text) => text.startsWith('b')).length).toBe(300);
    // Four standard deviations of a fair coin thrown 300 times are 35.
    expect(Math.abs(first - 150)).toBeLessThan(35);
  });

  it('is learnt once where a prompt stands twice in the data and gets the same best answer', () => {
    const twin = promptOf('One', 2);
    const samples = [promptOf('One', 1), twin, promptOf('Other', 3)].flatMap((prompt): Sample[] => [
      { prompt, sample: 0, text: 'good', rated: { value: 1, reason: null } },
      { prompt, sample: 1, text: 'bad', rated: { value: 0, reason: null } },
    ]);
    const { rows, unused, measures } = rowsOfRound(makerOf('conversation', { make: 'best-of-n' })!, 'conversation', samples, [0, 1]);
    expect(rows.map(({ source }) => source.line)).toEqual([1, 3]);
    expect({ unused, measures }).toEqual({ unused: { duplicate: 1 }, measures: { gain: 0.5 } });
  });
});

describe('rows of another kind than the method learns from', () => {
  it.each([['pairs', 'conversation', 'preference'], ['best-of-n', 'preference', 'conversation']] as const)(
    '%s of a method of %s rows are refused', (make, wanted, makes) => {
      const words = `rows.make: ${make} makes rows of the kind "${makes}", but the method learns from "${wanted}" rows.`;
      expect(() => makerOf(wanted, AlignRowsOptions.parse({ make }))).toThrow(words);
    });
});
