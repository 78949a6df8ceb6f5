// @ts-check
// The tasks on which methods are compared: briefs for product texts, rules that say what is wrong with an answer, and the rows that 150
// judged answers make for each kind of method.
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { applyRules, loadRules } from '@heed/heed';
import { lines, pairsByFindings } from '../shared/data.js';
import { ROOT, heed } from '../shared/heed.js';
import { BRIEFS } from './briefs.js';
import { CHECKS } from './checks.js';

const HOUSE = 'examples/house-style';
const byRules = (file) => ({ reward: `rules:${file}`, rules: file });
const byCheck = (name) => ({ reward: `{ fn: { module: ./experiments/claims/checks.js#${name}, threshold: 1 } }`, check: CHECKS[name] });

/**
 * What judges the answers that are learnt from, and measures on held-out briefs.
 *
 * @typedef {object} Task
 * @property {string} about
 * @property {string} reward What measures.
 * @property {string} [rules] What judges: a file of rules,
 * @property {(brief: any, text: string) => string | null} [check] or a function that also reads the brief.
 * @property {true} [own] Whether the briefs are the task's own; else they are those of the house style.
 */

/** @type {Record<string, Task>} */
export const TASKS = {
  house: { about: 'the house style: third person, no hype, no promises, plain text', ...byRules(`${HOUSE}/house-style.rules.yaml`) },
  word: { about: 'a word: no "and"', ...byRules('experiments/claims/rules/word.rules.yaml') },
  length: { about: 'a length: at most 40 words', ...byRules('experiments/claims/rules/length.rules.yaml') },
  language: { about: 'a language: Spanish', ...byCheck('language') },
  refusal: { about: 'a refusal: no advice on health, law, money', ...byCheck('refusal'), own: true },
  passage: { about: 'a fact from a passage, or that it is not there', ...byCheck('passage'), own: true },
};

/**
 * The briefs of a task: those that are learnt from; and of those that nobody learns from, the ones for choosing settings and for results.
 *
 * @param {string} task @param {'train' | 'dev' | 'heldout'} split @param {string} work
 */
export function briefsOf(task, split, work) {
  if (TASKS[task].own === undefined) return `${HOUSE}/${split}.jsonl`;
  const file = join(work, `${task}-${split}.jsonl`);
  mkdirSync(work, { recursive: true });
  writeFileSync(file, BRIEFS[task](split).map((brief) => `${JSON.stringify(brief)}\n`).join(''));
  return file;
}

/** Most tokens of an answer, where it is learnt from and where it is measured. */
export const MAX_TOKENS = 72;
const ROWS = 150;

/** Three answers of the base to each training brief, drawn once for all tasks that share the briefs. */
async function draws(task, work) {
  const file = join(work, TASKS[task].own === undefined ? 'answers.jsonl' : `answers-${task}.jsonl`);
  mkdirSync(work, { recursive: true });
  if (!existsSync(file)) {
    await heed(['generate', '--prompts', briefsOf(task, 'train', work), '--samples', '3', '--temperature', '1', '--seed', '11',
      '--max-tokens', String(MAX_TOKENS), '-o', `${file}.part`, '--overwrite']);
    renameSync(`${file}.part`, file);
  }
  return lines(file);
}

/** What judges an answer to a brief. */
async function judgeOf(task, work) {
  const { rules: file, check } = TASKS[task];
  if (check === undefined) {
    const { rules } = await loadRules(join(ROOT, file));
    return ({ completion }) => applyRules(rules, completion);
  }
  const briefs = TASKS[task].own === undefined ? [] : lines(briefsOf(task, 'train', work));
  const of = new Map(briefs.map((brief) => [brief.prompt, brief]));
  return ({ prompt, completion }) => {
    const brief = of.get(prompt);
    const reason = check(brief, completion);
    return { reason, satisfied: reason === null, findings: reason === null ? [] : [reason], correct: brief?.correct ?? null };
  };
}

/** Rows of each kind, from the same judged answers. @type {Record<string, (answers: any[]) => object[]>} */
const KINDS = {
  judged: (answers) => answers.map(({ prompt, completion, reason, satisfied }) => ({ prompt, completion, judgment: reason, satisfied })),
  labelled: (answers) => answers.map(({ prompt, completion, satisfied }) => ({ prompt, completion, label: satisfied })),
  good: (answers) => answers.filter(({ satisfied }) => satisfied).map(({ prompt, completion }) => ({ prompt, completion })),
  negative: (answers) => answers.filter(({ satisfied }) => !satisfied).map(({ prompt, completion }) => ({ prompt, rejected: completion })),
  preference: pairsByFindings,
};

/** What a person wrote in place of wrong answers: once for each brief. Only tasks whose base hardly ever does what is asked have any. */
const corrections = (answers) => [...new Map(answers
  .filter(({ satisfied, correct }) => !satisfied && typeof correct === 'string')
  .map(({ prompt, correct }) => [prompt, { prompt, completion: correct, reason: null, satisfied: true, findings: [] }])).values()];

/**
 * The rows of a kind that the first 150 finished answers make, once they are judged.
 *
 * @param {string} task @param {string} kind @param {string} work
 * @returns {Promise<{ file: string, rows: number, answers: number, satisfied: number, corrected: number }>}
 */
export async function rowsOf(task, kind, work) {
  const judge = await judgeOf(task, work);
  const answers = (await draws(task, work)).filter(({ finish }) => finish === 'stop').slice(0, ROWS)
    .map(({ prompt, completion }) => ({ prompt, completion, ...judge({ prompt, completion }) }));
  const written = corrections(answers);
  const rows = KINDS[kind]([...answers, ...written]);
  const file = join(work, `${task}-${kind}.jsonl`);
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const satisfied = answers.filter((answer) => answer.satisfied).length;
  return { file, rows: rows.length, answers: answers.length, satisfied, corrected: written.length };
}
