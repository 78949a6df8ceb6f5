import { describe, expect, it } from 'vitest';
import type { PromptRow } from '../../src/data/rows.js';
import { duelOf } from '../../src/evaluate/duel.js';
import { preferredOf } from '../../src/evaluate/preferred.js';
import type { ChoiceQuestion, Failure, Respondent } from '../../src/judge/respondent.js';
import { PreferencesOptions } from '../../src/label/preferences.js';

const rows = ['Why?', 'How?', 'Who?', 'When?'].map((content, i): PromptRow => ({
  source: { file: 'p.jsonl', line: i + 1 }, prompt: [{ role: 'user', content }], extra: {},
}));
const options = PreferencesOptions.parse({ name: 'preferences' });
const usage = { promptTokens: 0, completionTokens: 0, milliseconds: 0 };
let asked = 0;
/** Gives the first place the probability that `first` says. */
const judge = (first: (shown: string) => number | Failure): Respondent => ({
  name: 'scripted',
  async choose(questions: readonly ChoiceQuestion[]) {
    asked += questions.length;
    return questions.map(({ messages }) => {
      const p = first(messages.at(-1)!.content);
      return typeof p === 'number' ? { logprobs: [Math.log(p), Math.log(1 - p)], mass: 1, source: 'logprobs' as const, usage } : p;
    });
  },
  write: async () => [],
  close: async () => undefined,
});
const [other, own] = [['no', 'same', 'good words', 'x'], ['good answer', 'same', 'bad', 'y']];
/** Which of two texts stands first in the question. */
const isBefore = (shown: string, one: string, two: string): boolean => shown.lastIndexOf(one) < shown.lastIndexOf(two);

describe('a judge of pairs', () => {
  it('is asked in both orders; an answer wins or loses where both say so, and a favoured place is a tie', async () => {
    asked = 0;
    const verdicts = await preferredOf(rows, other, own, judge((shown) => {
      if (shown.includes('good answer')) return isBefore(shown, 'good answer', 'no') ? 0.9 : 0.3;
      if (shown.includes('good words')) return isBefore(shown, 'good words', 'bad') ? 0.8 : 0.4;
      return 0.75;
    }), options);
    // Equal answers are not asked about: three pairs, two orders.
    expect(asked).toBe(6);
    expect(verdicts.map(({ outcome, followedPlace }) => [outcome, followedPlace])).toEqual([
      ['win', false], ['tie', false], ['loss', false], ['tie', true],
    ]);
    // ½ (0.9 + (1 − 0.3)), ½ ((1 − 0.8) + 0.4), ½ (0.75 + (1 − 0.75)).
    expect(verdicts.map(({ probability }) => probability && Number(probability.toFixed(12)))).toEqual([0.8, undefined, 0.3, 0.5]);
    const texts = (all: readonly string[]) => all.map((text) => ({ text }));
    expect(duelOf({ name: 'a', completions: texts(other) }, { name: 'b', completions: texts(own) }, verdicts)).toMatchObject({
      outcomes: { win: 1, loss: 1, tie: 2, unrated: 0 }, winRate: { mean: 0.5 }, followedPlace: 1, same: 1, change: {},
    });
  });

  it('that fails in one order has said nothing', async () => {
    const refusal = { failure: 'refused', detail: 'no comment' } as unknown as Failure;
    const verdicts = await preferredOf(rows, other, own, judge((shown) =>
      (shown.includes('bad') && !isBefore(shown, 'bad', 'good words') ? refusal : 0.5)), options);
    expect(verdicts[2]).toEqual({ outcome: 'unrated', followedPlace: false, failure: 'refused: no comment' });
    expect(verdicts[0]).toEqual({ outcome: 'tie', probability: 0.5, followedPlace: false });
  });
});
