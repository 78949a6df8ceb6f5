/** What a recipe says under `judge:`. */
import { z } from 'zod';

import { namesExport } from '../run/user-module.js';
import { JUDGES } from './index.js';

/** An adapter with a head, which gives a response a number. */
export const RewardModelOptions = z
  .strictObject({
    model: z.string().min(1).optional(),
    /** An adapter's folder, as a run's `adapter/` or PEFT wrote it. */
    adapter: z.string().min(1),
    template: z.enum(['chat', 'alpaca']).optional(),
    /** Responses with at least this reward are satisfactory. */
    threshold: z.number().default(0),
    /** A YAML file of principles that responses are held to, all at once: needed by an adapter of the method `principle-reward-model`. */
    principles: z.string().min(1).optional(),
    /** Hold responses to these of them only. */
    only: z.array(z.string().min(1)).min(1).optional(),
  })
  .refine(({ principles, only }) => only === undefined || principles !== undefined, {
    path: ['only'], message: 'names principles, and principles, the file that they are in, is missing',
  });
export type RewardModelOptions = z.infer<typeof RewardModelOptions>;

const respondents = Object.fromEntries(Object.entries(JUDGES).map(([name, { options }]) => [name, options.optional()])) as unknown as {
  readonly [Kind in keyof typeof JUDGES]: z.ZodOptional<(typeof JUDGES)[Kind]['options']>;
};

/** A schema of sections that hold exactly one of the kinds. */
const oneOf = <Shape extends z.ZodRawShape>(shape: Shape) => {
  const kinds = Object.keys(shape);
  return z.strictObject(shape).refine(
    (section) => kinds.filter((kind) => (section as Record<string, unknown>)[kind] !== undefined).length === 1,
    `expected exactly one of ${kinds.join(', ')}`,
  );
};

const EXPORT = z.string().refine(namesExport, 'expected ./FILE.ts#NAME, a judge that a module exports');

/** Who is asked: a section with one of local, endpoint and human, or `./FILE.ts#NAME`, an export that `defineJudge` made. */
export const RespondentOptions = z.union([EXPORT, oneOf(respondents)]);
export type RespondentOptions = z.infer<typeof RespondentOptions>;

/** `judge:` as a section with one of the kinds in it. */
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
