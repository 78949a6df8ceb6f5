import { existsSync } from 'node:fs';
import { z } from 'zod';
import { type Failure, failed } from '../judge/respondent.js';
import { RewardOptions, mayBeCost, rewardKindOf } from '../reward/options.js';
import type { Rated, Reward, RewardItem } from '../reward/reward.js';
import { atomicWrite } from '../run/files.js';
import type { RunFolder } from '../run/folder.js';
import type { Hooks } from '../run/job.js';
import { rateAnswers } from './ratings.js';
import { readKept } from '../run/json-file.js';

/**
 * One of `constraints:` of a recipe: a cost whose mean is to stay at its limit or below, or a reward whose mean is to stay at `atLeast` or
 * above.
 */
export const ConstraintOptions = z.strictObject({
  /** Names the cost in logs: `lambda/<name>`, `costs/<name>/mean`. */
  name: z.string().regex(/^[\w-]+$/, 'expected letters, digits, - and _'),
  /** What gives the cost of an answer, as a reward does: higher is worse. */
  cost: RewardOptions.optional(),
  /** d: the mean cost that is tolerated. */
  limit: z.number().optional(),
  /** In place of a cost, a reward: higher is better. Its cost is minus the reward. */
  reward: RewardOptions.optional(),
  /** The mean reward that is asked for: d is minus this. */
  atLeast: z.number().optional(),
  /** λ at the beginning. Its steps are proportional to λ, so a small λ hardly moves. */
  lambda: z.number().positive().default(1),
  /** How far log λ moves for a cost of 1 above the limit. */
  learningRate: z.number().positive().default(0.1),
  /** λ goes no higher. */
  max: z.number().positive().default(10),
  /** How many of the newest answers the mean is taken over. */
  window: z.int().min(1).default(128),
  /** Layers of penalty in place of the cost itself: Σ weight · max(0, cost − above). The limit is then one of that sum. */
  layers: z.array(z.strictObject({ above: z.number(), weight: z.number().positive() })).min(1).optional(),
})
  .refine(({ lambda, max }) => lambda <= max, { path: ['lambda'], message: 'expected at most max' })
  .superRefine((given, context) => {
    for (const [key, message] of problemsOf(given)) context.addIssue({ code: 'custom', path: [key], message, input: undefined });
  });
export type ConstraintOptions = z.infer<typeof ConstraintOptions>;

type Side = Partial<Record<'cost' | 'limit' | 'reward' | 'atLeast' | 'layers', unknown>> & { readonly cost?: RewardOptions };

/** A constraint is a cost with a limit, or a reward with `atLeast`. */
function problemsOf({ cost, limit, reward, atLeast, layers }: Side): (readonly [key: string, message: string])[] {
  if (cost === undefined && reward === undefined)
    return [['cost', 'is missing; write cost and limit (a mean at most), or reward and atLeast (a mean at least)']];
  if (cost !== undefined && reward !== undefined) return [['reward', 'stands beside cost; leave one of them out']];
  if (reward !== undefined) {
    return [
      ...(atLeast === undefined ? [['atLeast', 'is missing: the mean reward that is asked for'] as const] : []),
      ...(limit === undefined ? [] : [['limit', 'is that of a cost; of a reward write atLeast, the mean that is asked for'] as const]),
      ...(layers === undefined ? [] : [['layers', 'are those of a cost, and a reward stands here; leave them out'] as const]),
    ];
  }
  const higherIsBetter = `of ${rewardKindOf(cost!)} a higher value is better, so a limit on it would pay for the worse answers; `
    + 'write reward: … and atLeast: the least mean, in place of cost and limit';
  return [
    ...(limit === undefined ? [['limit', 'is missing: the mean cost that is tolerated'] as const] : []),
    ...(atLeast === undefined ? [] : [['atLeast', 'is that of a reward; of a cost write limit, the mean that is tolerated'] as const]),
    ...(mayBeCost(cost!) ? [] : [['cost', higherIsBetter] as const]),
  ];
}

/** A multiplier that falls by more in one step, to less than 0.14 of what it was, hardly wakes again. */
const DEEP = Math.exp(-2);

