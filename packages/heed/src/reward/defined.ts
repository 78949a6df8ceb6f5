import { inspect } from 'node:util';
import { z } from 'zod';
import { UserError } from '../errors.js';
import type { Failure } from '../judge/respondent.js';
import { describeIssues } from '../run/recipe-problems.js';
import { moduleDigest } from '../run/module-digest.js';
import { settled } from '../run/settled.js';
import type { RewardDefinition, RewardTools } from './define.js';
import type { Rated, Reward } from './reward.js';

/**
 * Opens a reward that a user's module defines. Its results are held to what every reward promises; its name gets the module's digest.
 *
 * @param module Names it in messages: `./FILE.ts#NAME`.
 * @throws UserError where it does not take the options; from `rate`, where it never answers, or gives another number of results than
 * responses, or one that is neither a finite value nor a failure
 */
export async function openDefined(
  module: string, definition: RewardDefinition<unknown>, options: unknown, tools: RewardTools,
): Promise<Reward> {
  const parsed = definition.options.safeParse(options, { reportInput: true });
  if (!parsed.success) throw new UserError(describeIssues(parsed.error.issues, definition.options, options, () => module).join('\n'));
  const reward = await definition.open(parsed.data, tools);
  const name = `${reward.name} ${await moduleDigest(module.slice(0, module.lastIndexOf('#')))}`;
  const rate: Reward['rate'] = async (items, hooks) => {
    const results = await settled(reward.rate(items, hooks), () => new UserError(`The reward ${module} never answers.`, [
      'Its `rate` returned a promise that nothing settles: look for a callback that is never called.',
    ]));
    return checked(module, results, items.map(({ response }) => response));
  };
  // What the module made stays what it is: its methods may speak of `this`.
  return new Proxy(reward, {
    get(target, key) {
      if (key === 'rate') return rate;
      if (key === 'name') return name;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** A value for people, as Node shows it. */
export const shown = (value: unknown): string =>
  (typeof value === 'string' ? JSON.stringify(value) : inspect(value, { breakLength: Infinity, depth: 2 })).slice(0, 120);

const Result = z.union([
  z.object({ failure: z.string(), detail: z.string() }),
  z.object({ value: z.number().refine((value) => Number.isFinite(Math.fround(value))), reason: z.string().nullable() }),
]);

function checked(module: string, results: unknown, responses: readonly string[]): readonly (Rated | Failure)[] {
  if (!Array.isArray(results) || results.length !== responses.length) {
    const found = Array.isArray(results) ? `${results.length} results` : shown(results);
    throw new UserError(`The reward ${module} gave ${found} for ${responses.length} responses; expected a list of as many.`);
  }
  const wrong = results.findIndex((one) => !Result.safeParse(one).success);
  if (wrong < 0) return results as (Rated | Failure)[];
  throw new UserError(
    `The reward ${module} gave ${shown(results[wrong])} for response ${wrong + 1} of ${responses.length}.`,
    [
      'Expected { value, reason }: a finite number, and words or null; or { failure, detail }.',
      `The response: ${JSON.stringify(responses[wrong]!.slice(0, 80))}`,
    ],
  );
}
