/** Student's t: means of a few repetitions, such as runs with other seeds. */
import { mean, sampleStandardDeviation } from 'simple-statistics';

import type { Estimate } from './statistics.js';

/**
 * P(|T| ≤ t) of Student's t with so many degrees of freedom, by the finite series of Abramowitz and Stegun (1964), 26.7.3 and 26.7.4:
 * with θ = arctan(t/√ν), for even ν sin θ (1 + ½ cos²θ + (1·3)/(2·4) cos⁴θ + …), and for odd ν
 * 2/π (θ + sin θ (cos θ + 2/3 cos³θ + …)).
 */
export function studentWithin(t: number, degrees: number): number {
  const theta = Math.atan(t / Math.sqrt(degrees));
  const [sin, cos] = [Math.sin(theta), Math.cos(theta)];
  const odd = degrees % 2;
  let [term, sum] = [odd === 1 ? cos : 1, 0];
  for (let k = 1 + odd; k < degrees; k += 2) {
    sum += term;
    term *= (k / (k + 1)) * cos * cos;
  }
  return odd === 1 ? (2 / Math.PI) * (theta + sin * sum) : sin * sum;
}

/** The t between whose negative and itself Student's t lies with probability 0.95. */
export function studentQuantile(degrees: number): number {
  let [low, high] = [0, 13]; // with one degree of freedom it is 12.706
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (studentWithin(middle, degrees) < 0.95) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/**
 * The mean of a few repetitions with its 95 % interval, mean ± t s/√n (Student 1908): s is the standard deviation with n − 1, and t the
 * quantile of Student's t with n − 1 degrees of freedom. A bootstrap of so few values would be far too narrow.
 *
 * @param values One for each repetition.
 * @param bounds The least and the greatest mean there can be: the interval of few shares could reach beyond. Default: none.
 * @throws RangeError where there are fewer than two values, or one is not finite
 */
export function meanOfFew(values: readonly number[], [least, greatest]: readonly [number, number] = [-Infinity, Infinity]): Estimate {
  if (values.length < 2 || !values.every(Number.isFinite)) throw new RangeError(`meanOfFew: ${JSON.stringify(values)}`);
  const n = values.length;
  // Exactly, where a sum would round.
  if (values.every((value) => value === values[0])) return { mean: values[0]!, low: values[0]!, high: values[0]!, n };
  const centre = mean(values.slice());
  const half = (studentQuantile(n - 1) * sampleStandardDeviation(values.slice())) / Math.sqrt(n);
  return { mean: centre, low: Math.max(least, centre - half), high: Math.min(greatest, centre + half), n };
}
