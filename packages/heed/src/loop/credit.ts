/** Which tokens of an answer get its reward: `credit` of a recipe. */
import { z } from 'zod';
import { UserError } from '../errors.js';
import { type Failure, failed } from '../judge/respondent.js';
import { meanOf } from '../method/advantages.js';
import type { BoundMethod } from '../method/method.js';
import type { Rollout } from '../method/rollout.js';
import type { Rated, ValuedSpan } from '../reward/reward.js';
import { sentencesOf } from '../text/sentences.js';
import { lastTokenOf, tokenEnds } from '../text/token-ends.js';
import type { Tokenizer } from '../text/tokenizer.js';

const SPREAD: readonly string[] = ['attention', 'uniform'];

/** `credit:` of a recipe. */
export const CreditOptions = z.strictObject({
  /**
   * `answer`: the whole reward at the last token. `spans`: what the reward says that places earned, each at its last token. `sentences`:
   * the same, at the end of the sentence that the place ends in. `attention`, `uniform`: a share of the reward over all tokens, by
   * attention or equally.
   */
  by: z.enum(['answer', 'spans', 'sentences', 'attention', 'uniform']).default('answer'),
  /** β, of `attention` and `uniform` (0.5 where left out): the share of the reward that is spread. The rest is the last token's. */
  share: z.number().min(0).max(1).optional(),
})
  .refine(({ by, share }) => share === undefined || SPREAD.includes(by), {
    path: ['share'], message: 'means nothing here: only attention and uniform spread a share of the reward; leave it out',
  })
  .transform((given) => (SPREAD.includes(given.by) ? { ...given, share: given.share ?? 0.5 } : given));
export type CreditOptions = z.infer<typeof CreditOptions>;

/** @throws UserError where the method would take no notice of which token has which reward */
export function requireTokenCredit({ by }: CreditOptions, { name, credit, averagesAdvantages }: BoundMethod): void {
  if (by === 'answer') return;
  if (credit === undefined) {
    throw new UserError(`credit.by is ${by}, but ${name} learns from whole answers and no token has a reward of its own.`, [
      'Leave `credit` out, or take a policy gradient: rloo, grpo, reinforce, ppo.',
    ]);
  }
  if (averagesAdvantages !== undefined) throw new UserError(`credit.by is ${by}, but ${name} would undo it: ${averagesAdvantages}.`);
}

/**
 * An answer before its reward is placed. `attention`: of its last token, on each of its own tokens, by the model without the adapter; there
 * where the reward brings none.
 */
export interface Unplaced {
  readonly rollout: Rollout;
  readonly result: Rated | Failure;
  readonly text: string;
  readonly ids: readonly number[];
  readonly attention?: ArrayLike<number>;
}

/** Gives an answer its `tokenRewards`, with `segments` or `weights`. An answer without a reward stays as it is. */
export function placeReward(unplaced: Unplaced, options: CreditOptions, tokenizer: Tokenizer): Rollout {
  const { rollout, result, text, ids } = unplaced;
  const { reward } = rollout;
  if (options.by === 'answer' || reward === null || failed(result)) return rollout;
  if (options.share !== undefined) {
    const a = options.by === 'attention' ? normalised(attentionOf(unplaced, tokenizer)) : ids.map(() => 1 / ids.length);
    return { ...rollout, tokenRewards: redistribute(reward, a, options.share), weights: tokenWeights(a, options.share) };
  }
  const ends = tokenEnds(tokenizer, ids);
  const spans = result.spans ?? [];
  const parts = options.by === 'spans' ? spans : bySentence(spans, text);
  return { ...rollout, ...atTokens(parts, reward, ends) };
}

/**
 * Attention on each of an answer's own tokens: that of the reward model which gave it, place by place, because its tokens need not be those
 * that were sampled; else what the model without the adapter said of the tokens themselves.
 */
function attentionOf({ result, ids, attention }: Unplaced, tokenizer: Tokenizer): number[] {
  if (failed(result) || result.attention === undefined) return Array.from(attention ?? []);
  const found = ids.map(() => 0);
  const ends = tokenEnds(tokenizer, ids);
  for (const span of result.attention) found[lastTokenOf(ends, span)]! += span.value;
  return found;
}

/** Whether the rewards of a round bring the attention, so that nothing need be read of the policy's own model. */
export const bringAttention = (results: readonly (Rated | Failure)[]): boolean =>
  results.some((result) => !failed(result) && result.attention !== undefined);

/** The values of the spans that end in each sentence, all sentences in order; an empty span belongs to no sentence. */
function bySentence(spans: readonly ValuedSpan[], text: string): ValuedSpan[] {
  const sentences = sentencesOf(text);
  const earned = sentences.map(() => 0);
  for (const { start, end, value } of spans) {
    const at = start < end ? sentences.findIndex((one) => end <= one.end) : -1;
    if (at >= 0) earned[at]! += value;
  }
  return sentences.map(({ start, end }, i) => ({ start, end, value: earned[i]! }));
}

