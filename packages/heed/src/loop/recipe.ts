import { z } from 'zod';
import { DataOptions } from '../data/load.js';
import { JudgeOptions } from '../judge/options.js';
import { MethodOptions } from '../method/index.js';
import { sharedSections } from '../run/recipeSchemas.js';
import { Sampling } from '../run/sampling.js';

/** A recipe of `heed align`: generate → judge → train, again and again. */
export const AlignRecipe = z.strictObject({
  ...sharedSections,
  template: z.enum(['chat', 'alpaca']).optional(),
  /** Prompts that the model answers, and learns from the judgments of its answers. */
  data: DataOptions,
  /** Who judges: `rules:FILE`, or a section such as `rewardModel`. */
  judge: JudgeOptions,
  method: MethodOptions,
  generate: z.strictObject({ ...Sampling, samples: z.int().min(1).default(1) }).prefault({}),
  loop: z.strictObject({
    /** Rounds of generate → judge → train. */
    iterations: z.int().min(1).default(3),
  }).prefault({}),
  /** Prompts held out, answered and judged before and after. */
  evaluate: z.strictObject({ prompts: z.string().min(1), ...Sampling, temperature: z.number().min(0).default(0), limit: z.int().min(1).optional() }),
});
export type AlignRecipe = z.infer<typeof AlignRecipe>;
