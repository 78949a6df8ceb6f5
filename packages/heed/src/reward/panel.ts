import { z } from 'zod';
import { describeJudge, openRespondent } from '../judge/open.js';
import { RespondentOptions } from '../judge/options.js';
import { type ChoiceReply, type Failure, type Respondent, failed } from '../judge/respondent.js';
import { RATINGS, ScoresOptions, ratingQuestion, scoreOf } from '../label/scores.js';
import { askAllThrough, closeAll, singlesOf } from './ask-through.js';
import { type RewardTools, defineReward } from './define.js';
import type { Rated } from './reward.js';

const Options = ScoresOptions.omit({ name: true }).extend({
  /** Who is asked: two judges or more. */
  judges: z.array(RespondentOptions).min(2),
  /** `mean`: the mean of the scores. `majority`: the share of judges whose score is at least `threshold`. */
  vote: z.enum(['mean', 'majority']).default('mean'),
  /**
   * A score, from −1 to 1. With `majority` it is what a judge is satisfied with, and a response is satisfactory where more than half are.
   * With `mean` a response is satisfactory from this mean on. Default: `mean` draws no line, and a judge of a majority is satisfied from 0.
   */
  threshold: z.number().min(-1).max(1).optional(),
});

/**
 * `panel`: several judges score a response (as `scores`), and their scores become one. Their disagreement is kept: the standard deviation
 * of the scores, and each score. A panel of small judges of different families errs less than one large one (Verga et al. 2024, arXiv
 * 2404.18796). A judge that fails on a response is left out; where fewer than two are left, the response has no rating.
 */
export const panel = defineReward({
  name: 'panel',
  learned: true,
  options: Options,
  // Of every criterion a higher score is better; what words of the user's own ask for, only they know.
  mayBeCost: ({ preamble }) => preamble !== undefined,
  describe: ({ judges, vote }) => `panel (${vote}) of ${judges.map((judge) => describeJudge(judge)).join(' and ')}`,
  async open({ judges, vote, threshold, ...options }, tools) {
    const how = `panel ${JSON.stringify({ ...options, vote, threshold })}`;
    const line = vote === 'majority' ? threshold ?? 0 : threshold;
    return askAllThrough(await openAll(judges, tools), tools, how, line !== undefined, async (items, respondents) => {
      const questions = singlesOf(items).map((single) => ({ ...ratingQuestion(single, options), answers: RATINGS }));
      const replies: (readonly (ChoiceReply | Failure)[])[] = [];
      // One after another: two local judges do not compete for memory.
      for (const respondent of respondents) replies.push(await respondent.choose(questions));
      return items.map((_, i) => {
        const scores = replies.map((own) => own[i]!).map((reply) => (failed(reply) ? reply : scoreOf(reply, options)));
        return vote === 'mean' ? byMean(scores, line) : byMajority(scores, line!);
      });
    });
  },
});

/** Opens respondents; where one cannot be opened, those that were are closed. */
export async function openAll(specs: readonly RespondentOptions[], tools: RewardTools): Promise<Respondent[]> {
  const opened: Respondent[] = [];
  try {
    for (const spec of specs) opened.push(await openRespondent(spec, tools));
    return opened;
  } catch (error) {
    await closeAll(opened);
    throw error;
  }
}

/** Each judge's score, or why there is none. */
type Scores = readonly (number | Failure)[];

function byMean(scores: Scores, threshold: number | undefined): Rated | Failure {
  const counted = countOf(scores);
  if ('failure' in counted) return counted;
  const { given, parts } = counted;
  const value = meanOf(given);
  const satisfied = threshold === undefined ? undefined : value >= threshold;
  const bad = `The judges give it ${given.map((score) => score.toFixed(2)).join(', ')}: ${value.toFixed(2)} on average.`;
  return { value, reason: satisfied === false ? bad : null, parts, satisfied };
}

function byMajority(scores: Scores, threshold: number): Rated | Failure {
  const counted = countOf(scores);
  if ('failure' in counted) return counted;
  const { given, parts } = counted;
  const content = given.filter((score) => score >= threshold).length;
  // A draw is no majority.
  const satisfied = content > given.length / 2;
  const bad = `${given.length - content} of ${given.length} judges are not satisfied with it.`;
  return { value: content / given.length, reason: satisfied ? null : bad, parts, satisfied };
}

/** The scores that were given, and what is kept of them: each by the number of its judge, and how far they lie apart. */
function countOf(scores: Scores): { readonly given: number[]; readonly parts: Record<string, number> } | Failure {
  const given = scores.filter((score) => typeof score === 'number');
  if (given.length < 2) {
    const first = scores.find((score) => typeof score !== 'number')!;
    return { ...first, detail: `${given.length} of ${scores.length} judges answered: ${first.detail}` };
  }
  const mean = meanOf(given);
  const own = scores.flatMap((score, k): [string, number][] => (typeof score === 'number' ? [[`judge${k + 1}`, score]] : []));
  const disagreement = Math.sqrt(given.reduce((sum, score) => sum + (score - mean) ** 2, 0) / (given.length - 1));
  return { given, parts: { ...Object.fromEntries(own), disagreement } };
}

const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
