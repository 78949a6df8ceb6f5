/** A small classifier of texts: logistic regression on words and pairs of words. Fast, and a floor for classifiers with a model. */
import { z } from 'zod';
import { ngrams, plainWords } from '../../text/words.js';
import { type Logistic, fitLogistic, logOdds, sigmoid } from './logistic.js';

/**
 * A trained classifier, as it is saved: each of `labels` has its own weights against all others; of two labels the second has them. Words
 * and pairs of words share `places` by their hash; a model has the places with a weight.
 */
export const SavedTextClassifier = z.strictObject({
  kind: z.literal('text-classifier'),
  labels: z.array(z.string()).min(2),
  places: z.int().min(1),
  models: z.array(z.strictObject({ at: z.array(z.int().min(0)), weights: z.array(z.number()), bias: z.number() })),
}).refine(({ labels, models }) => models.length === (labels.length === 2 ? 1 : labels.length), 'models and labels differ in number');
export type TextClassifier = z.infer<typeof SavedTextClassifier>;

const PLACES = 2 ** 16;

/** FNV-1a. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

/** A text's words and pairs of words as a row of length 1. */
function featuresOf(text: string, places: number): { readonly at: readonly number[]; readonly values: readonly number[] } {
  const list = plainWords(text);
  const at = new Map<number, number>();
  for (const gram of [...list, ...ngrams(list, 2)]) at.set(hash(gram) % places, (at.get(hash(gram) % places) ?? 0) + 1);
  const values = [...at.values()].map((n) => 1 + Math.log(n));
  const norm = Math.hypot(...values);
  return { at: [...at.keys()], values: values.map((one) => one / norm) };
}

/**
 * Trains a classifier on labelled texts.
 *
 * @param l2 How much weights are held down; smaller for many rows. Default 0.3.
 * @throws RangeError where all rows have one label
 */
export function fitTextClassifier(
  rows: readonly { readonly text: string; readonly label: string }[], { l2 = 0.3, places = PLACES } = {},
): TextClassifier {
  const labels = [...new Set(rows.map(({ label }) => label))].sort();
  if (labels.length < 2) throw new RangeError(`all ${rows.length} rows have the label ${JSON.stringify(labels[0])}`);
  const features = rows.map(({ text }) => featuresOf(text, places));
  // Fitted are the places that some row uses.
  const used = [...new Set(features.flatMap(({ at }) => [...at]))].sort((a, b) => a - b);
  const index = new Map(used.map((place, i) => [place, i]));
  const compact = features.map(({ at, values }) => ({ at: at.map((place) => index.get(place)!), values }));
  const models = (labels.length === 2 ? labels.slice(1) : labels).map((label) => {
    const { weights, bias } = fitLogistic(compact, rows.map((row) => row.label === label), used.length, l2);
    const kept = [...weights.keys()].filter((i) => Math.abs(weights[i]!) > 1e-4);
    return { at: kept.map((i) => used[i]!), weights: kept.map((i) => Number(weights[i]!.toPrecision(6))),
      bias: Number(bias.toPrecision(8)) };
  });
  return { kind: 'text-classifier', labels, places, models };
}

/** A saved classifier, ready: a text to the probability of each label. Of several labels those of one against all, made to sum to 1. */
export function readyClassifier({ labels, places, models }: TextClassifier): (text: string) => Readonly<Record<string, number>> {
  const ready = models.map(({ at, weights, bias }): Logistic => {
    const dense = new Float64Array(places);
    at.forEach((i, n) => (dense[i] = weights[n]!));
    return { weights: dense, bias };
  });
  return (text) => {
    const odds = ready.map((one) => sigmoid(logOdds(one, featuresOf(text, places))));
    const p = odds.length === 1 ? [1 - odds[0]!, odds[0]!] : odds;
    const total = p.reduce((a, b) => a + b, 0);
    return Object.fromEntries(labels.map((label, i) => [label, p[i]! / total]));
  };
}
