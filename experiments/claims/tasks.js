// @ts-check
// The tasks on which methods are compared: briefs for product texts, rules that say what is wrong with an answer, and the rows that 150
// judged answers make for each kind of method.
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { applyRules, loadRules } from '@heed/heed';
import { lines, pairsByFindings } from '../shared/data.js';
import { ROOT, heed } from '../shared/heed.js';

const BRIEFS = 'examples/house-style';

/**
 * What judges the answers that are learnt from, and measures on held-out briefs.
 *
 * @type {Record<string, { about: string, rules: string }>}
 */
export const TASKS = {
  house: { about: 'the house style: third person, no hype, no promises, plain text', rules: `${BRIEFS}/house-style.rules.yaml` },
  word: { about: 'a word: no "and"', rules: 'experiments/claims/rules/word.rules.yaml' },
  length: { about: 'a length: at most 40 words', rules: 'experiments/claims/rules/length.rules.yaml' },
};

/** Briefs that nobody learns from: the first are for choosing settings, the others for results. */
export const heldOut = (dev) => `${BRIEFS}/${dev ? 'dev' : 'heldout'}.jsonl`;

/** Most tokens of an answer, where it is learnt from and where it is measured. */
export const MAX_TOKENS = 72;
const ROWS = 150;

/** Three answers of the base to each training brief, drawn once for all tasks. */
async function draws(work) {
  mkdirSync(work, { recursive: true });
  const file = join(work, 'answers.jsonl');
  if (!existsSync(file)) {
    await heed(['generate', '--prompts', `${BRIEFS}/train.jsonl`, '--samples', '3', '--temperature', '1', '--seed', '11',
      '--max-tokens', String(MAX_TOKENS), '-o', `${file}.part`, '--overwrite']);
    renameSync(`${file}.part`, file);
  }
  return lines(file);
}

/** Rows of each kind, from the same judged answers. @type {Record<string, (answers: any[]) => object[]>} */
const KINDS = {
  judged: (answers) => answers.map(({ prompt, completion, reason, satisfied }) => ({ prompt, completion, judgment: reason, satisfied })),
  labelled: (answers) => answers.map(({ prompt, completion, satisfied }) => ({ prompt, completion, label: satisfied })),
  good: (answers) => answers.filter(({ satisfied }) => satisfied).map(({ prompt, completion }) => ({ prompt, completion })),
  negative: (answers) => answers.filter(({ satisfied }) => !satisfied).map(({ prompt, completion }) => ({ prompt, rejected: completion })),
  preference: pairsByFindings,
};

/**
 * The rows of a kind that the first 150 finished answers make, once they are judged.
 *
 * @param {string} task @param {string} kind @param {string} work
 * @returns {Promise<{ file: string, rows: number, answers: number, satisfied: number }>}
 */
export async function rowsOf(task, kind, work) {
  const { rules } = await loadRules(join(ROOT, TASKS[task].rules));
  const answers = (await draws(work)).filter(({ finish }) => finish === 'stop').slice(0, ROWS)
    .map(({ prompt, completion }) => ({ prompt, completion, ...applyRules(rules, completion) }));
  const rows = KINDS[kind](answers);
  const file = join(work, `${task}-${kind}.jsonl`);
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return { file, rows: rows.length, answers: answers.length, satisfied: answers.filter(({ satisfied }) => satisfied).length };
}