/**
 * Values at the last tokens of their spans; two that end on one token add up. What they leave of the reward is the last token's, so that
 * the sum is the reward. A segment ends with each of these tokens.
 */
function atTokens(
  parts: readonly ValuedSpan[], reward: number, ends: readonly number[],
): Required<Pick<Rollout, 'tokenRewards' | 'segments'>> {
  const tokenRewards = ends.map(() => 0);
  const isEnd = ends.map(() => false);
  let rest = reward;
  for (const part of parts) {
    const at = lastTokenOf(ends, part);
    tokenRewards[at]! += part.value;
    isEnd[at] = true;
    rest -= part.value;
  }
  tokenRewards[ends.length - 1]! += rest;
  let segment = 0;
  return { tokenRewards, segments: isEnd.map((end) => (end ? segment++ : segment)) };
}

/** Above it, the last token gives more of the answer's attention to itself than to all words before it. */
const MOST_FOR_ITSELF = 0.5;
/** Below it, the attention on an answer is what the beginning of the text left over: its differences are noise, magnified. */
const LEAST_MASS = 0.2;

/** What `credit` did in a round: numbers for the log, and what to say. */
export interface CreditReport {
  readonly metrics: Readonly<Record<string, number>>;
  readonly remarks: readonly string[];
}

/**
 * `credit/mass`: the share of the last token's attention that lies on the answer, the mean over answers; `credit/last`: the part of that
 * which it keeps for itself. `credit/segments`: segments of an answer; `credit/placed`: the share of rated answers of which the reward
 * names a place.
 */
export function reportCredit(unplaced: readonly Unplaced[], placed: readonly Rollout[], { by }: CreditOptions): CreditReport {
  if (by === 'attention') return reportAttention(unplaced);
  if (by !== 'spans' && by !== 'sentences') return { metrics: {}, remarks: [] };
  const rated = unplaced.flatMap(({ result }) => (failed(result) ? [] : [result]));
  const share = meanOf(rated.map(({ spans = [] }) => Number(spans.some(({ start, end }) => start < end))));
  const segments = meanOf(placed.flatMap(({ segments: own }) => (own === undefined ? [] : [own.at(-1)! + 1])));
  const silent = rated.every(({ spans }) => spans === undefined);
  return {
    metrics: { 'credit/segments': segments, 'credit/placed': share },
    remarks: silent ? [`the reward names no places, so that credit.by: ${by} leaves all of it at the last token`] : [],
  };
}

function reportAttention(unplaced: readonly Unplaced[]): CreditReport {
  const found = unplaced.flatMap(({ attention, result }) => {
    if (failed(result)) return [];
    const own = result.attention?.map(({ value }) => value) ?? Array.from(attention!);
    const mass = own.reduce((sum, x) => sum + x, 0);
    return [{ mass, last: mass > 0 ? own.at(-1)! / mass : 0 }];
  });
  const mass = meanOf(found.map((one) => one.mass));
  const last = meanOf(found.map((one) => one.last));
  const low = `only ${mass.toFixed(2)} of the last token's attention lies on the answer, so that its differences are mostly noise`;
  const own = `the last token keeps ${last.toFixed(2)} of the answer's attention for itself, so that the words before it get little`;
  return {
    metrics: { 'credit/mass': mass, 'credit/last': last },
    remarks: [...(mass < LEAST_MASS ? [low] : []), ...(last > MOST_FOR_ITSELF ? [own] : [])]
      .map((one) => `${one}; compare with credit.by: uniform`),
  };
}

// How a reward that an answer earned as a whole is spread over its tokens (Chan et al., ABC, ICML 2024, arXiv 2402.00782).

/** Attention on each token of an answer, divided by its sum; the same for each token where the sum is 0. */
export function normalised(attention: ArrayLike<number>): number[] {
  const total = Array.from(attention).reduce((sum, x) => sum + x, 0);
  return Array.from(attention, (x) => (total > 0 ? x / total : 1 / attention.length));
}

/** r_t = β R a_t, and (1 − β) R more at the last token (ABC, Eq. 5): their sum is R. */
export const redistribute = (reward: number, a: readonly number[], share: number): number[] =>
  a.map((x, t) => share * reward * x + (t === a.length - 1 ? (1 - share) * reward : 0));

/** (1 − β) + β T a_t: what an answer's advantage is multiplied by at each of its T tokens, where there is no critic. The mean is 1. */
export const tokenWeights = (a: readonly number[], share: number): number[] => a.map((x) => 1 - share + share * a.length * x);
