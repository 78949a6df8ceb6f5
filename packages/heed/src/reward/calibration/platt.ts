/** Confidences that mean what they say: a map from a score to a probability, fitted on cases whose answer is known. */
import { sigmoid } from '../fit/logistic.js';

/** P(right | score) = σ(slope · score + bias). */
export interface Platt {
  readonly slope: number;
  readonly bias: number;
}

const ROUNDS = 100;
const SMALL = 1e-12;

/**
 * Platt scaling (Platt 1999): the likeliest slope and bias for labels that are drawn in a little, (n₊ + 1) / (n₊ + 2) for right and
 * 1 / (n₋ + 2) for wrong, so that no confidence becomes 0 or 1. Newton's method with halved steps (Lin, Lin & Weng, Machine Learning 68,
 * 2007).
 *
 * @param scores Of any unit, such as the logit of a stated confidence or a mean log-probability.
 * @throws RangeError where the lists differ in length, a score is no number, or all cases are right or all are wrong
 */
export function fitPlatt(scores: readonly number[], right: readonly boolean[]): Platt {
  check('fitPlatt', scores, right);
  const yes = right.filter(Boolean).length;
  const targets = right.map((is) => (is ? (yes + 1) / (yes + 2) : 1 / (right.length - yes + 2)));
  const loss = ({ slope, bias }: Platt): number =>
    scores.reduce((sum, score, i) => sum + crossEntropy(slope * score + bias, targets[i]!), 0);

  let at: Platt = { slope: 0, bias: Math.log((yes + 1) / (right.length - yes + 1)) };
  for (let round = 0; round < ROUNDS; round++) {
    // The Hessian is [[ss, s], [s, n]], the gradient [gs, g].
    let [ss, s, n, gs, g] = [SMALL, 0, SMALL, 0, 0];
    scores.forEach((score, i) => {
      const p = sigmoid(at.slope * score + at.bias);
      const [curve, slope] = [p * (1 - p), p - targets[i]!];
      ss += curve * score * score;
      s += curve * score;
      n += curve;
      gs += slope * score;
      g += slope;
    });
    if (Math.hypot(gs, g) < 1e-11 * scores.length) break;
    const determinant = ss * n - s * s;
    const [bySlope, byBias] = [-(n * gs - s * g) / determinant, -(ss * g - s * gs) / determinant];
    const before = loss(at);
    let step = 1;
    const moved = (): Platt => ({ slope: at.slope + step * bySlope, bias: at.bias + step * byBias });
    while (step > SMALL && loss(moved()) > before) step /= 2;
    if (step <= SMALL) break;
    at = moved();
  }
  return at;
}

/**
 * Temperature scaling (Guo et al., ICML 2017): the T > 0 under which σ(logit / T) makes the labels likeliest. It leaves the order of the
 * confidences and the meaning of ½ as they are. Between 1/100 and 100.
 *
 * @param logits Log-odds of being right.
 * @throws RangeError as `fitPlatt`
 */
export function fitTemperature(logits: readonly number[], right: readonly boolean[]): number {
  check('fitTemperature', logits, right);
  const loss = (inverse: number): number => logits.reduce((sum, z, i) => sum + crossEntropy(inverse * z, Number(right[i])), 0);
  // The loss is convex in 1/T: golden section.
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [1 / 100, 100];
  while (high - low > 1e-10 * high) {
    const [a, b] = [high - ratio * (high - low), low + ratio * (high - low)];
    if (loss(a) <= loss(b)) high = b;
    else low = a;
  }
  return 2 / (low + high);
}

/** −t log σ(z) − (1 − t) log σ(−z). */
const crossEntropy = (z: number, target: number): number =>
  Math.max(0, z) - target * z + Math.log1p(Math.exp(-Math.abs(z)));

function check(of: string, scores: readonly number[], right: readonly boolean[]): void {
  if (scores.length !== right.length) throw new RangeError(`${of}: ${scores.length} scores, ${right.length} cases`);
  const odd = scores.findIndex((score) => !Number.isFinite(score));
  if (odd >= 0) throw new RangeError(`${of}: score ${odd} is ${scores[odd]}`);
  if (right.every((is) => is === right[0]))
    throw new RangeError(`${of}: all ${right.length} cases are ${right[0] === true ? 'right' : 'wrong'}`);
}
