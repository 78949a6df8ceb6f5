/** What a recipe says under `judge:`. */
import { z } from 'zod';
import { Paths } from '../data/paths.js';
import { PRECISIONS } from '../run/precision.js';
import { namesExport } from '../run/user-module.js';
import { JUDGES } from './index.js';

/** A reward model: an adapter with a head, which gives a response a number. */
export const RewardModelOptions = z
  .strictObject({
    model: z.string().min(1).optional(),
    /** An adapter's folder, as a run's `adapter/` or PEFT wrote it. */
    adapter: z.string().min(1),
    template: z.enum(['chat', 'alpaca']).optional(),
    /** What the matrices of the model are in memory. Default: f32. */
    precision: z.enum(PRECISIONS).optional(),
    /** The least reward of a satisfactory response. */
    threshold: z.number().default(0),
    /** A YAML file of principles that responses must follow, or several. An adapter of the method `principle-reward-model` needs it. */
    principles: Paths.optional(),
    /** Names of the principles to use. Default: all of the files. */
    only: z.array(z.string().min(1)).min(1).optional(),
    /** As a reward of `heed align`: also gives how its last token attends to the response, for `credit: { by: attention }`. */
    attention: z.boolean().optional(),
  })
  .refine(({ principles, attention }) => attention !== true || principles === undefined, {
    path: ['attention'], message: 'cannot be given with principles, where the response stands in the prompt; leave it out',
  })
  .refine(({ principles, only }) => only === undefined || principles !== undefined, {
    path: ['only'], message: 'names principles, but `principles`, the file that holds them, is missing',
  });
export type RewardModelOptions = z.infer<typeof RewardModelOptions>;

const respondents = Object.fromEntries(Object.entries(JUDGES).map(([name, { options }]) => [name, options.optional()])) as unknown as {
  readonly [Kind in keyof typeof JUDGES]: z.ZodOptional<(typeof JUDGES)[Kind]['options']>;
};

/** A schema for a section that holds exactly one of the kinds. */
const oneOf = <Shape extends z.ZodRawShape>(shape: Shape) => {
  const kinds = Object.keys(shape);
  return z.strictObject(shape).refine(
    (section) => kinds.filter((kind) => (section as Record<string, unknown>)[kind] !== undefined).length === 1,
    `expected exactly one of ${kinds.join(', ')}`,
  );
};

const EXPORT = z.string().refine(namesExport, 'expected ./FILE.ts#NAME, a judge that a module exports');

/** A respondent in a recipe: a section with one of local, endpoint and human, or `./FILE.ts#NAME`, an export that `defineJudge` made. */
export const RespondentOptions = z.union([EXPORT, oneOf(respondents)]);
export type RespondentOptions = z.infer<typeof RespondentOptions>;

/** `judge:` of a recipe as a section with one of the kinds. */
export const JudgeSection = oneOf({
  /** A YAML file of rules. */
  rules: z.string().min(1).optional(),
  rewardModel: RewardModelOptions.optional(),
  ...respondents,
});
export type JudgeSection = z.infer<typeof JudgeSection>;

const isShort = (text: string): boolean => /^rules:./.test(text) || namesExport(text);

/** `judge:` of a recipe: `rules:FILE`, `./FILE.ts#NAME`, or a section. */
export const JudgeOptions = z.union([
  z.string().refine(isShort, 'expected rules:FILE, ./FILE.ts#NAME, or a section: local, endpoint, rewardModel, human'),
  JudgeSection,
]);
export type JudgeOptions = z.infer<typeof JudgeOptions>;

/** Options of an endpoint that change no reply. */
const ENDPOINT_KEYS = ['replicas', 'keyFrom', 'concurrency', 'rate', 'timeout', 'retries', 'backoff', 'patience', 'budget', 'prices'];

/**
 * Keys of a respondent's options that may differ when a run goes on, because no reply depends on them: limits of a server, and the files
 * with people's answers.
 *
 * @param section The key of the respondent in the recipe, such as `judge` or `answers.by`.
 */
export const keysThatMayDiffer = (section: string): string[] =>
  [...ENDPOINT_KEYS.map((key) => `${section}.endpoint.${key}`), `${section}.human.answers`];
