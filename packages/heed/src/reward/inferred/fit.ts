/** From evidence in numbers to weights, for features of texts and for rewards alike. */
import { hashUnit, promptKey } from '../../data/hash.js';
import type { Evidence } from './evidence.js';
import type { Matrix, Vector } from './matrix.js';
import { type Choice, demonstrated, inferWeights, logLikelihood, preferred, voted } from './posterior.js';

/** Weights with their uncertainty, and how well such weights foresee people. */
export interface Fit {
  readonly mean: Vector;
  readonly covariance: Matrix;
  /** Of votes: the value from which on a response is called good. Absent without votes. */
  readonly threshold?: { readonly mean: number; readonly deviation: number };
  /** Absent below 10 rows, or where all are of one prompt. */
  readonly foresight?: Foresight;
}

/** Each row is foreseen by weights that were fitted without the rows of its prompt and of others in its fifth. */
export interface Foresight {
  readonly rows: number;
  /** Share of rows whose chosen response has the greatest value; for votes, whose vote is foreseen. */
  readonly right: number;
  /** Mean log-probability of what was chosen, and the same for a guess at random, in nats. */
  readonly logProbability: number;
  readonly atRandom: number;
}

/** The threshold of votes is free: as many times the prior's deviation. Which share of responses people call good is no value of theirs. */
const FREE = 10;
const FOLDS = 5;
const FEWEST = 10;

/**
 * Fits weights. Prior: N(0, prior²) for each weight.
 *
 * @param vectors φ of each response of each row, in the order of `Evidence.responses`.
 * @param size How many numbers φ has.
 */
export function fit(evidence: readonly Evidence[], vectors: readonly (readonly Vector[])[], prior: number, size: number): Fit {
  const votes = evidence.some(({ kind }) => kind === 'vote');
  const choices = evidence.map((row, i) => choiceOf(row, vectors[i]!, votes));
  const deviations = [...new Array<number>(size).fill(prior), ...(votes ? [FREE * prior] : [])];
  const { mean, covariance } = inferWeights(choices, deviations);
  const foresight = foresee(evidence, choices, deviations);
  return {
    mean: mean.slice(0, size),
    covariance: covariance.slice(0, size).map((row) => row.slice(0, size)),
    ...(votes ? { threshold: { mean: mean[size]!, deviation: Math.sqrt(covariance[size]![size]!) } } : {}),
    foresight,
  };
}

/** Only votes say anything about their threshold: for the others it has no part. */
function choiceOf(row: Evidence, own: readonly Vector[], votes: boolean): Choice {
  if (row.kind === 'vote') return voted(own[0]!, row.good);
  const [first, ...others] = votes ? own.map((phi) => [...phi, 0]) : own;
  return row.kind === 'comparison' ? preferred(first!, others[0]!, row.certainty) : demonstrated(first!, others);
}

function foresee(evidence: readonly Evidence[], choices: readonly Choice[], deviations: Vector): Foresight | undefined {
  // A comparison without a winner cannot be foreseen.
  const clear = choices.flatMap((choice, i) => (choice.chosen[0] === choice.chosen[1] && choice.chosen.length === 2 ? [] : i));
  if (clear.length < FEWEST) return undefined;
  const folds = evidence.map(({ prompt }) => Math.floor(hashUnit(0, promptKey(prompt)) * FOLDS));
  if (new Set(evidence.map(({ prompt }) => promptKey(prompt))).size < 2) return undefined;
  let [right, log, random] = [0, 0, 0];
  for (let fold = 0; fold < FOLDS; fold++) {
    const { mean } = inferWeights(choices.filter((_, i) => folds[i] !== fold), deviations);
    for (const i of clear.filter((one) => folds[one] === fold)) {
      const choice = choices[i]!;
      const alone = choice.options.map((_, j) => logLikelihood([{ options: choice.options, chosen: certain(choice, j) }], mean));
      right += Number(indexOfMost(alone) === indexOfMost(choice.chosen));
      log += logLikelihood([choice], mean);
      random -= Math.log(choice.options.length);
    }
  }
  const n = clear.length;
  return { rows: n, right: right / n, logProbability: log / n, atRandom: random / n };
}

const certain = ({ options }: Choice, j: number): number[] => options.map((_, k) => Number(k === j));
const indexOfMost = (values: Vector): number => values.indexOf(Math.max(...values));
