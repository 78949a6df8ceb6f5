/** A smooth function of many numbers and its gradient. */
export type Smooth = (x: Float64Array) => { readonly value: number; readonly gradient: Float64Array };

const MEMORY = 10;
const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};
function plus(a: Float64Array, factor: number, b: Float64Array): Float64Array {
  const sum = new Float64Array(a.length);
  for (let i = 0; i < a.length; i++) sum[i] = a[i]! + factor * b[i]!;
  return sum;
}

/** a ← a + factor · b */
function add(a: Float64Array, factor: number, b: Float64Array): void {
  for (let i = 0; i < a.length; i++) a[i]! += factor * b[i]!;
}

/**
 * The minimum of a convex function by L-BFGS (Nocedal & Wright, Numerical Optimization, 2nd ed., algorithms 7.4 and 7.5) with backtracking
 * to Armijo's condition.
 *
 * @param tolerance Ends where the gradient is no longer than this. Default 1e-7.
 */
export function minimise(f: Smooth, start: Float64Array, { steps = 300, tolerance = 1e-7 } = {}): Float64Array {
  let x: Float64Array = start;
  let { value, gradient }: ReturnType<Smooth> = f(x);
  const memory: { s: Float64Array; y: Float64Array; rho: number }[] = [];
  for (let step = 0; step < steps; step++) {
    if (dot(gradient, gradient) <= tolerance ** 2) return x;
    const direction = descent(gradient, memory);
    const slope = dot(direction, gradient);
    let rate = memory.length === 0 ? Math.min(1, 1 / Math.sqrt(dot(gradient, gradient))) : 1;
    let moved = plus(x, rate, direction);
    let next = f(moved);
    while (!(next.value <= value + 1e-4 * rate * slope) && rate > 1e-12) {
      rate /= 2;
      moved = plus(x, rate, direction);
      next = f(moved);
    }
    if (next.value >= value) return x;
    const [s, y] = [plus(moved, -1, x), plus(next.gradient, -1, gradient)];
    const curvature = dot(s, y);
    if (curvature > 1e-12) memory.push({ s, y, rho: 1 / curvature });
    if (memory.length > MEMORY) memory.shift();
    [x, value, gradient] = [moved, next.value, next.gradient];
  }
  return x;
}

/** −H g, with the inverse Hessian H of the last steps. */
function descent(gradient: Float64Array, memory: readonly { s: Float64Array; y: Float64Array; rho: number }[]): Float64Array {
  const q = gradient.slice();
  const alphas: number[] = [];
  for (const { s, y, rho } of memory.toReversed()) {
    const alpha = rho * dot(s, q);
    alphas.push(alpha);
    add(q, -alpha, y);
  }
  const last = memory.at(-1);
  const scale = last === undefined ? 1 : 1 / (last.rho * dot(last.y, last.y));
  for (let i = 0; i < q.length; i++) q[i]! *= scale;
  for (const { s, y, rho } of memory) add(q, alphas.pop()! - rho * dot(y, q), s);
  for (let i = 0; i < q.length; i++) q[i] = -q[i]!;
  return q;
}
