/** Questions to people and their answers, for a program that shows the ones and writes the others. */
import { readFile } from 'node:fs/promises';

import { atomicWrite } from '../run/files.js';
import type { Message } from '../text/template.js';
import { isGiven, readLines } from './human.js';

/** A question as it stands in a file. */
export interface PeopleQuestion {
  readonly id: string;
  readonly messages: readonly Message[];
  /** Words with which the answer begins. */
  readonly begun?: string;
  /** What there is to choose from; absent where a text is asked for. */
  readonly answers?: readonly string[];
  /** Whether somebody answered it. */
  readonly answered: boolean;
}

/** An answer of one person; null takes it back. */
export interface PersonsAnswer { readonly id: string; readonly who: string; readonly answer: string | null }

/** The questions of a file, each once, in the order of the file. @throws UserError where a line is none */
export async function readQuestions(file: string): Promise<PeopleQuestion[]> {
  const lines = (await readLines(file, false)).map(({ line }) => line);
  const answered = new Set(lines.filter(({ answer }) => isGiven(answer)).map(({ id }) => id));
  const asked = new Map(lines.filter(({ messages }) => messages !== undefined).map((line) => [line.id, line]));
  return [...asked.values()].map(({ id, messages = [], begun, answers }) => ({
    id, messages, answered: answered.has(id), ...(begun !== undefined && begun !== '' && { begun }), ...(answers && { answers }),
  }));
}

/** Writers of one file wait for each other. */
const turns = new Map<string, Promise<void>>();

/**
 * Writes answers into a file of questions: into the line of that question and that person where there is one, else as a line of its own.
 * All other lines stay as they are, to the letter.
 *
 * @throws UserError where the file is not one of questions
 */
export async function writeAnswers(file: string, answers: readonly PersonsAnswer[]): Promise<void> {
  const before = turns.get(file) ?? Promise.resolve();
  const mine = before.catch(() => undefined).then(() => write(file, answers));
  turns.set(file, mine);
  try {
    await mine;
  } finally {
    if (turns.get(file) === mine) turns.delete(file);
  }
}

async function write(file: string, answers: readonly PersonsAnswer[]): Promise<void> {
  const keyOf = (id: unknown, who: unknown): string => JSON.stringify([id, who]);
  const wanted = new Map(answers.map((one) => [keyOf(one.id, one.who), one]));
  await readLines(file, false);
  const text = await readFile(file, 'utf8');
  const lines = text.split('\n').flatMap((given): string[] => {
    if (given.trim() === '') return [];
    const line = JSON.parse(given) as Record<string, unknown>;
    const key = keyOf(line['id'], line['who']);
    const mine = wanted.get(key);
    if (mine === undefined) return [given];
    wanted.delete(key);
    if (mine.answer === line['answer']) return [given];
    // A line that holds the answer alone goes with it.
    return mine.answer === null && line['messages'] === undefined ? [] : [JSON.stringify({ ...line, answer: mine.answer })];
  });
  const more = [...wanted.values()].filter(({ answer }) => answer !== null).map((one) => JSON.stringify(one));
  const after = [...lines, ...more].map((line) => `${line}\n`).join('');
  if (after !== text) await atomicWrite(file, after);
}
