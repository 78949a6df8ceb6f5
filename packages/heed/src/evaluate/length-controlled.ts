/** The win rate that is left when the answers were as long as each other. Dubois et al. 2024, arXiv 2404.04475. */
import { quantileSorted } from 'simple-statistics';
import { createRandom } from '../run/random.js';
import type { Estimate } from '../run/statistics.js';
import { codePoints } from './tasks/python-text.js';

/** A prompt of which somebody said how likely the model's answer is the better one: 1, 0, ½ for a tie, or anything between. */
export interface LengthPair {
  readonly preference: number;
  /** Answers, of which the lengths in code points count; of several the mean length. */
  readonly model: string | readonly string[];
  readonly baseline: string | readonly string[];
}

/** The length-controlled win rate with a 95 % interval: bootstrap over prompts, each time fitted again with the same penalty. */
export interface LengthControlled extends Estimate {
  /** Whether it lies so far from the raw rate that the fit may have failed, by alpaca_eval's rule (`isExtreme`). */
  readonly extreme: boolean;
}

/** The two coefficients of p = σ(a·x + b), x = tanh z. */
export interface Fit { readonly a: number; readonly b: number }

interface Sample { readonly x: Float64Array; readonly y: Float64Array }

const FOLDS = 5;
/** Ten strengths of the data against the penalty, as scikit-learn's `LogisticRegressionCV` tries them: 10⁻⁴ … 10⁴. */
const STRENGTHS = Array.from({ length: 10 }, (_, i) => 10 ** (-4 + (8 * i) / 9));
const RESAMPLES = 1_000;

const sigmoid = (u: number): number => (u >= 0 ? 1 / (1 + Math.exp(-u)) : Math.exp(u) / (1 + Math.exp(u)));
/** log(1 + e^u) */
const softplus = (u: number): number => Math.max(u, 0) + Math.log1p(Math.exp(-Math.abs(u)));
const shrunk = (value: number, by: number): number => Math.sign(value) * Math.max(0, Math.abs(value) - by);

/** |a| + |b| + C Σ (softplus(u) − y u), u = a·x + b: the log-loss of a preference y, the penalty on both coefficients. */
function objective({ x, y }: Sample, { a, b }: Fit, strength: number): number {
  let loss = 0;
  for (let i = 0; i < x.length; i++) {
    const u = a * x[i]! + b;
    loss += softplus(u) - y[i]! * u;
  }
  return Math.abs(a) + Math.abs(b) + strength * loss;
}

/** The step that minimises the quadratic model of the loss with the penalty, by turns in each coefficient. */
function newtonStep({ x, y }: Sample, { a, b }: Fit, strength: number): Fit {
  let [ga, gb, haa, hab, hbb] = [0, 0, 1e-12, 0, 1e-12];
  for (let i = 0; i < x.length; i++) {
    const p = sigmoid(a * x[i]! + b);
    const [g, h] = [strength * (p - y[i]!), strength * p * (1 - p)];
    ga += g * x[i]!;
    gb += g;
    haa += h * x[i]! * x[i]!;
    hab += h * x[i]!;
    hbb += h;
  }
  let [da, db] = [0, 0];
  for (let turn = 0; turn < 200; turn++) {
    const [oldA, oldB] = [da, db];
    da = shrunk(a + da - (ga + haa * da + hab * db) / haa, 1 / haa) - a;
    db = shrunk(b + db - (gb + hab * da + hbb * db) / hbb, 1 / hbb) - b;
    if (Math.abs(da - oldA) + Math.abs(db - oldB) < 1e-12) break;
  }
  return { a: da, b: db };
}

/** The coefficients of least `objective`: Newton steps, halved until they help. */
export function fitPreferences(sample: Sample, strength: number): Fit {
  let fit: Fit = { a: 0, b: 0 };
  let value = objective(sample, fit, strength);
  for (let step = 0; step < 100; step++) {
    const by = newtonStep(sample, fit, strength);
    let [size, next, reached] = [1, fit, Infinity];
    for (; size > 1e-10; size /= 2) {
      next = { a: fit.a + size * by.a, b: fit.b + size * by.b };
      reached = objective(sample, next, strength);
      if (reached <= value) break;
    }
    const gained = value - reached;
    if (!(gained > 0)) break;
    [fit, value] = [next, reached];
    if (gained < 1e-12 * Math.max(1, Math.abs(value))) break;
  }
  return fit;
}

