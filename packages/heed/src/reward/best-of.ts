import { type Failure, failed } from '../judge/respondent.js';
import type { Rated } from './reward.js';

/**
 * The best and the worst of a prompt's samples, as indices. Of equal ones the first counts, so both are the same where all have one value.
 * A sample without a rating is neither: a failure never wins and never loses.
 *
 * @param rated What a reward said of each sample, same index.
 * @returns undefined where no sample has a rating
 * @throws RangeError where there are not as many ratings as samples
 */
export function bestOf(
  samples: readonly unknown[], rated: readonly (Rated | Failure)[],
): { readonly best: number; readonly worst: number } | undefined {
  if (samples.length !== rated.length) throw new RangeError(`bestOf: ${samples.length} samples, ${rated.length} ratings`);
  let best: number | undefined;
  let worst: number | undefined;
  const valueAt = (i: number): number => (rated[i] as Rated).value;
  rated.forEach((one, i) => {
    if (failed(one)) return;
    if (best === undefined || one.value > valueAt(best)) best = i;
    if (worst === undefined || one.value < valueAt(worst)) worst = i;
  });
  return best === undefined || worst === undefined ? undefined : { best, worst };
}
