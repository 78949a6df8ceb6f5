/** What a recipe must have for a method that learns from rollouts, checked before anything is generated. */
import { UserError } from '../errors.js';
import type { BoundMethod } from '../method/method.js';
import type { Rollout } from '../method/rollout.js';
import type { AlignRecipe } from './align-recipe.js';

/** Sampling from the model itself. */
const UNCHANGED = { temperature: 1, topK: undefined, topP: 1, minP: 0 } as const;

/** @throws UserError naming the first option of the recipe that the method cannot work with */
export function requireRollouts(
  { generate, train, rows, loop, rewards, constraints, credit: { by }, method: given }: AlignRecipe, { name: method, credit }: BoundMethod,
): void {
  const refuse = (problem: string, advice: string): never => {
    throw new UserError(problem, [advice]);
  };
  if (generate.temperature === 0)
    refuse(`generate.temperature is 0, so all answers to a prompt are equal and ${method} has nothing to compare.`, 'Set it to 1.');
  if (generate.samples === 1 && comparesAnswers(credit!)) {
    refuse(
      `generate.samples is 1, and ${method} compares the answers to a prompt with one another: alone, an answer teaches nothing.`,
      'Set it to 2 or more, 4 say; or take reinforce or ppo, which learn from single answers.',
    );
  }
  const { endpoint } = generate;
  const drawn = (['temperature', 'topK', 'topP', 'minP'] as const)
    .find((name) => generate[name] !== undefined && generate[name] !== UNCHANGED[name]);
  if (endpoint !== undefined && drawn !== undefined) {
    refuse(
      `generate.${drawn} is ${generate[drawn]}, and servers (generate.endpoint) report probabilities of the whole model at temperature 1: `
        + `${method} needs those that answers were drawn with.`,
      `Leave generate.${drawn} out, or leave generate.endpoint out.`,
    );
  }
  if (train.steps !== undefined)
    refuse(`train.steps is ${train.steps}, but the number of rounds says how long ${method} trains.`, 'Set loop.iterations instead.');
  if (!Number.isInteger(train.epochs ?? 1))
    refuse(`train.epochs is ${train.epochs}, but ${method} goes over all answers of a round.`, 'Take a whole number.');
  if (given['aggregation'] === 'normalize-then-sum' && (rewards === undefined || constraints !== undefined)) {
    const found = rewards === undefined ? 'there is one reward' : 'constraints take costs off their sum';
    refuse(`method.aggregation is normalize-then-sum, which normalises several rewards, and ${found}.`, 'Leave method.aggregation out.');
  }
  if (given['aggregation'] === 'normalize-then-sum' && (by === 'spans' || by === 'sentences')) {
    refuse(
      `method.aggregation is normalize-then-sum, which normalises what whole answers earned, and credit.by is ${by}: no place of an answer `
        + 'would keep what it earned.',
      'Leave one of them out.',
    );
  }
  if (rows) refuse(`rows: ${method} learns from the answers themselves; nothing is written for its rows.`, 'Leave `rows` out.');
  if (loop.fresh && loop.iterations > 1)
    refuse(`loop.fresh would restart the optimizer in every round, after one or a few steps.`, 'Leave loop.fresh out.');
}

/** Whether a method learns nothing from two answers to two prompts, although their rewards differ. */
function comparesAnswers(credit: NonNullable<BoundMethod['credit']>): boolean {
  const one = (reward: number): Rollout => ({
    group: reward, reward, parts: { reward }, partWeights: { reward: 1 }, tokens: 1, logp: [0], reference: [0], values: [0],
  });
  return credit([one(0), one(1)]).every(({ advantages }) => advantages.every((a) => a === 0));
}

/** @throws UserError where the recipe has a critic and the method does not learn from its ratings */
export function requireCredit({ adversary }: Pick<AlignRecipe, 'adversary'>, { name, credit }: Pick<BoundMethod, 'name' | 'credit'>): void {
  if (adversary === undefined || credit !== undefined) return;
  throw new UserError(`adversary: only a policy gradient learns from the critic's ratings, and method: ${name} is not one.`, [
    'Take rloo, grpo, reinforce or ppo; or in place of adversary rows: { make: self-play }, of which a method of pairs learns.',
  ]);
}
