// @ts-check
// What `npm run quickstart` comes to, with three seeds; seed 0 also with hindsight and SFT at the same budget.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { SEEDS } from '../shared/results.js';
import { change } from '../claims/cells.js';
import { heed, quote } from '../shared/heed.js';

export { tables } from './tables.js';

export const about = 'the quickstart with three seeds; seed 0 beside hindsight and SFT';
export const names = SEEDS.map(String);

/** What is kept of a summary. */
const keptOf = (command, { before, after, change: by, compared, checks, rounds, steps, seconds, peakRssMb }) =>
  ({ command, before, after, change: by, compared, checks, rounds, steps, seconds, peakRssMb });

/** @param {string} name @param {import('../run.js').Settings} settings */
export async function run(name, { work, dev, set }) {
  const dir = join(work, `${name}${dev ? '-dev' : ''}`);
  mkdirSync(work, { recursive: true });
  const words = [
    'quickstart', ...(name === '0' ? ['--compare'] : []), `train.seed=${name}`,
    ...(dev ? ['evaluate.prompts=examples/house-style/dev.jsonl'] : []), ...set,
  ];
  const file = join(dir, 'summary.json');
  rmSync(file, { force: true });
  await heed([...words, `run.dir=${dir}`]).catch((/** @type {Error} */ error) => {
    // A check that failed is a result, too.
    if (!existsSync(file)) throw error;
  });
  const result = keptOf(`heed ${words.map(quote).join(' ')}`, JSON.parse(readFileSync(file, 'utf8')));
  if (result.checks === undefined) throw new Error(`${file}: the quickstart did not end.`);
  const failed = result.checks.filter(({ holds }) => !holds);
  return {
    result, shown: failed.length === 0,
    lines: [`satisfied ${change(result.change.satisfied)} points`, ...failed.map(({ what }) => `FAILED ${what}`)],
  };
}
