import { z } from 'zod';
import { ngrams, plainWords, shareFound } from '../../text/words.js';
import { defineReward } from '../define.js';
import { sigmoid } from '../fit/logistic.js';
import { readSaved } from '../fit/saved.js';
import type { RewardItem } from '../reward.js';
import { against, ofNothing, reasonOf, textReward } from '../text-reward.js';
import { WINDOW } from './continuations.js';
import { DialogueCritic, criticScorer } from './critic-file.js';

const Options = z.strictObject({
  /** A JSON file with what `fitCritic` returned as `critic`. */
  file: z.string().min(1),
  /** Responses with at least this value, from 0 to 1, are satisfactory. */
  threshold: z.number().min(0).max(1).default(0.5),
});

/**
 * `critic`: the probability that a response belongs to its dialogue, by a classifier of features that was trained on real dialogues, less
 * half of the share of its runs of three words that were said before. Draws a line: at `threshold`.
 */
export const critic = defineReward({
  name: 'critic',
  learned: true,
  options: Options,
  describe: ({ file }) => `critic: ${file}`,
  async open({ file, threshold }) {
    const saved = await readSaved(file, DialogueCritic, 'Save what fitCritic returns as `critic`, as JSON.');
    const score = criticScorer(saved);
    return textReward('critic', { saved, threshold }, true, (items) => items.map(({ prompt, response }: RewardItem) => {
      const nothing = ofNothing(response, 0, { belongs: 0, repeats: 0 });
      if (nothing !== undefined) return against(threshold, nothing);
      const before = prompt.filter(({ role }) => role !== 'system').map(({ content }) => content).slice(-WINDOW);
      const runs = [...ngrams(plainWords(response), 3)];
      const repeats = runs.length === 0 ? 0 : shareFound(runs, before.flatMap((text) => [...ngrams(plainWords(text), 3)]));
      const belongs = sigmoid(score(response, before));
      const value = Math.max(0, belongs - 0.5 * repeats);
      const words: string[] = [];
      if (belongs < threshold) words.push(`The critic gives it a probability of ${belongs.toFixed(2)} to belong to this dialogue.`);
      if (repeats > 0.3) words.push('It repeats what was said before.');
      const reason = value < threshold ? reasonOf(words) ?? `Its value is ${value.toFixed(2)}, below ${threshold}.` : null;
      return against(threshold, { value, reason, parts: { belongs, repeats } });
    }));
  },
});