/** What gives the numbers of a constraint. */
export const ratedBy = ({ cost, reward }: Pick<ConstraintOptions, 'cost' | 'reward'>): RewardOptions => cost ?? reward!;

/** d of a constraint: the mean cost that is tolerated. */
const limitOf = ({ limit, atLeast }: Pick<ConstraintOptions, 'limit' | 'atLeast'>): number => limit ?? -atLeast!;

/** The cost of an answer that was given the number `value`. */
const costOf = ({ reward, layers }: Pick<ConstraintOptions, 'reward' | 'layers'>, value: number): number =>
  (reward === undefined ? layered(value, layers) : -value);

/** A multiplier and the costs that it was learnt from, oldest first. */
export interface Multiplier {
  readonly lambda: number;
  readonly costs: readonly number[];
}

/**
 * One step of a Lagrange multiplier, in log space (Safe RLHF: Dai et al. 2310.12773): log λ ← log λ + η λ (mean cost − d), then at most
 * log λ_max.
 *
 * @param fresh Costs of the newest answers.
 */
export function stepMultiplier(
  { lambda, costs }: Multiplier, fresh: readonly number[],
  { learningRate, max, window, ...side }: Pick<ConstraintOptions, 'limit' | 'atLeast' | 'learningRate' | 'max' | 'window'>,
): Multiplier {
  const kept = [...costs, ...fresh].slice(-window);
  if (kept.length === 0) return { lambda, costs };
  const mean = kept.reduce((sum, x) => sum + x, 0) / kept.length;
  return { lambda: Math.min(max, lambda * Math.exp(learningRate * lambda * (mean - limitOf(side)))), costs: kept };
}

/** (r − Σ λ_i c_i) / (1 + Σ λ_i): Safe RLHF's advantage, of rewards as of advantages, since both are linear. */
export function withCosts(reward: number, costs: readonly number[], lambdas: readonly number[]): number {
  const weighted = costs.reduce((sum, cost, i) => sum + lambdas[i]! * cost, 0);
  return (reward - weighted) / (1 + lambdas.reduce((sum, lambda) => sum + lambda, 0));
}

/** Σ weight · max(0, cost − above); without layers the cost itself. */
export const layered = (cost: number, layers: ConstraintOptions['layers']): number =>
  (layers === undefined ? cost : layers.reduce((sum, { above, weight }) => sum + weight * Math.max(0, cost - above), 0));

