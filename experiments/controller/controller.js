// @ts-check
// The controller on the real model against the best fixed setting of a grid search, prompt by prompt on held-out prompts.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { applyRules, loadRules, pairedDifference } from '@heed/heed';
import { groupsOf, lines } from '../shared/data.js';
import { MODEL, ROOT, heed, quote } from '../shared/heed.js';
import { SEEDS } from '../shared/results.js';
import { CELLS, MAX_TOKENS, PLAN, RULES, SAMPLES, heldOut } from './plan.js';

export { tables } from './tables.js';

export const about = 'the controller against the best fixed temperature and top-k of a grid search, over seeds';

export const names = Object.keys(PLAN).flatMap((name) => SEEDS.map((seed) => `${name}/${seed}`));

/** The mean reward of each held-out prompt, over a file of answers. */
async function rewardsOf(file) {
  const { rules } = await loadRules(join(ROOT, RULES));
  return [...groupsOf(lines(file), ({ prompt }) => JSON.stringify(prompt)).values()].map((answers) => {
    const values = answers.map(({ completion }) => applyRules(rules, completion).value);
    return values.reduce((a, b) => a + b, 0) / values.length;
  });
}

/**
 * The controller against the best cell of the grid, both as `heed generate` draws them with the same random numbers.
 *
 * @param {string} dir The run. @param {string} cell @param {string} seed @param {boolean} dev @param {number} prompts
 */
async function againstCell(dir, cell, seed, dev, prompts) {
  const { temperature, topK } = CELLS[cell];
  const ways = {
    fixed: ['--temperature', `${temperature}`, ...(topK === undefined ? [] : ['--top-k', `${topK}`])],
    controller: ['--controller', join(dir, 'controller')],
  };
  const rewards = {};
  for (const [name, options] of Object.entries(ways)) {
    const file = join(dir, `held-out-${name}.jsonl`);
    await heed(['generate', '--prompts', heldOut(dev), '--samples', `${SAMPLES}`, '--max-tokens', `${MAX_TOKENS}`, '--seed', seed,
      '--limit', `${prompts}`, ...options, '-o', file, '--overwrite']);
    rewards[name] = await rewardsOf(file);
  }
  const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
  const { fixed, controller } = rewards;
  return { cell, fixed: mean(fixed), controller: mean(controller), change: pairedDifference(fixed, controller, { seed: Number(seed) }) };
}

/** @param {string} name @param {import('../run.js').Settings} settings */
export async function run(name, { work, dev, set }) {
  const [kind, seed] = name.split('/');
  const { about, cells, set: own } = PLAN[kind];
  const dir = join(work, `${name.replace('/', '-s')}${dev ? '-dev' : ''}`);
  const asked = [...own(dev), `learn.seed=${seed}`, ...set];
  if (!existsSync(join(dir, 'summary.json'))) {
    const begun = existsSync(join(dir, 'recipe.yaml'));
    await heed(['control', 'recipes/controller.yaml', ...asked, `run.dir=${dir}`, ...(begun ? ['--resume'] : [])]);
  }
  const summary = JSON.parse(readFileSync(join(dir, 'summary.json'), 'utf8'));
  const { before, after, change, greedy, heldOut: prompts, best, grid, headroom, policy, tasks, seconds, peakRssMb } = summary;
  const cell = Object.keys(CELLS).reduce((most, one) => (grid[one] > grid[most] ? one : most));
  const result = {
    task: about, seed: Number(seed), model: MODEL, heldOut: prompts,
    command: `heed control recipes/controller.yaml ${asked.map(quote).join(' ')}`,
    best, grid, headroom, before, after, change, greedy, policy, tasks,
    ...(cells ? { againstCell: await againstCell(dir, cell, seed, dev, prompts) } : {}),
    seconds, peakRssMb,
  };
  const against = cells ? { [`the best cell ${cell}`]: result.againstCell.change } : {};
  const said = Object.entries({ ...against, [`the best fixed action ${best}`]: change.value });
  return {
    result,
    lines: [
      `headroom ${headroom.headroom.toFixed(3)}, agreement ${policy.agreement.toFixed(2)}`,
      ...said.map(([what, { mean, low, high }]) => `controller − ${what}: ${mean.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`),
    ],
    shown: said[0][1].low > 0,
  };
}
