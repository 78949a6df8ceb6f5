import { z } from 'zod';
import { UserError } from '../errors.js';
import type { Failure } from '../judge/respondent.js';
import { moduleDigest } from '../run/module-digest.js';
import { settled } from '../run/settled.js';
import { errorInWords, loadExport, namesExport } from '../run/user-module.js';
import type { Message } from '../text/template.js';
import { defineReward, isRewardDefinition } from './define.js';
import { openDefined, shown } from './defined.js';
import type { Rated, Reward, RewardItem } from './reward.js';

/** What a user's function is given: lists of one length, an entry for each response. */
export interface RewardFunctionInput {
  readonly prompts: readonly (readonly Message[])[];
  readonly completions: readonly string[];
  /** The tokens of each response; null where the caller has the text alone. */
  readonly completionIds: readonly (readonly number[] | null)[];
  /** The other columns of the data rows, by name; null where a row lacks one. */
  readonly [column: string]: readonly unknown[];
}

/** A value, and the parts of it that places of the response earned. */
export type ValueBySpan = Pick<Rated, 'value'> & Required<Pick<Rated, 'spans'>>;

/** What a function says of one response; null where it does not apply. */
export type Value = number | null | ValueBySpan;

/**
 * A user's reward function, with TRL's signature: a finite number for each response, higher is better, or null where the function does not
 * apply. In place of a number it may give `{ value, spans }`, which also says what places of the response earned. It may be asynchronous.
 * It is called once for all responses that are rated together.
 *
 * @example export const short = ({ completions }) => completions.map((text) => -text.length);
 */
export type RewardFunction = (input: RewardFunctionInput) => readonly Value[] | Promise<readonly Value[]>;

const OWN = ['prompts', 'completions', 'completionIds'] as const;

const Spec = z.string().refine(namesExport, 'expected ./FILE.ts#NAME, an export of a module');
const Options = z.union([Spec, z.strictObject({
  module: Spec,
  /** Responses with at least this value are satisfactory. Default: a function draws no line. */
  threshold: z.number().optional(),
  /** The options of a reward that the module defines with `defineReward`. */
  options: z.record(z.string(), z.unknown()).optional(),
})]);

/** `fn: ./my-reward.ts#name`: a user's own function, or a reward that a user's module defines. */
export const fn = defineReward({
  name: 'fn',
  options: Options,
  mayBeCost: () => true,
  describe: (options) => (typeof options === 'string' ? options : options.module),
  async open(given, tools) {
    const { module, threshold, options } = typeof given === 'string' ? { module: given } : given;
    const value = await loadExport(module);
    if (isRewardDefinition(value)) {
      if (threshold !== undefined) {
        throw new UserError(`${module} is a reward that draws its own line, so "threshold" says nothing.`, [
          "Leave threshold out, or make it one of the reward's options.",
        ]);
      }
      return openDefined(module, value, options ?? {}, tools);
    }
    if (typeof value !== 'function') {
      throw new UserError(`${module} is neither a function nor a reward.`, [
        'Export a function of { prompts, completions, … }, or what defineReward returns.',
      ]);
    }
    if (options !== undefined) {
      throw new UserError(`${module} is a function and takes no options.`, ['Define it with defineReward to give it options.']);
    }
    const file = module.slice(0, module.lastIndexOf('#'));
    const line = threshold === undefined ? '' : ` from ${threshold}`;
    return createFunctionReward(`fn:${module}${line} ${await moduleDigest(file)}`, value as RewardFunction, threshold);
  },
});

/**
 * A reward from a function.
 *
 * @param name Names the function in messages, and its content for a resume.
 * @param threshold Responses with at least this value are satisfactory. Default: the reward draws no line.
 * @throws UserError, from `rate`, where the function throws, gives another number of values than responses, or a value that is neither a
 * finite number nor null; where a column of the data has the name of an argument
 */
export function createFunctionReward(name: string, score: RewardFunction, threshold?: number): Reward {
  return {
    name,
    drawsLine: threshold !== undefined,
    async rate(items, { onProgress } = {}) {
      if (items.length === 0) return [];
      const values = await call(name, score, inputOf(name, items));
      onProgress?.(items.length, items.length);
      return values.map((given): Rated | Failure => {
        if (given === null) return { failure: 'not-applicable', detail: `${name} gives null for this response` };
        const { value, spans } = typeof given === 'number' ? { value: given } : given;
        const satisfied = threshold === undefined ? undefined : value >= threshold;
        return { value, reason: satisfied === false ? `Its reward is ${value}, below ${threshold}.` : null, satisfied, spans };
      });
    },
    async close() { /* A function holds nothing. */ },
  };
}

async function call(name: string, score: RewardFunction, input: RewardFunctionInput): Promise<readonly Value[]> {
  let values: unknown;
  try {
    // A copy: what the function changes in its lists changes nothing else.
    values = await settled(score(structuredClone(input)), () => new UserError(`The reward function ${name} never answers.`, [
      'It returned a promise that nothing settles: look for a callback that is never called.',
    ]));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`The reward function ${name} failed: ${errorInWords(error)}`, [], { cause: error });
  }
  const n = input.completions.length;
  if (!Array.isArray(values)) {
    throw new UserError(`The reward function ${name} returned ${shown(values)}; expected a list of ${n} numbers.`);
  }
  if (values.length !== n) throw new UserError(`The reward function ${name} returned ${values.length} values for ${n} responses.`);
  const wrong = values.findIndex((value, i) => value !== null && !isReward(value) && !isValueBySpan(value, input.completions[i]!));
  if (wrong >= 0) {
    const at = `${shown(values[wrong])} for response ${wrong + 1} of ${n}`;
    throw new UserError(`The reward function ${name} returned ${at}; expected a finite number or null.`, [
      ...(Number.isFinite(values[wrong]) ? ['A number beyond 3.4e38 is infinite in the 32 bits that the model is trained with.'] : []),
      'null says that the function does not apply to the response, which then has no reward.',
      "{ value, spans } in place of a number says which places earned what: spans of { start, end, value } within the response.",
      `The response: ${JSON.stringify(input.completions[wrong]!.slice(0, 80))}`,
    ]);
  }
  return values as Value[];
}

/** Whether a value is a finite number, also where it is rounded to 32 bits, in which the model is trained. */
const isReward = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(Math.fround(value));

/** Whether a value names places, all of them in the response and each with a finite value. */
function isValueBySpan(given: unknown, response: string): given is ValueBySpan {
  return z.object({
    value: z.number().refine(isReward),
    spans: z.array(z.object({ start: z.int().min(0), end: z.int().max(response.length), value: z.number().refine(isReward) })
      .refine(({ start, end }) => start <= end)),
  }).safeParse(given).success;
}

function inputOf(name: string, items: readonly RewardItem[]): RewardFunctionInput {
  const columns = new Set(items.flatMap(({ row }) => Object.keys(row?.extra ?? {})));
  const taken = OWN.find((column) => columns.has(column));
  if (taken !== undefined) {
    throw new UserError(`The data has a column "${taken}", which is the name of an argument of reward functions such as ${name}.`, [
      'Give the column another name.',
    ]);
  }
  return {
    ...Object.fromEntries([...columns].map((column) => [column, items.map(({ row }) => row?.extra[column] ?? null)])),
    prompts: items.map(({ prompt }) => prompt),
    completions: items.map(({ response }) => response),
    completionIds: items.map(({ ids }) => ids ?? null),
  };
}