/** A round's answers under the constraints. */
export interface Constrained {
  /** The rewards with the costs taken off. An answer without a cost has no reward. */
  readonly results: readonly (Rated | Failure)[];
  /** Costs of each answer, by name; of answers that have all of them. */
  readonly costs: readonly (Readonly<Record<string, number>> | undefined)[];
  /** `lambda/<name>`; `costs/<name>/mean` of the round, `costs/<name>/window` of the newest answers. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** The constraints of a run. */
export interface Constraints {
  /** Rates the costs of a round's answers, moves the multipliers, and takes the costs off the rewards. */
  apply(k: number, items: readonly RewardItem[], rewards: readonly (Rated | Failure)[]): Promise<Constrained>;
}

/** A constraint, and what gives its numbers, opened. */
export interface OpenConstraint {
  readonly options: ConstraintOptions;
  readonly rated: Reward;
}

export function openConstraints(
  opened: readonly OpenConstraint[], allowedFailures: number, run: Pick<RunFolder, 'path'>, hooks: Hooks,
): Constraints {
  const fileOf = (k: number): string => run.path('work', `round-${k}`, 'multipliers.json');

  async function before(k: number): Promise<readonly Multiplier[]> {
    const file = fileOf(k - 1);
    if (!existsSync(file)) return opened.map(({ options: { lambda } }) => ({ lambda, costs: [] }));
    return readKept<readonly Multiplier[]>(file);
  }

  return {
    async apply(k, items, rewards) {
      if (opened.length === 0) return { results: rewards, costs: items.map(() => undefined), metrics: {} };
      const found: (readonly (number | undefined)[])[] = [];
      for (const { options, rated } of opened) {
        const file = run.path('work', `round-${k}`, `costs-${options.name}.json`);
        const numbers = await rateAnswers(file, items, rated, allowedFailures, hooks, `constraint "${options.name}"`);
        found.push(numbers.map((one) => (failed(one) ? undefined : costOf(options, one.value))));
      }
      const old = await before(k);
      const multipliers = opened.map(({ options }, i) =>
        stepMultiplier(old[i]!, found[i]!.filter((cost) => cost !== undefined), options));
      await atomicWrite(fileOf(k), `${JSON.stringify(multipliers)}\n`);
      sayBounds(k, old, multipliers);
      sayFalls(k, old, multipliers);
      const lambdas = multipliers.map(({ lambda }) => lambda);
      const costs = items.map((_, i) => {
        const own = opened.map(({ options: { name } }, c) => [name, found[c]![i]] as const);
        return own.some(([, cost]) => cost === undefined) ? undefined : (Object.fromEntries(own) as Readonly<Record<string, number>>);
      });
      return {
        costs,
        results: rewards.map((one, i): Rated | Failure => {
          if (failed(one)) return one;
          const own = costs[i];
          if (own === undefined) return { failure: 'not-applicable', detail: 'a constraint gave this answer no cost' };
          // Places share in the reward's new scale; the costs belong to the answer as a whole.
          const spans = one.spans?.map((span) => ({ ...span, value: withCosts(span.value, [], lambdas) }));
          return withinLimits({ ...one, value: withCosts(one.value, Object.values(own), lambdas), spans }, own);
        }),
        metrics: Object.fromEntries(opened.flatMap(({ options: { name } }, c) => {
          const known = found[c]!.filter((cost) => cost !== undefined);
          const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / Math.max(1, values.length);
          return [
            [`lambda/${name}`, lambdas[c]!], [`costs/${name}/mean`, mean(known)], [`costs/${name}/window`, mean(multipliers[c]!.costs)],
          ];
        })),
      };
    },
  };

  /** An answer is good enough where it also keeps to every limit. */
  function withinLimits(rated: Rated, costs: Readonly<Record<string, number>>): Rated {
    const broken = opened.filter(({ options }) => costs[options.name]! > limitOf(options));
    if (rated.satisfied === undefined || broken.length === 0) return rated;
    const words = broken.map(({ options: { name, limit, atLeast } }) => (atLeast === undefined
      ? `The cost ${name} is ${costs[name]}, above ${limit}.` : `The reward ${name} is ${-costs[name]!}, below ${atLeast}.`)).join(' ');
    return { ...rated, satisfied: false, reason: rated.reason === null ? words : `${rated.reason}\n${words}` };
  }

  /** Steps grow with the unit of the cost: of costs in the hundreds a multiplier falls asleep in the first round that keeps the limit. */
  function sayFalls(k: number, old: readonly Multiplier[], now: readonly Multiplier[]): void {
    opened.forEach(({ options: { name } }, i) => {
      const [was, is] = [old[i]!.lambda, now[i]!.lambda];
      if (is >= DEEP * was) return;
      hooks.say?.(`round ${k}: the multiplier of ${name} fell from ${was.toPrecision(2)} to ${is.toPrecision(2)} in one round. `
        + 'Its steps are proportional to it, so that it hardly rises again where the constraint is broken later. '
        + 'Divide the costs until they are about 1, or lower constraints.learningRate.');
    });
  }

  function sayBounds(k: number, old: readonly Multiplier[], now: readonly Multiplier[]): void {
    opened.forEach(({ options: { name, max, limit, atLeast } }, i) => {
      if (now[i]!.lambda < max || old[i]!.lambda >= max) return;
      const state = atLeast === undefined ? `its cost is still above the limit ${limit}` : `its reward is still below ${atLeast}`;
      const way = atLeast === undefined ? 'the limit cannot be met: raise it, or' : 'so much cannot be reached: lower atLeast, or raise';
      hooks.say?.(`round ${k}: the multiplier of ${name} is at its bound ${max}, and ${state}. Perhaps ${way} constraints.max.`);
    });
  }
}
