// @ts-check
// The research sets in $HEED_DATA, and orders and splits that depend on the content of rows alone. Nothing of the sets is kept in the
// project.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A fault of the command that was given, not of an experiment. */
export class UsageError extends Error {}

/** The folder with the research sets. @throws UsageError where $HEED_DATA does not say */
export function dataFolder() {
  const folder = process.env.HEED_DATA;
  if (folder === undefined) {
    throw new UsageError(
      'Say where the research data are: HEED_DATA=<folder>. They are not part of Heed; experiments/README.md lists where each comes from.',
    );
  }
  return folder;
}

/** The rows of a file of JSON lines. @param {string} file @returns {any[]} */
export const lines = (file) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

/** The rows of a research set. @param {string} name */
export const read = (name) => lines(join(dataFolder(), name));

/** A number of 32 bits that a text decides. @param {string} text */
export const hash = (text) => createHash('sha256').update(text).digest().readUInt32BE();

/**
 * Rows in an order that depends on their content alone.
 *
 * @template T
 * @param {Iterable<T>} rows
 * @param {(row: T) => string} key
 * @returns {T[]}
 */
export const mixed = (rows, key = JSON.stringify) => [...rows].sort((a, b) => hash(key(a)) - hash(key(b)));

/** How many words a text has. @param {string} text */
export const words = (text) => text.trim().split(/\s+/).length;

/**
 * Lists of the rows with the same key, in the order of their first rows.
 *
 * @template T
 * @param {readonly T[]} rows
 * @param {(row: T) => string} key
 * @returns {Map<string, T[]>}
 */
export function groupsOf(rows, key) {
  /** @type {Map<string, T[]>} */
  const groups = new Map();
  for (const row of rows) groups.set(key(row), [...(groups.get(key(row)) ?? []), row]);
  return groups;
}

/**
 * Of each prompt the pairs of answers whose numbers of findings differ, the one with fewer preferred.
 *
 * @param {readonly { prompt: unknown, completion: unknown, findings: readonly unknown[] }[]} answers
 */
export const pairsByFindings = (answers) =>
  [...groupsOf(answers, ({ prompt }) => JSON.stringify(prompt)).values()].flatMap((group) =>
    group.flatMap((a, i) => group.slice(i + 1).flatMap((b) => {
      if (a.findings.length === b.findings.length) return [];
      const [better, worse] = a.findings.length < b.findings.length ? [a, b] : [b, a];
      return [{ prompt: better.prompt, chosen: better.completion, rejected: worse.completion }];
    })));

/**
 * TruthfulQA's answers with people's labels: of each question the true and the false ones, each once, in an order of their content. An
 * answer that was labelled both ways is left out.
 *
 * @param {{ question?: number, answer: number }} most Characters of a question and of an answer.
 */
export function truthfulQuestions(most) {
  /** @type {Map<string, { question: string, right: Set<string>, wrong: Set<string> }>} */
  const questions = new Map();
  for (const { question, answer, truthful } of read('truthfulqa_judge.jsonl')) {
    const text = answer.trim();
    if (text === '' || text.length > most.answer || question.length > (most.question ?? Infinity)) continue;
    const of = questions.get(question) ?? { question, right: new Set(), wrong: new Set() };
    of[truthful ? 'right' : 'wrong'].add(text);
    questions.set(question, of);
  }
  return [...questions.values()].map(({ question, right, wrong }) => ({
    question,
    right: mixed([...right].filter((answer) => !wrong.has(answer))),
    wrong: mixed([...wrong].filter((answer) => !right.has(answer))),
  }));
}
