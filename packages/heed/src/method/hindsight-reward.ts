import { mul, neg, sub, sum } from '@heed/tensor';
import { z } from 'zod';
import { rewriteInstruction, wordingFault } from '../text/wording.js';
import { defineMethod } from './method.js';

const wording = z.string().superRefine((text, context) => {
  const fault = wordingFault(text, ['instruction']);
  if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
});

const options = z.strictObject({
  /** Responses that score less were wrong, all others correct. In the unit of the file's `score`; no default, since only you know it. */
  threshold: z.number(),
  /** The last user turn of a response that scored well, with {instruction}. Also how to ask the trained model. */
  correct: wording.default('{instruction}\n\nGenerate a correct answer.'),
  /** The last user turn of a response that scored less. */
  wrong: wording.default('{instruction}\n\nGenerate a wrong answer.'),
}).refine(({ correct, wrong }) => correct !== wrong, {
  path: ['wrong'], message: 'equals correct: the model could not tell the two apart',
});

/**
 * Hindsight from a scalar reward: imitate each response under a prompt that asks for what it turned out to be, "a correct answer" from
 * the threshold on, "a wrong answer" below it: L = −1/N Σ log p(y_t|y_<t, x′). Zhang et al., ICML 2023, arXiv 2302.05206 (hindsight
 * instruction relabelling), as the CUT paper recounts it (arXiv 2312.14591, section 3.2, where the two are told the wrong way
 * round). The trained model is asked with the wording of `correct`. Unit: row.
 */
export const hindsightReward = defineMethod({
  name: 'hindsight-reward',
  paper: 'Zhang et al., The Wisdom of Hindsight Makes Language Models Better Instruction Followers, ICML 2023, arXiv 2302.05206',
  row: 'scored',
  options,
  names: ['response'],
  columns: ['wrong'],
  sequences(row, text, { threshold, correct, wrong }) {
    const asked = rewriteInstruction(row.prompt, 'hindsight', row.score < threshold ? wrong : correct);
    return { response: text.respond(asked, row.completion, row.prompt) };
  },
  columnsOf: (row, { threshold }) => ({ wrong: row.score < threshold ? 1 : 0 }),
  unfitTogether(rows, { threshold }) {
    const scores = rows.map((row) => row.score);
    const [low, high] = [scores.reduce((a, b) => Math.min(a, b)), scores.reduce((a, b) => Math.max(a, b))];
    if (low < threshold && high >= threshold) return undefined;
    return `their scores go from ${low} to ${high}, all on one side of the threshold ${threshold}, so that there is nothing to tell apart`;
  },

  loss({ logp: { response }, columns: { wrong: column }, rows }) {
    const [wrong, nll] = [column!, neg(response.mean())];
    const correct = sub(1, wrong);
    return {
      terms: [{ sum: sum(nll), count: rows }],
      metrics: {
        nll_correct: { sum: sum(mul(correct, nll)), count: sum(correct) },
        nll_wrong: { sum: sum(mul(wrong, nll)), count: sum(wrong) },
      },
    };
  },
});
