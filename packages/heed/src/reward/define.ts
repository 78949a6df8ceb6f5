import type { Engine } from '@heed/tensor';
import type { z } from 'zod';
import type { Reward } from './reward.js';

/** What a reward may use while it is open. */
export interface RewardTools {
  /** What models run on. Default: an engine of the reward's own, which closes with it. */
  readonly engine?: Engine;
  /** Takes a line for people: what was loaded or chosen. */
  readonly log?: (line: string) => void;
  /** The time that a chat template prints which asks for it. Default: the time of each rendering. */
  readonly now?: () => Date;
  /** Where the replies of a respondent are kept, so that no question is asked twice: a libSQL file or a server. Default: runs/labels.db. */
  readonly store?: string;
  /** Set `requested` to have a respondent asked nothing more; `signal` aborts requests to a server that are under way. */
  readonly interrupt?: { readonly requested: boolean; readonly signal?: AbortSignal };
}

/** A kind of reward: what a recipe may say of it, and how it is opened. */
export interface RewardDefinition<Options = never> {
  /** Its key in a section `reward:`. */
  readonly name: string;
  /** What stands under that key. */
  readonly options: z.ZodType<Options>;
  /** A model or a person gives the numbers: where it teaches, it may not also say how well the teaching went. */
  readonly learned?: true;
  /** Whether a higher value may be worse with these options, so that a constraint can take it for a cost. Default: higher is better. */
  mayBeCost?(options: Options): boolean;
  /** The options for people, in a few words; default: the name alone. */
  describe?(options: Options): string;
  /** @throws UserError where the reward cannot be opened */
  open(options: Options, tools: RewardTools): Promise<Reward>;
}

/**
 * Defines a kind of reward.
 *
 * @example
 * export const short = defineReward({
 *   name: 'short',
 *   options: z.strictObject({ words: z.int().min(1).default(50) }),
 *   open: async ({ words }) => ({
 *     name: `short:${words}`, drawsLine: false,
 *     rate: async (items) => items.map(({ response }) => ({ value: -Math.max(0, response.split(' ').length - words), reason: null })),
 *     close: async () => {},
 *   }),
 * });
 */
export const defineReward = <Schema extends z.ZodType>(
  definition: RewardDefinition<z.output<Schema>> & { readonly options: Schema },
): RewardDefinition<z.output<Schema>> & { readonly options: Schema } => definition;

/** Whether a value of a user's module is a reward's definition. */
export const isRewardDefinition = (value: unknown): value is RewardDefinition<unknown> =>
  typeof value === 'object' && value !== null && 'open' in value && typeof value.open === 'function'
  && 'name' in value && typeof value.name === 'string' && 'options' in value && typeof value.options === 'object';
