/** Asks the owner of a log what the log does not say. */
import { inspectLog, type Inspection, type LogOptions } from '../start/inspect.js';
import type { Question } from '../start/question.js';
import { UserError } from '../errors.js';

/** Where questions are asked. */
interface Person {
  /** Shows a prompt and gives the line that was typed. */
  ask(prompt: string): Promise<string>;
  say(line: string): void;
}

/** Asks one question after another, since an answer may raise a new one, until all are answered. */
export async function askAll(file: string, options: LogOptions, log: Inspection, person: Person): Promise<Inspection> {
  const [question] = log.questions;
  if (question === undefined) return log;
  const given = answered(options, question, await choose(question, person));
  return askAll(file, given, await inspectLog(file, given), person);
}

async function choose({ text, choices, guess }: Question, person: Person): Promise<string> {
  person.say(text);
  for (const [i, { value, says }] of choices.entries()) person.say(`  ${i + 1}  ${value}: ${says}${value === guess ? ' (Enter)' : ''}`);
  for (;;) {
    const reply = (await person.ask('> ')).trim();
    const chosen = reply === '' ? guess : choices.find(({ value }, i) => value === reply || String(i + 1) === reply)?.value;
    if (chosen !== undefined) return chosen;
    person.say(`Type a number from 1 to ${choices.length}, or Enter.`);
  }
}

function answered(options: LogOptions, { about }: Question, value: string): LogOptions {
  if (about === 'comments') return { ...options, comments: value as 'judgments' | 'faults' };
  return { ...options, columns: { ...options.columns, [about.replace(/^columns\./, '')]: value } };
}

/** The error where there is no terminal to ask in: the first question, and the options that answer all of them. */
export function refuseToGuess(questions: readonly Question[]): UserError {
  const [first] = questions;
  return new UserError(first!.text, [
    ...first!.choices.map(({ value, says }) => `${value}: ${says}`),
    ...questions.map(({ option }) => `Say it: ${option}`), '--yes takes the guesses.',
  ]);
}
