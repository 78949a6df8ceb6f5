/**
 * Advantages where the reward came piece by piece. An answer is cut into segments, such as its sentences. Every token of a segment has one
 * advantage: what the answer earned from the segment's beginning on, its return, less what the other answers of the group earned from the
 * same segment on. A reward that came before a token is no merit of that token; one that comes later may be. An answer whose reward came
 * whole is one segment.
 */
import { STD_EPSILON, type ScaleRewards, groupRelative, rewardToGo, sampleStd } from './advantages.js';

/** For each answer, the return at the beginning of each segment; null for an answer without a reward. */
export type SegmentReturns = readonly (readonly number[] | null)[];

/**
 * Σ of the rewards from each segment's first token on.
 *
 * @param rewards Of each token.
 * @param segments The segment of each token: 0 of the first, and never less than that of the token before.
 */
export function segmentReturns(rewards: readonly number[], segments: readonly number[]): number[] {
  const toGo = rewardToGo(rewards);
  return toGo.filter((_, t) => t === 0 || segments[t] !== segments[t - 1]);
}

/**
 * Centres the returns of each segment over the answers. An answer that has fewer segments stands there with its last one: it sets the
 * others' baseline alone, which may be any number that does not depend on what they do.
 *
 * @param centre What is made of one number for each answer, null where there is none: `leaveOneOut`, say.
 */
export function bySegment(returns: SegmentReturns, centre: (returns: readonly (number | null)[]) => readonly number[]): number[][] {
  const most = Math.max(1, ...returns.map((own) => own?.length ?? 1));
  const centred = Array.from({ length: most }, (_, k) => centre(returns.map((own) => (own === null ? null : own[k] ?? own.at(-1)!))));
  return returns.map((own, i) => Array.from({ length: own?.length ?? 1 }, (_, k) => centred[k]![i]!));
}

/**
 * `groupRelative` by segment. All segments of a group are divided by one number, so that a late segment with little left to earn does not
 * count as much as the whole: the root of Σ centred² / (n − 1) over the n segments of the group, or the sample deviation of all returns of
 * the round (`batch`), plus 10⁻⁴. Of answers of one segment these are the deviations that `groupRelative` has.
 */
export function groupRelativeBySegment(returns: SegmentReturns, groups: readonly number[], scale: ScaleRewards): number[][] {
  const centred = bySegment(returns, (rewards) => groupRelative(rewards, groups, 'none'));
  if (scale === 'none') return centred;
  const whole = sampleStd(returns.flatMap((own) => own ?? []));
  const ofGroup = new Map([...new Set(groups)].map((group) => [
    group, rootMeanSquare(centred.flatMap((own, i) => (groups[i] === group && returns[i] !== null ? own : []))),
  ]));
  return centred.map((own, i) => {
    const deviation = scale === 'batch' ? whole : ofGroup.get(groups[i]!)!;
    return own.map((x) => x / (deviation + STD_EPSILON));
  });
}

const rootMeanSquare = (centred: readonly number[]): number =>
  centred.length < 2 ? 0 : Math.sqrt(centred.reduce((sum, x) => sum + x * x, 0) / (centred.length - 1));
