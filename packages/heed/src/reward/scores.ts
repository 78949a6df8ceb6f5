import { z } from 'zod';
import { describeJudge, openRespondent } from '../judge/open.js';
import { RespondentOptions } from '../judge/options.js';
import type { Failure } from '../judge/respondent.js';
import { ScoresOptions, labelScores } from '../label/scores.js';
import { askThrough, singlesOf } from './ask-through.js';
import { defineReward } from './define.js';
import type { Rated } from './reward.js';

const Options = ScoresOptions.omit({ name: true }).extend({
  /** Who is asked for the scores. */
  judge: RespondentOptions,
  /** Responses with at least this score, from −1 to 1, are satisfactory. Default: the reward draws no line. */
  threshold: z.number().min(-1).max(1).optional(),
});

/**
 * `scores`: the rating from 1 to 10 that a respondent expects to give, by the log-probabilities of the ten numbers, mapped to −1 … 1
 * (direct RLAIF; Lee et al., ICML 2024, arXiv 2309.00267, §2.2.2). Value: the score, turned round where the criterion looks for the bad.
 */
export const scores = defineReward({
  name: 'scores',
  learned: true,
  options: Options,
  // Of every criterion a higher score is better; what words of the user's own ask for, only they know.
  mayBeCost: ({ preamble }) => preamble !== undefined,
  describe: ({ judge, criterion }) => `scores (${criterion}) by ${describeJudge(judge)}`,
  async open({ judge, threshold, ...options }, tools) {
    const how = JSON.stringify({ ...options, threshold });
    return askThrough(await openRespondent(judge, tools), tools, `scores ${how}`, threshold !== undefined, async (items, respondent) => {
      const { rows, failures } = await labelScores(singlesOf(items), respondent, { name: 'scores', ...options });
      const results = new Map<string, Rated | Failure>();
      for (const { id, failure, detail } of failures) results.set(id!, { failure, detail } as Failure);
      for (const { id, score, rating } of rows as readonly { id: string; score: number; rating: number }[]) {
        const satisfied = threshold === undefined ? undefined : score >= threshold;
        const reason = satisfied === false ? `It is rated ${rating.toFixed(1)} of 10.` : null;
        results.set(id, { value: score, reason, parts: { rating }, satisfied });
      }
      return items.map((_, i) => results.get(String(i))!);
    });
  },
});
