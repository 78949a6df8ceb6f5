import { z } from 'zod';
import { DataOptions } from '../data/load.js';
import { MethodOptions } from '../method/index.js';
import { sharedSections } from '../run/recipeSchemas.js';

/** A recipe of `heed train`: learn from rows that are there. */
export const TrainRecipe = z.strictObject({
  ...sharedSections,
  /** How messages become tokens: the model's own chat template, or the papers' plain one. Default: chat where there is one. */
  template: z.enum(['chat', 'alpaca']).optional(),
  data: DataOptions,
  method: MethodOptions,
});
export type TrainRecipe = z.infer<typeof TrainRecipe>;
