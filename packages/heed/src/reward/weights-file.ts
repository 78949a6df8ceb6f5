import { z } from 'zod';
import { UserError, nearest } from '../errors.js';
import { readJsonAs } from '../run/json-file.js';
import { Foresight } from './inferred/values-file.js';
import type { RewardPart } from './combined.js';

/** What `heed fit-rewards` writes: how much each of several rewards should count. */
export const FittedWeights = z.strictObject({
  kind: z.literal('heed reward weights'),
  rewards: z.record(z.string(), z.strictObject({
    /** The reward's own name, with the digests of its files: another reward of the same name is refused. */
    reward: z.string(),
    /** The reward counts (value − centre) / scale times its weight. */
    weight: z.number(), deviation: z.number(), centre: z.number(), scale: z.number().positive(),
    /** Responses to which it applied. */
    applied: z.int(),
  })),
  /** Standard deviation of each weight before any evidence. */
  prior: z.number().positive(),
  evidence: z.strictObject({ comparisons: z.int(), demonstrations: z.int(), votes: z.int(), leftOut: z.int() }),
  /** With all rewards together, and with each alone. */
  foresight: Foresight.optional(),
  alone: z.record(z.string(), Foresight),
});
export type FittedWeights = z.infer<typeof FittedWeights>;

/** @throws UserError where the file cannot be read, or has another form */
export const readWeights = (file: string): Promise<FittedWeights> => readJsonAs(file, FittedWeights, 'heed fit-rewards');

/**
 * The parts with weights that were fitted: the weight of a part becomes its own times weight / scale, and its centre is taken off. A part's
 * own weight stays a factor: with 0 it is only logged.
 *
 * @throws UserError where the file holds other rewards
 */
export function withWeights(file: string, { rewards: fitted }: FittedWeights, parts: readonly RewardPart[]): RewardPart[] {
  const refuse = (problem: string): never => {
    throw new UserError(`${file} ${problem}.`, ['Fit the weights of these rewards: heed fit-rewards.']);
  };
  const extra = Object.keys(fitted).find((name) => parts.every((part) => part.name !== name));
  if (extra !== undefined) refuse(`has a weight for "${extra}", and no reward is called so`);
  return parts.map((part) => {
    const own = Object.hasOwn(fitted, part.name) ? fitted[part.name]! : undefined;
    if (own === undefined) {
      const near = nearest(part.name, Object.keys(fitted));
      return refuse(`has no weight for "${part.name}"${near === undefined ? '' : `, but one for "${near}"`}`);
    }
    if (own.reward !== part.reward.name) {
      return refuse(`was fitted with another reward "${part.name}": ${own.reward}, not ${part.reward.name}`);
    }
    return { ...part, weight: (part.weight * own.weight) / own.scale, centre: own.centre };
  });
}
