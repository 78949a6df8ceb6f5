import { z } from 'zod';
import { DataOptions } from '../data/load.js';
import { METHODS, type Methods, methodOptions } from '../method/index.js';
import type { LoadedRecipe } from '../run/recipe.js';
import { TemplateOption, sharedSections } from '../run/recipe-schemas.js';
import { loadRecipeWithMethod } from './method-of.js';
import { RowsOptions } from './rows-recipe.js';
import { ShownAnswers } from './train-answers.js';

const trainRecipe = (methods: Methods) => z.strictObject({
  ...sharedSections,
  template: TemplateOption,
  data: DataOptions,
  /** Parts of the rows that the model itself writes, before or during training. Default: the rows are those of the files. */
  rows: RowsOptions.nullish(),
  /** Answers from before and after training, for the report. */
  samples: ShownAnswers.prefault({}),
  method: methodOptions(methods),
});

/** A recipe of `heed train` with one of Heed's methods: learn from rows that are there. */
export const TrainRecipe = trainRecipe(METHODS);
export type TrainRecipe = z.infer<typeof TrainRecipe>;

/** Reads a recipe of `heed train`; its method may be a user's own. @throws UserError as `loadRecipeWithMethod` does */
export const loadTrainRecipe = (file: string, overrides: readonly string[]): Promise<LoadedRecipe<TrainRecipe>> =>
  loadRecipeWithMethod(file, overrides, trainRecipe);

/** Keys of the recipe that may differ when a run goes on: where the work is done rounds differently, and no more. */
export const TRAIN_FREE: readonly string[] = ['cluster'];
