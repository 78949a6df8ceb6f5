/** What stated confidences are worth: fitted on answers of which it is known whether they are right. */
import { z } from 'zod';
import { confidenceMetrics } from '../calibration/metrics.js';
import { fitPlatt } from '../calibration/platt.js';
import { asProbability, readStated } from '../calibration/stated.js';
import { sigmoid } from '../fit/logistic.js';

/** What `fitStatedConfidence` makes: P(right | q stated) = σ(slope · logit q + bias). */
export const StatedConfidence = z.strictObject({ kind: z.literal('stated-confidence'), slope: z.number(), bias: z.number() });
export type StatedConfidence = z.infer<typeof StatedConfidence>;

/** Stated certainty has no finite log-odds, and nobody is so sure. */
const SUREST = 0.999;
const logit = (q: number): number => {
  const p = Math.min(SUREST, Math.max(1 - SUREST, q));
  return Math.log(p / (1 - p));
};

/** A stated confidence as a probability that has been right before. */
export const calibrated = ({ slope, bias }: Pick<StatedConfidence, 'slope' | 'bias'>, stated: number): number =>
  sigmoid(slope * logit(stated) + bias);

/** How well stated confidences say whether answers are right. */
export interface StatedReport {
  readonly rows: number;
  /** Answers that state no confidence; they are left out. */
  readonly unstated: number;
  readonly before: NonNullable<ReturnType<typeof confidenceMetrics>>;
  /** Calibrated, each part of the answers by a fit to the others. */
  readonly after: NonNullable<ReturnType<typeof confidenceMetrics>>;
}

/**
 * Platt scaling of stated confidences ("I am 80% sure", `Confidence: 0.8`).
 *
 * @param folds Parts of the answers, for the report. Default: 5.
 * @throws RangeError where of the answers that state a confidence, in all or without one part, all are right or all are wrong
 */
export function fitStatedConfidence(
  answers: readonly { readonly response: string; readonly right: boolean }[], folds = 5,
): { readonly confidence: StatedConfidence; readonly report: StatedReport } {
  const stated = answers.flatMap(({ response, right }) => {
    const q = asProbability(readStated(response));
    return q === undefined ? [] : [{ q, right }];
  });
  const fitOn = (some: typeof stated): StatedConfidence =>
    ({ kind: 'stated-confidence', ...fitPlatt(some.map(({ q }) => logit(q)), some.map(({ right }) => right)) });
  const right = stated.map((one) => one.right);
  const confidence = fitOn(stated);
  const byPart = Array.from({ length: folds }, (_, fold) => fitOn(stated.filter((__, i) => i % folds !== fold)));
  return {
    confidence,
    report: {
      rows: stated.length, unstated: answers.length - stated.length,
      before: confidenceMetrics(stated.map(({ q }) => q), right)!,
      after: confidenceMetrics(stated.map(({ q }, i) => calibrated(byPart[i % folds]!, q)), right)!,
    },
  };
}
