/** Dense symmetric positive definite matrices of a few dozen rows, in float64. */
export type Vector = readonly number[];
export type Matrix = readonly Vector[];

export const dot = (a: Vector, b: Vector): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
export const times = (m: Matrix, v: Vector): number[] => m.map((row) => dot(row, v));

/** A vᵀ M v. */
export const quadratic = (m: Matrix, v: Vector): number => dot(v, times(m, v));

/** The lower triangle L with M = L Lᵀ. @throws RangeError where M is not positive definite */
export function cholesky(m: Matrix): Matrix {
  const lower: number[][] = [];
  for (const [i, row] of m.entries()) {
    const own: number[] = [];
    lower.push(own);
    for (let j = 0; j <= i; j++) {
      let sum = row[j]!;
      for (let k = 0; k < j; k++) sum -= own[k]! * lower[j]![k]!;
      if (i !== j) own.push(sum / lower[j]![j]!);
      else if (sum > 0) own.push(Math.sqrt(sum));
      else throw new RangeError(`cholesky: the matrix is not positive definite at row ${i + 1}`);
    }
  }
  return lower;
}

/** x with L Lᵀ x = b. */
export function solve(lower: Matrix, b: Vector): number[] {
  const y: number[] = [];
  for (const [i, row] of lower.entries()) {
    let sum = b[i]!;
    for (let k = 0; k < i; k++) sum -= row[k]! * y[k]!;
    y.push(sum / row[i]!);
  }
  const x = new Array<number>(y.length).fill(0);
  for (let i = y.length - 1; i >= 0; i--) {
    let sum = y[i]!;
    for (let k = i + 1; k < y.length; k++) sum -= lower[k]![i]! * x[k]!;
    x[i] = sum / lower[i]![i]!;
  }
  return x;
}

/** The inverse of L Lᵀ, symmetric to the last bit. */
export function inverse(lower: Matrix): number[][] {
  const n = lower.length;
  const columns = lower.map((_, j) => solve(lower, Array.from({ length: n }, (__, i) => Number(i === j))));
  return columns.map((column, i) => column.map((_, j) => (columns[i]![j]! + columns[j]![i]!) / 2));
}
