/** A classifier of responses by a model's log-probabilities: logistic regression on four numbers, so that its probability is calibrated. */
import { z } from 'zod';
import { logOdds, scaled, sigmoid } from '../fit/logistic.js';
import { LOGPROB_FEATURES, type LogprobFeatures } from './features.js';

const numbers = z.array(z.number());

/** A trained classifier, as it is saved. It reads texts under one model and refuses others, whose log-probabilities mean something else. */
export const LogprobClassifier = z.strictObject({
  kind: z.literal('logprob-classifier'),
  /** Of which model, by content (`fingerprint`). */
  model: z.string(),
  /** The second one has the weights. */
  labels: z.tuple([z.string(), z.string()]),
  features: z.array(z.enum(LOGPROB_FEATURES)),
  mean: numbers, deviation: numbers, weights: numbers, bias: z.number(),
}).refine(({ features, mean, deviation, weights }) => [mean, deviation, weights].every((list) => list.length === features.length),
  'mean, deviation and weights need a number for each feature');
export type LogprobClassifier = z.infer<typeof LogprobClassifier>;

/** The probability of each label. */
export function classifyByLogprobs(classifier: LogprobClassifier, found: LogprobFeatures): Readonly<Record<string, number>> {
  const { labels: [no, yes], features, weights, bias } = classifier;
  const p = sigmoid(logOdds({ weights: Float64Array.from(weights), bias }, scaled(classifier, features.map((name) => found[name]))));
  return { [no]: 1 - p, [yes]: p };
}
