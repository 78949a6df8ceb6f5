/** Principal components, in float64. */
import { createRandom } from '../run/random.js';

/** An orthonormal basis of the directions in which vectors vary most. */
export interface Components {
  readonly mean: readonly number[];
  /** Unit vectors, by falling variance. */
  readonly directions: readonly (readonly number[])[];
}

/** More iterations change what 32 of 576 directions keep of the variance by less than a thousandth. */
const ITERATIONS = 60;

/**
 * The `count` principal components of vectors, or as many as they span, by orthogonal iteration on XᵀX (Golub & Van Loan, 8.2.4) from a
 * fixed start: the same vectors give the same components. The component of largest size in each direction is positive.
 */
export function principalComponents(vectors: readonly ArrayLike<number>[], count: number): Components {
  const [n, width] = [vectors.length, vectors[0]!.length];
  const mean = Array.from({ length: width }, (_, j) => vectors.reduce((sum, x) => sum + x[j]!, 0) / n);
  const rows = vectors.map((x) => Float64Array.from(mean, (m, j) => x[j]! - m));
  const random = createRandom('principal components');
  const most = Math.min(count, n - 1, width);
  let basis = orthonormal(Array.from({ length: most }, () => Float64Array.from({ length: width }, () => random.normal())));
  const scale = Math.sqrt(rows.reduce((sum, row) => sum + dot(row, row), 0));
  if (scale === 0) return { mean, directions: [] };
  for (let i = 0; i < ITERATIONS; i++) basis = orthonormal(basis.map((q) => applied(rows, q)), 1e-12 * scale * scale);
  return { mean, directions: basis.map((q) => { const sign = signOf(q); return Array.from(q, (x) => sign * x); }) };
}

/** The coordinates of a vector along the directions. */
export const project = ({ mean, directions }: Components, x: ArrayLike<number>): number[] =>
  directions.map((direction) => direction.reduce((sum, d, j) => sum + d * (x[j]! - mean[j]!), 0));

/** Xᵀ X q. */
function applied(rows: readonly Float64Array[], q: Float64Array): Float64Array {
  const y = new Float64Array(q.length);
  for (const row of rows) {
    const along = dot(row, q);
    for (let j = 0; j < y.length; j++) y[j]! += along * row[j]!;
  }
  return y;
}

/** Gram-Schmidt, twice for each vector; a vector that the earlier ones span is left out. */
function orthonormal(vectors: readonly Float64Array[], least = 0): Float64Array[] {
  const found: Float64Array[] = [];
  for (const vector of vectors) {
    const v = vector.slice();
    for (let pass = 0; pass < 2; pass++) {
      for (const q of found) {
        const along = dot(v, q);
        for (let j = 0; j < v.length; j++) v[j]! -= along * q[j]!;
      }
    }
    const length = Math.sqrt(dot(v, v));
    if (length > least) found.push(v.map((x) => x / length));
  }
  return found;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += a[j]! * b[j]!;
  return sum;
}

const signOf = (q: Float64Array): number => (q.reduce((most, x) => (Math.abs(x) > Math.abs(most) ? x : most), 0) < 0 ? -1 : 1);
