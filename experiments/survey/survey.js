// @ts-check
// Rewards that need no model, and classifiers of log-probabilities, on what people marked; docs/survey-rewards.md shows the results.
import { UsageError } from '../shared/data.js';
import { logprobs, TASKS } from './logprobs.js';
import { critics, intents, marked } from './measure.js';

export const about = 'detectors that need no model, and classifiers of log-probabilities, on what people marked';

/** @type {Record<string, () => { result: object, lines: string[] } | Promise<{ result: object, lines: string[] }>>} */
const ALL = {
  marked, intents, critics,
  ...Object.fromEntries(Object.keys(TASKS).map((name) => [name, () => logprobs(/** @type {keyof typeof TASKS} */ (name))])),
};
export const names = Object.keys(ALL);

/** @param {string} name @param {import('../run.js').Settings} settings */
export async function run(name, { dev }) {
  if (dev) throw new UsageError('--dev: these experiments have no settings to choose, so no other rows are held out.');
  const { result, lines } = await ALL[name]();
  return { result: { experiment: name, evidence: `HEED_DATA=<folder> node experiments/run.js survey ${name}`, ...result }, lines };
}
