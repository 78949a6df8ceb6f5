import { type RefinedRow, sameText } from '../data/rows.js';

/** Why a row that should have a refinement cannot be learnt from, else undefined. */
export function lacksRefinement({ completion, refinement }: RefinedRow): string | undefined {
  if (refinement === undefined) return 'it is not satisfied and has no refinement; let the model make one, or leave the row out';
  return sameText(refinement, completion) ? 'its refinement equals its completion: nothing was refined' : undefined;
}
