import { z } from 'zod';
import type { Failure } from '../../judge/respondent.js';
import { sentencesOf } from '../../text/sentences.js';
import { readStated } from '../calibration/stated.js';
import { defineReward } from '../define.js';
import { groupsOf } from '../groups.js';
import type { Rated } from '../reward.js';
import { against, findingAt, ofNothing, textReward } from '../text-reward.js';
import { SAMENESS, clusters, semanticEntropy, surprise } from './entropy.js';

const Options = z.strictObject({
  /** When two answers count as the same: equal words, equal last numbers, or mostly the same words. */
  same: z.enum(SAMENESS).default('words'),
  /** Responses with at least this share of agreeing samples are satisfactory. Default: the reward draws no line. */
  threshold: z.number().min(0).max(1).optional(),
});

/**
 * `agreement`: the share of a prompt's other samples that give the same answer (self-consistency). It needs no right answers, and it can be
 * won by saying one thing always: keep another reward beside it, or watch what the entropy does. Parts: `entropy`, the semantic entropy of
 * the prompt's samples; `clusters`; `surprise` by SelfCheckGPT's unigrams. Needs `generate.samples` of 2 or more.
 */
export const agreement = defineReward({
  name: 'agreement',
  options: Options,
  describe: ({ same }) => `agreement of the samples by ${same}`,
  open: async (options) => textReward('agreement', options, options.threshold !== undefined, (items) => {
    const results = new Array<Rated | Failure>(items.length);
    for (const group of groupsOf(items)) {
      const rated = rateTogether(group.map((i) => items[i]!.response), options.same);
      group.forEach((i, at) => {
        const one = rated[at]!;
        results[i] = 'failure' in one ? one : against(options.threshold, one);
      });
    }
    return results;
  }),
});

function rateTogether(responses: readonly string[], same: (typeof SAMENESS)[number]): (Rated | Failure)[] {
  if (responses.length < 2) {
    return responses.map(() => ({
      failure: 'not-applicable', detail: 'its prompt has no other sample to agree with: set generate.samples to 2 or more',
    }));
  }
  const cluster = clusters(responses.map((response) => readStated(response).answer), same);
  const [entropy, sizes] = [semanticEntropy(cluster), new Set(cluster).size];
  return responses.map((response, i): Rated => {
    const nothing = ofNothing(response, 0, { entropy, clusters: sizes, surprise: 0 });
    if (nothing !== undefined) return nothing;
    const others = cluster.length - 1;
    const agreeing = cluster.filter((one) => one === cluster[i]).length - 1;
    const samples = responses.filter((_, j) => j !== i);
    const odd = sentencesOf(response)
      .map((span) => ({ span, surprise: surprise(span.text, samples, response) }))
      .sort((a, b) => b.surprise - a.surprise)[0];
    const value = agreeing / others;
    const alone = 2 * agreeing < others;
    return {
      value,
      reason: alone ? `Only ${agreeing} of the ${others} other answers to this prompt say${agreeing === 1 ? 's' : ''} the same.` : null,
      parts: { entropy, clusters: sizes, surprise: odd?.surprise ?? 0 },
      findings: alone && odd !== undefined ? [findingAt('agreement', odd.span)] : [],
    };
  });
}
