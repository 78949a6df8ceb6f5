import { z } from 'zod';
import { DataOptions } from '../data/load.js';
import { MethodOptions } from '../method/index.js';
import { sharedSections } from '../run/recipe-schemas.js';
import { RowsOptions } from './rows-recipe.js';

/** A recipe of `heed train`: learn from rows that are there. */
export const TrainRecipe = z.strictObject({
  ...sharedSections,
  /** How messages become tokens: the model's own chat template, or the papers' plain one. Default: chat where there is one. */
  template: z.enum(['chat', 'alpaca']).optional(),
  data: DataOptions,
  /** Parts of the rows that the model itself writes, before or while it is trained; null or left out, the rows are as the files have them. */
  rows: RowsOptions.nullish(),
  method: MethodOptions,
});
export type TrainRecipe = z.infer<typeof TrainRecipe>;
