// @ts-check
// Reward models and AI feedback on real data; docs/rlaif.md shows the results.
import { MODEL } from '../shared/heed.js';
import { added } from './added.js';
import { hacks, hacksTaught } from './hacks.js';
import { principles } from './principles.js';
import { sameSize } from './same-size.js';
import { softLabels } from './soft-labels.js';

export { tables } from './tables.js';
export const about = 'reward models that follow principles, soft labels, and RLAIF with a judge of the policy\'s own size';

/** Each takes the work folder and the part of the rows that is held out. */
const ALL = {
  'principles': principles, 'hacks': hacks, 'hacks-taught': hacksTaught, 'added': added, 'soft-labels': softLabels, 'same-size': sameSize,
};
export const names = Object.keys(ALL);

/** @param {string} name @param {import('../run.js').Settings} settings */
export async function run(name, { work, dev }) {
  const { result, lines } = await ALL[name](work, dev ? 'dev' : 'test');
  return { result: { experiment: name, evidence: `HEED_DATA=<folder> npm run rlaif -- ${name}`, model: MODEL, ...result }, lines };
}
