import { existsSync } from 'node:fs';
import { z } from 'zod';
import { type Failure, failed } from '../judge/respondent.js';
import { RewardOptions } from '../reward/options.js';
import type { Rated, Reward, RewardItem } from '../reward/reward.js';
import { atomicWrite } from '../run/files.js';
import type { RunFolder } from '../run/folder.js';
import type { Hooks } from '../run/job.js';
import { rateAnswers } from './ratings.js';
import { readKept } from '../run/json-file.js';

/** One of `constraints:` of a recipe: a cost whose mean is to stay at its limit or below. */
export const ConstraintOptions = z.strictObject({
  /** Names the cost in logs: `lambda/<name>`, `costs/<name>/mean`. */
  name: z.string().regex(/^[\w-]+$/, 'expected letters, digits, - and _'),
  /** What gives the cost of an answer, as a reward does: higher is worse. */
  cost: RewardOptions,
  /** d: the mean cost that is tolerated. */
  limit: z.number(),
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
}).refine(({ lambda, max }) => lambda <= max, { path: ['lambda'], message: 'expected at most max' });
export type ConstraintOptions = z.infer<typeof ConstraintOptions>;

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
  { limit, learningRate, max, window }: Pick<ConstraintOptions, 'limit' | 'learningRate' | 'max' | 'window'>,
): Multiplier {
  const kept = [...costs, ...fresh].slice(-window);
  if (kept.length === 0) return { lambda, costs };
  const mean = kept.reduce((sum, x) => sum + x, 0) / kept.length;
  return { lambda: Math.min(max, lambda * Math.exp(learningRate * lambda * (mean - limit))), costs: kept };
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

/** @param opened A constraint's options, and its cost as an opened reward. */
export function openConstraints(
  opened: readonly (ConstraintOptions & { readonly reward: Reward })[], allowedFailures: number, run: Pick<RunFolder, 'path'>, hooks: Hooks,
): Constraints {
  const fileOf = (k: number): string => run.path('work', `round-${k}`, 'multipliers.json');

  async function before(k: number): Promise<readonly Multiplier[]> {
    const file = fileOf(k - 1);
    if (!existsSync(file)) return opened.map(({ lambda }) => ({ lambda, costs: [] }));
    return readKept<readonly Multiplier[]>(file);
  }

  return {
    async apply(k, items, rewards) {
      if (opened.length === 0) return { results: rewards, costs: items.map(() => undefined), metrics: {} };
      const found: (readonly (number | undefined)[])[] = [];
      for (const { name, reward, layers } of opened) {
        const file = run.path('work', `round-${k}`, `costs-${name}.json`);
        const rated = await rateAnswers(file, items, reward, allowedFailures, hooks, `cost "${name}"`);
        found.push(rated.map((one) => (failed(one) ? undefined : layered(one.value, layers))));
      }
      const old = await before(k);
      const multipliers = opened.map((options, i) =>
        stepMultiplier(old[i]!, found[i]!.filter((cost) => cost !== undefined), options));
      await atomicWrite(fileOf(k), `${JSON.stringify(multipliers)}\n`);
      sayBounds(k, old, multipliers);
      const lambdas = multipliers.map(({ lambda }) => lambda);
      const costs = items.map((_, i) => {
        const own = opened.map(({ name }, c) => [name, found[c]![i]] as const);
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
        metrics: Object.fromEntries(opened.flatMap(({ name }, c) => {
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
    const broken = opened.filter(({ name, limit }) => costs[name]! > limit);
    if (rated.satisfied === undefined || broken.length === 0) return rated;
    const words = broken.map(({ name, limit }) => `The cost ${name} is ${costs[name]}, above ${limit}.`).join(' ');
    return { ...rated, satisfied: false, reason: rated.reason === null ? words : `${rated.reason}\n${words}` };
  }

  function sayBounds(k: number, old: readonly Multiplier[], now: readonly Multiplier[]): void {
    opened.forEach(({ name, max, limit }, i) => {
      if (now[i]!.lambda < max || old[i]!.lambda >= max) return;
      hooks.say?.(
        `round ${k}: the multiplier of ${name} is at its bound ${max}, and its cost is still above the limit ${limit}. `
          + 'Perhaps the limit cannot be met: raise it, or constraints.max.',
      );
    });
  }
}
