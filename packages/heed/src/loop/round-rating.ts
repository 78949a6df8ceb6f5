/** What rates the answers of a round of policy gradient: a reward, the critic of an adversarial loop, or both. */
import { type Failure, failed } from '../judge/respondent.js';
import type { Rated, Reward, RewardItem } from '../reward/reward.js';
import type { RunFolder } from '../run/folder.js';
import type { Hooks } from '../run/job.js';
import type { Adversary } from './adversary.js';
import type { Alarm } from './alarms.js';
import { rateAnswers } from './ratings.js';

export interface RatesRounds {
  /** Absent where the critic alone rates. */
  readonly reward: Reward | undefined;
  /** The share of a round's answers that may get no reward. */
  readonly allowedFailures: number;
  /** Absent where the reward alone rates. */
  readonly adversary?: Adversary;
  readonly run: Pick<RunFolder, 'path'>;
  readonly hooks: Hooks;
}

export interface RoundRating {
  readonly results: readonly (Rated | Failure)[];
  /** Of the results' parts, by name. Absent where the reward sums none. */
  readonly weights?: Readonly<Record<string, number>>;
  /** The critic's numbers of the round, and its alarm where it raises one. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly alarm?: Alarm | undefined;
}

/** Rates the answers of round `k`. All that was found out is on disk, where a resume finds it. @throws UserError as `rateAnswers` does */
export async function rateRound(
  k: number, items: readonly RewardItem[], { reward, allowedFailures, adversary, run, hooks }: RatesRounds,
): Promise<RoundRating> {
  const results = reward === undefined
    ? undefined
    : await rateAnswers(run.path('work', `round-${k}`, 'ratings.json'), items, reward, allowedFailures, hooks);
  if (adversary === undefined) return { results: results!, weights: reward?.weights, metrics: {} };
  const { chances, metrics, alarm } = await adversary.rate(k, items);
  const { weights: others = { reward: 1 } } = reward ?? { weights: {} };
  return {
    results: chances.map((chance, i) => withCritic(chance, adversary.weight, results?.[i], reward?.weights !== undefined)),
    weights: { adversary: adversary.weight, ...others },
    metrics, alarm,
  };
}

/**
 * weight · P(the answer is the demonstration) + the value of the other reward. Where that does not apply, the critic rates alone; another
 * failure of it is the failure of the whole.
 *
 * @param sums Whether the other reward sums several, whose parts are kept. Default: its value is a part.
 */
export function withCritic(chance: number, weight: number, other?: Rated | Failure, sums = false): Rated | Failure {
  const alone = { value: weight * chance, reason: null, parts: { adversary: chance } };
  if (other === undefined) return alone;
  if (failed(other)) return other.failure === 'not-applicable' ? alone : other;
  return { ...other, value: alone.value + other.value, parts: { ...alone.parts, ...(sums ? other.parts : { reward: other.value }) } };
}
