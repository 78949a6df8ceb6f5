/** What turns are for (a question, an answer, a request …), and whether one of that kind follows the turn before it. */
import { z } from 'zod';
import { SavedTextClassifier, type TextClassifier, readyClassifier } from '../fit/text-classifier.js';
import type { Dialogue } from './continuations.js';

/** A classifier of intents, and how they follow each other in dialogues. */
export const Intents = z.strictObject({
  classifier: SavedTextClassifier,
  /** P(intent of a turn | intent of the turn before), a row for each intent before, in the order of the classifier's labels. */
  next: z.array(z.array(z.number().positive())),
  /** P(intent of a turn that follows another one). */
  prior: z.array(z.number().positive()),
}).refine(({ classifier: { labels: { length } }, next, prior }) =>
  [next, prior, ...next].every((list) => list.length === length), 'next and prior need a number for each label');
export type Intents = z.infer<typeof Intents>;

/** Reads the intents of turns. */
export interface IntentReader {
  /** The probability of each intent. */
  of(turn: string): readonly number[];
  /**
   * By how much the last turn's intent makes this one's likelier, in nats: log Σ_ij p_i P(j | i) q_j − log Σ_j P(j) q_j, for the
   * probabilities p of the last turn's intents and q of this one's.
   */
  continuity(last: readonly number[], now: readonly number[]): number;
}

/**
 * Counts which intent follows which, each turn by the probabilities of its intents. To each count 1 is added (Laplace), so that nothing is
 * impossible.
 */
export function fitIntents(classifier: TextClassifier, dialogues: readonly Dialogue[]): Intents {
  const read = probabilitiesBy(classifier);
  const size = classifier.labels.length;
  const counts = Array.from({ length: size }, () => new Array<number>(size).fill(1));
  for (const turns of dialogues) {
    const found = turns.map(read);
    for (let t = 1; t < found.length; t++)
      found[t - 1]!.forEach((p, i) => found[t]!.forEach((q, j) => (counts[i]![j]! += p * q)));
  }
  const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);
  const total = sum(counts.map(sum));
  const rounded = (x: number): number => Number(x.toPrecision(6));
  return {
    classifier,
    next: counts.map((row) => row.map((n) => rounded(n / sum(row)))),
    prior: Array.from({ length: size }, (_, j) => rounded(sum(counts.map((row) => row[j]!)) / total)),
  };
}

export function intentReader({ classifier, next, prior }: Intents): IntentReader {
  const read = probabilitiesBy(classifier);
  const known = new Map<string, readonly number[]>();
  return {
    of(turn) {
      let found = known.get(turn);
      if (found === undefined) known.set(turn, (found = read(turn)));
      return found;
    },
    continuity(last, now) {
      const following = last.reduce((sum, p, i) => sum + p * now.reduce((inner, q, j) => inner + q * next[i]![j]!, 0), 0);
      return Math.log(following) - Math.log(now.reduce((sum, q, j) => sum + q * prior[j]!, 0));
    },
  };
}

function probabilitiesBy(classifier: TextClassifier): (turn: string) => readonly number[] {
  const classify = readyClassifier(classifier);
  return (turn) => {
    const found = classify(turn);
    return classifier.labels.map((label) => found[label]!);
  };
}