const pick = ({ x, y }: Sample, keep: (i: number) => boolean): Sample => ({
  x: x.filter((_, i) => keep(i)), y: y.filter((_, i) => keep(i)),
});

/** The strength of least log-loss on rows that were not fitted to, in five folds; of equal ones the smallest. */
function bestStrength(sample: Sample): number {
  const losses = STRENGTHS.map((strength) => {
    let sum = 0;
    for (let fold = 0; fold < FOLDS; fold++) {
      const { a, b } = fitPreferences(pick(sample, (i) => i % FOLDS !== fold), strength);
      const { x, y } = pick(sample, (i) => i % FOLDS === fold);
      let loss = 0;
      for (let i = 0; i < x.length; i++) loss += softplus(a * x[i]! + b) - y[i]! * (a * x[i]! + b);
      sum += loss / x.length;
    }
    return sum;
  });
  return STRENGTHS[losses.indexOf(Math.min(...losses))]!;
}

/**
 * x = tanh z, z = (length of the baseline's answer − length of the model's) / the standard deviation of these (n − 1); undefined where that
 * is 0.
 */
function featured(differences: readonly number[], preferences: readonly number[]): Sample | undefined {
  const mean = differences.reduce((a, b) => a + b, 0) / differences.length;
  const spread = Math.sqrt(differences.reduce((sum, d) => sum + (d - mean) ** 2, 0) / (differences.length - 1));
  if (!(spread > 0)) return undefined;
  return { x: Float64Array.from(differences, (d) => Math.tanh(d / spread)), y: Float64Array.from(preferences) };
}

/**
 * alpaca_eval's warning: the rate moved by over 10 points, and by over a quarter of the way to 0 or to 1.
 *
 * @param raw Both as shares of 1.
 */
export function isExtreme(raw: number, controlled: number): boolean {
  return controlled < Math.min(raw - raw / 4, raw - 0.1) || controlled > Math.max(raw + (1 - raw) / 4, raw + 0.1);
}

/**
 * The length-controlled win rate by alpaca_eval's minimal formula: preferences are fitted by p = σ(a·tanh z + b) with an L1 penalty on a
 * and b whose strength is chosen by cross-validation, and σ(b) is the rate at equal lengths. Where all differences of length are equal it
 * is the raw rate. Its standard error there is 0 by construction, so the interval here is a bootstrap of fits.
 *
 * Source: alpaca_eval 0.6.6, `metrics/glm_winrate.py` (`length_controlled_minimal`).
 *
 * @returns undefined for fewer than five prompts
 */
export function lengthControlled(pairs: readonly LengthPair[], seed = 0): LengthControlled | undefined {
  const n = pairs.length;
  if (n < FOLDS) return undefined;
  const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const lengthOf = (texts: string | readonly string[]): number => meanOf([texts].flat().map(codePoints));
  const differences = pairs.map(({ model, baseline }) => lengthOf(baseline) - lengthOf(model));
  const preferences = pairs.map(({ preference }) => preference);
  const raw = meanOf(preferences);
  const whole = featured(differences, preferences);
  const strength = whole && bestStrength(whole);
  const mean = whole === undefined ? raw : sigmoid(fitPreferences(whole, strength!).b);
  const random = createRandom(seed, 'length-controlled');
  const rates = Array.from({ length: RESAMPLES }, () => {
    const drawn = Array.from({ length: n }, () => random.int(n));
    const own = drawn.map((i) => preferences[i]!);
    const sample = strength === undefined ? undefined : featured(drawn.map((i) => differences[i]!), own);
    return sample === undefined ? meanOf(own) : sigmoid(fitPreferences(sample, strength!).b);
  }).sort((a, b) => a - b);
  return { mean, low: quantileSorted(rates, 0.025), high: quantileSorted(rates, 0.975), n, extreme: isExtreme(raw, mean) };
}
