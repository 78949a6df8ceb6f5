import { codePoints } from './python-text.js';
import type { Measures } from './task.js';

/** The first of the greatest values. */
export const argmax = (values: readonly number[]): number => values.reduce((best, x, i) => (x > values[best]! ? i : best), 0);

/** `acc`: 1 where the right choice has the greatest log-likelihood. */
export const accuracy = (right: number, logLikelihoods: readonly number[]): Measures => ({ acc: Number(argmax(logLikelihoods) === right) });

/** `acc_norm` too: the greatest log-likelihood for each character (code point) of the choice, without the blank before it. */
export const accuracies = (right: number, choices: readonly string[], logLikelihoods: readonly number[]): Measures => ({
  ...accuracy(right, logLikelihoods),
  acc_norm: Number(argmax(logLikelihoods.map((sum, i) => sum / codePoints(choices[i]!))) === right),
});
