// @ts-check
// The reward model of the loop `rlaif`: pairs of the base's own answers, labelled by the rules as a judge would.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lines, pairsByFindings } from '../shared/data.js';
import { heed } from '../shared/heed.js';

const DRAWS = [11, 12, 13, 14];
const RULES = 'rules:examples/house-style/house-style.rules.yaml';

/**
 * Draws four answers to each training brief, labels pairs and teaches a reward model, once.
 *
 * @param {string} work
 * @returns {Promise<{ adapter: string, measures: object }>}
 */
export async function rewardModel(work) {
  mkdirSync(work, { recursive: true });
  const dir = join(work, 'reward-model');
  const pairs = join(work, 'pairs.jsonl');
  if (!existsSync(pairs)) {
    const answers = [];
    for (const seed of DRAWS) {
      const to = join(work, `answers-${seed}.jsonl`);
      if (!existsSync(to)) {
        await heed(['evaluate', '--prompts', 'examples/house-style/train.jsonl', '--judge', RULES, '--temperature', '1',
          '--seed', String(seed), '--max-tokens', '72', '-o', to]);
      }
      answers.push(...lines(to));
    }
    writeFileSync(pairs, pairsByFindings(answers).map((row) => `${JSON.stringify(row)}\n`).join(''));
  }
  if (!existsSync(join(dir, 'summary.json'))) {
    await heed(['train', 'recipes/reward-model.yaml', `data=${pairs}`, 'train.epochs=2', `run.dir=${dir}`, '--overwrite']);
  }
  const { before, after, rows } = JSON.parse(readFileSync(join(dir, 'summary.json'), 'utf8'));
  return { adapter: join(dir, 'adapter'), measures: { answers: DRAWS.length * 96, pairs: lines(pairs).length, rows, before, after } };
}
