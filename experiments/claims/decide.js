// @ts-check
// The rule that decides a claim. It was fixed before the first run.
import { createRandom } from '@heed/heed';

const RESAMPLES = 10_000;

/**
 * The mean of differences over seeds and prompts, with a 95 % percentile interval: each resample draws seeds and, independently of them,
 * prompts, both with replacement, so that neither a lucky seed nor a lucky prompt decides.
 *
 * @param {readonly (readonly number[])[]} differences For each seed, one for each prompt.
 */
export function interval(differences) {
  const [seeds, prompts] = [differences.length, differences[0].length];
  const random = createRandom(0, 'seeds and prompts');
  const means = Array.from({ length: RESAMPLES }, () => {
    const drawn = Array.from({ length: prompts }, () => random.int(prompts));
    let sum = 0;
    for (let s = 0; s < seeds; s++) {
      const row = differences[random.int(seeds)];
      for (const p of drawn) sum += row[p];
    }
    return sum / (seeds * prompts);
  }).sort((a, b) => a - b);
  const mean = differences.flat().reduce((a, b) => a + b, 0) / (seeds * prompts);
  return { mean, low: means[Math.floor(0.025 * RESAMPLES)], high: means[Math.ceil(0.975 * RESAMPLES) - 1] };
}

/** A contender's measure, for each seed and prompt; the base's own for each seed alike. */
const valuesOf = (result, measure) => result.seeds.map((seed) => seed[measure]);

/**
 * Whether a claim holds on a task: `reproduced` where the interval lies beyond 0 on the side of the claim, `not reproduced` where it lies
 * on the other side, else `cannot tell`.
 *
 * @param {import('./statements.js').Statement} statement
 * @param {any} better The result of the contender that should do better.
 * @param {any} than The result of the other; of `base` none is needed.
 */
export function decide({ measure, than: other }, better, than) {
  const sign = measure === 'cutOff' ? -1 : 1;
  const mine = valuesOf(better, measure);
  const theirs = other === 'base' ? mine.map(() => better.base[measure]) : valuesOf(than, measure);
  const change = interval(mine.map((row, s) => row.map((value, p) => value - theirs[s][p])));
  const [least, most] = sign > 0 ? [change.low, change.high] : [-change.high, -change.low];
  if (least > 0) return { change, verdict: 'reproduced' };
  return { change, verdict: most < 0 ? 'not reproduced' : 'cannot tell' };
}
