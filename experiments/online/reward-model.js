// @ts-check
// The reward models of the loops `rlaif` and `salmon`: pairs of the base's own answers, labelled by the rules as a judge would.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readPrinciples } from '../../packages/heed/dist/judge/principle-file.js';
import { groupsOf, lines, pairsByFindings } from '../shared/data.js';
import { ROOT, heed } from '../shared/heed.js';
import { PRINCIPLES } from './plan.js';

const DRAWS = [11, 12, 13, 14];
const RULES = 'rules:examples/house-style/house-style.rules.yaml';

/** The rule that says which of two answers a principle is for. @type {Record<string, string>} */
const RULE_OF = { 'Third person': 'third-person', 'Sober': 'hype', 'No promises': 'promises', 'Plain text': 'plain-text' };

/** Pairs of answers to one brief; of each principle the score is how many more findings of its rule the second answer has. */
async function principledPairs(answers) {
  const principles = await readPrinciples(join(ROOT, PRINCIPLES));
  const count = (answer, name) => answer.findings.filter(({ rule }) => rule === RULE_OF[name]).length;
  return [...groupsOf(answers, ({ prompt }) => JSON.stringify(prompt)).values()].flatMap((group) =>
    group.flatMap((a, i) => group.slice(i + 1).flatMap((b) => {
      const scored = principles.map((principle) => ({ ...principle, score: count(b, principle.name) - count(a, principle.name) }));
      if (scored.every(({ score }) => score === 0)) return [];
      return [{ prompt: a.prompt, responses: [a.completion, b.completion], principles: scored }];
    })));
}

/**
 * What is taught, by kind. The settings of the second are those that experiments/rlaif/principles.js found to turn with the principle.
 *
 * @type {Record<'pairs' | 'principles', { recipe: string, rows: (answers: any[]) => object[] | Promise<object[]>, set: string[] }>}
 */
const KINDS = {
  pairs: { recipe: 'reward-model', rows: pairsByFindings, set: ['train.epochs=2'] },
  principles: {
    recipe: 'principle-reward-model', rows: principledPairs,
    set: [
      'method.draws=1', 'train.epochs=1', 'train.batch=8', 'train.learningRate=1e-3',
      'adapter.targets=all', 'adapter.rank=8', 'adapter.alpha=16',
    ],
  },
};

/** Four answers to each training brief, with the rules' findings, drawn once. */
async function drawn(work) {
  const answers = [];
  for (const seed of DRAWS) {
    const to = join(work, `answers-${seed}.jsonl`);
    if (!existsSync(to)) {
      await heed(['evaluate', '--prompts', 'examples/house-style/train.jsonl', '--judge', RULES, '--temperature', '1',
        '--seed', String(seed), '--max-tokens', '72', '-o', to]);
    }
    answers.push(...lines(to));
  }
  return answers;
}

/**
 * Labels pairs of drawn answers and teaches a reward model, once.
 *
 * @param {string} work
 * @param {'pairs' | 'principles'} kind
 * @returns {Promise<{ adapter: string, measures: object }>}
 */
export async function rewardModel(work, kind) {
  const { recipe, rows: make, set } = KINDS[kind];
  mkdirSync(work, { recursive: true });
  const dir = join(work, recipe);
  const file = join(work, `${kind}.jsonl`);
  if (!existsSync(file)) {
    const made = await make(await drawn(work));
    writeFileSync(file, made.map((row) => `${JSON.stringify(row)}\n`).join(''));
  }
  if (!existsSync(join(dir, 'summary.json'))) {
    await heed(['train', `recipes/${recipe}.yaml`, `data={ path: ${file}, junk: skip }`, ...set, `run.dir=${dir}`, '--overwrite']);
  }
  const { before, after, rows } = JSON.parse(readFileSync(join(dir, 'summary.json'), 'utf8'));
  return { adapter: join(dir, 'adapter'), measures: { answers: DRAWS.length * 96, pairs: lines(file).length, rows, before, after } };
}
