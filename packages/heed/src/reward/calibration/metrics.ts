/** Whether confidences mean what they say. Brier score and expected calibration error are those of `calibration`. */
import { calibration } from '../../label/statistics.js';

/**
 * Area under the ROC curve: the probability that a case of the one class has a higher score than one of the other; ties count ½
 * (Mann-Whitney). Undefined where a class is missing.
 */
export function auroc(scores: readonly number[], positive: readonly boolean[]): number | undefined {
  if (scores.length !== positive.length) throw new RangeError(`auroc: ${scores.length} scores, ${positive.length} classes`);
  const order = scores.map((score, i) => ({ score, positive: positive[i]! })).sort((a, b) => a.score - b.score);
  let ranks = 0;
  let n = 0;
  for (let i = 0; i < order.length;) {
    let j = i;
    while (j < order.length && order[j]!.score === order[i]!.score) j++;
    // Ranks i + 1 … j have one score: each gets their mean.
    const here = order.slice(i, j).filter((one) => one.positive).length;
    ranks += here * ((i + 1 + j) / 2);
    n += here;
    i = j;
  }
  const others = order.length - n;
  return n === 0 || others === 0 ? undefined : (ranks - (n * (n + 1)) / 2) / (n * others);
}

/** Brier score, expected calibration error in ten bins and AUROC of stated confidences. */
export function confidenceMetrics(
  confidences: readonly number[], right: readonly boolean[],
): { readonly brier: number; readonly ece: number; readonly auroc: number | undefined } | undefined {
  const measured = calibration(confidences.map((label, i) => ({ label, human: Number(right[i]) })));
  return measured && { brier: measured.brier, ece: measured.ece, auroc: auroc(confidences, right) };
}
