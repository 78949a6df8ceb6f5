/** What methods that learn from rollouts have in common: from rewards to advantages, and the parts of their losses. */
import { type Tensor, add, clamp, exp, greater, max, maximum, minimum, mul, neg, square, sub, sum, toFloat } from '@heed/tensor';
import { z } from 'zod';
import type { RolloutCompletion, RolloutRow } from '../data/rows.js';
import { k1, klOfAnswer } from './advantages.js';
import type { Credit, Rollout } from './credit.js';
import type { Extreme, Respond, Scored, Term } from './method.js';
import { type SegmentReturns, segmentReturns } from './segments.js';
import type { Tokens } from './tokens.js';

export type { Credit, Rollout, RolloutReads } from './credit.js';

/** The same advantage for every token of a segment, times the token's weight. `advantages[i]`: of answer i, segment by segment. */
export const spread = (rollouts: readonly Rollout[], advantages: readonly (readonly number[])[]): Credit[] =>
  rollouts.map(({ tokens, segments, weights }, i) => ({
    advantages: Array.from({ length: tokens }, (_, t) => advantages[i]![segments?.[t] ?? 0]! * (weights?.[t] ?? 1)),
  }));

/** weight · r − β Σ_t log π/π_ref of an answer that π sampled; null where it has no reward. */
export function withKl({ reward, logp, reference }: Rollout, beta: number, weight = 1): number | null {
  if (reward === null || beta === 0) return reward;
  return weight * reward - beta * klOfAnswer(logp!, reference!);
}

/** What each token of an answer earned: `weight` times its reward, less β log π/π_ref. */
export function tokenRewardsOf({ reward, tokenRewards, logp, reference, tokens }: Rollout, beta: number, weight = 1): number[] {
  const rewards = tokenRewards === undefined ? new Array<number>(tokens).fill(0) : [...tokenRewards];
  if (tokenRewards === undefined) rewards[tokens - 1]! += reward ?? 0;
  return beta === 0 ? rewards.map((r) => weight * r) : k1(logp!, reference!).map((kl, t) => weight * rewards[t]! - beta * kl);
}

/**
 * The return of each answer at the beginning of each segment: of an answer that is one segment `whole`, of any other the sum of what its
 * tokens earned from there on.
 */
export const returnsOf = (
  rollouts: readonly Rollout[], whole: (rollout: Rollout) => number | null, beta: number, weight = 1,
): SegmentReturns =>
  rollouts.map((one) => {
    const all = whole(one);
    if (all === null) return null;
    return one.segments === undefined ? [all] : segmentReturns(tokenRewardsOf(one, beta, weight), one.segments);
  });

/** Options that several of the methods have. */
export const klInReward = z.number().min(0).default(0.05);
export const epsilonLow = z.number().gt(0).lt(1).default(0.2);
export const epsilonHigh = z.number().gt(0).default(0.2);

const column = (row: RolloutRow, of: (one: RolloutCompletion) => readonly number[] | undefined): number[][] =>
  row.completions.map((one) => [...(of(one) ?? new Array<number>(one.ids.length).fill(0))]);

/** The parts of a method's definition that all of them share. A row is a group: every sequence is one answer to its prompt. */
export const ROLLOUTS = {
  row: 'rollout',
  names: ['completions'],
  lists: ['completions'],
  columns: ['max_tokens'],
  listColumns: ['max_tokens'],
  tokenColumns: {
    advantages: 'completions', reference: 'completions', sampled: 'completions', returns: 'completions', values: 'completions',
  },
  entropies: (): readonly 'completions'[] => ['completions'],
  sequences: (row: RolloutRow, text: Respond) => (
    { completions: row.completions.map(({ ids, kept }) => text.respondTokens(row.prompt, ids, kept)) }
  ),
  columnsOf: (row: RolloutRow) => ({
    max_tokens: row.completions.map(({ maxTokens }) => maxTokens),
    advantages: column(row, ({ advantages }) => advantages),
    reference: column(row, ({ reference }) => reference),
    sampled: column(row, ({ sampled }) => sampled),
    returns: column(row, ({ returns }) => returns),
    values: column(row, ({ values }) => values),
  }),
} as const;

/** The reference that the ratio compares with: the policy as the round began, which sampled the answers. */
export const OLD = { old: { is: 'round', scores: ['completions'] } } as const;

export type RolloutScored = Scored<'completions'>;

/** Σ over tokens / tokens. */
export const perToken = (x: Tokens): Term => ({ sum: sum(x.sum()), count: sum(x.count()) });
/** Σ over answers / answers. */
export const perAnswer = (x: Tensor, of: Tokens): Term => ({ sum: sum(mul(x, of.present())), count: sum(of.present()) });

/** min(ρÂ, clip(ρ, 1 − ε_low, 1 + ε_high) Â): PPO's surrogate (Schulman et al. 1707.06347, Eq. 7), with two bounds (DAPO 2503.14476). */
export const surrogate = (ratio: Tensor, advantage: Tensor, low: number, high: number): Tensor =>
  minimum(mul(ratio, advantage), mul(clamp(ratio, 1 - low, 1 + high), advantage));

/**
 * How TRL names which ratios a clip holds back: too low with Â < 0, too high with Â > 0. Means are over tokens; `low_min` and `high_max`
 * are the least and the largest share of an answer's tokens.
 */
export function clipMetrics(ratio: Tokens, advantage: Tokens, low: number, high: number): Record<string, Term | Extreme> {
  const isBelow = ratio.with(advantage, (r, a) => mul(toFloat(greater(1 - low, r)), toFloat(greater(0, a))));
  const isAbove = ratio.with(advantage, (r, a) => mul(toFloat(greater(r, 1 + high)), toFloat(greater(a, 0))));
  return {
    'clip_ratio/low_mean': perToken(isBelow),
    'clip_ratio/high_mean': perToken(isAbove),
    'clip_ratio/region_mean': perToken(isBelow.add(isAbove)),
    // A place without an answer has the share 1 where the least counts: no answer has more.
    'clip_ratio/low_min': { least: neg(ofAll(neg(add(isBelow.mean(), sub(1, isBelow.present()))))) },
    'clip_ratio/high_max': { most: ofAll(isAbove.mean()) },
  };
}

/** The largest of all numbers, a scalar. */
const ofAll = (x: Tensor): Tensor => x.shape.reduce((largest) => max(largest, 0), x);

/** k3 of the policy against the reference, with gradient. */
export const klTokens = (logp: Tokens, reference: Tokens): Tokens =>
  logp.with(reference, (p, q) => sub(sub(exp(sub(q, p)), sub(q, p)), 1));

/**
 * Numbers that every loss logs: the entropy of the policy, the distance of its ratio from 1, and `mismatch_kl`, k3 of trainer against
 * sampler: near 0 where both compute the same distribution.
 */
export function rolloutMetrics({ entropy, under, tokens }: RolloutScored): Record<string, Term> {
  return {
    entropy: perToken(entropy.completions!.detach()),
    mismatch_kl: perToken(klTokens(under['old']!.completions, tokens['sampled']!)),
  };
}

/** ½ max((V − R)², (clip(V, V_old ± ε) − R)²) of each token: PPO's clipped value loss. */
export function valueLoss(value: Tokens, old: Tokens, returns: Tokens, epsilon: number): Tokens {
  const moved = value.with(old, (v, o) => add(o, clamp(sub(v, o), -epsilon, epsilon)));
  const squared = (x: Tokens): Tokens => x.with(returns, (v, r) => square(sub(v, r)));
  return squared(value).with(squared(moved), maximum).mul(0.5);
}
