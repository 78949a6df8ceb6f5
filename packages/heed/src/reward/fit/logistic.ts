import { minimise } from './minimise.js';

/** A row of numbers of which most are 0: indices and values. */
export interface Sparse {
  readonly at: ArrayLike<number>;
  readonly values: ArrayLike<number>;
}

export interface Logistic {
  readonly weights: Float64Array;
  readonly bias: number;
}

export const sigmoid = (z: number): number => (z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z)));

/** w · x + b: the log-odds of yes. */
export function logOdds({ weights, bias }: Logistic, { at, values }: Sparse): number {
  let sum = bias;
  for (let i = 0; i < at.length; i++) sum += weights[at[i]!]! * values[i]!;
  return sum;
}

/**
 * Logistic regression: the minimum of Σ log(1 + exp(−y z)) + ½ l2 |w|², with y = ±1; the bias is not held down.
 *
 * @param size How many numbers a row has.
 */
export function fitLogistic(rows: readonly Sparse[], labels: readonly boolean[], size: number, l2 = 1): Logistic {
  if (rows.length !== labels.length) throw new RangeError(`fitLogistic: ${rows.length} rows, ${labels.length} labels`);
  const best = minimise((x) => {
    const model = { weights: x.subarray(0, size), bias: x[size]! };
    const gradient = new Float64Array(size + 1);
    let value = 0;
    rows.forEach((row, r) => {
      const z = logOdds(model, row);
      const signed = labels[r] === true ? z : -z;
      value += signed > 0 ? Math.log1p(Math.exp(-signed)) : Math.log1p(Math.exp(signed)) - signed;
      const slope = sigmoid(z) - Number(labels[r]);
      for (let i = 0; i < row.at.length; i++) gradient[row.at[i]!]! += slope * row.values[i]!;
      gradient[size]! += slope;
    });
    for (let i = 0; i < size; i++) {
      value += 0.5 * l2 * x[i]! ** 2;
      gradient[i]! += l2 * x[i]!;
    }
    return { value, gradient };
  }, new Float64Array(size + 1), { tolerance: 1e-8 * rows.length });
  return { weights: best.slice(0, size), bias: best[size]! };
}

/** How features are brought to mean 0 and deviation 1. A feature that never varies stays 0. */
export interface Scaling {
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

export function scalingOf(rows: readonly (readonly number[])[]): Scaling {
  const size = rows[0]?.length ?? 0;
  const mean = Array.from({ length: size }, (_, i) => rows.reduce((sum, row) => sum + row[i]!, 0) / rows.length);
  const deviation = mean.map((m, i) => Math.sqrt(rows.reduce((sum, row) => sum + (row[i]! - m) ** 2, 0) / rows.length));
  return { mean, deviation };
}

/** A row of features, scaled. */
export const scaled = ({ mean, deviation }: Scaling, row: readonly number[]): Sparse => ({
  at: row.map((_, i) => i), values: row.map((one, i) => (deviation[i]! > 1e-12 ? (one - mean[i]!) / deviation[i]! : 0)),
});
