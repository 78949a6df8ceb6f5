import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { Paths } from '../data/paths.js';
import { brokenHints, inOrder, problemsError, type Problem } from '../data/problem.js';
import { readJsonLines } from '../data/read-json.js';
import { MessageSchema } from '../data/rows.js';
import { type RawRow, at } from '../data/source.js';
import { count } from '../data/text-lines.js';
import { UserError } from '../errors.js';
import { atomicWrite, fileError } from '../run/files.js';
import type { AskHooks, Question, ChoiceQuestion, ChoiceReply, Failure, Respondent, TextQuestion, TextReply } from './respondent.js';
import { defineJudge } from './define.js';

/** Files through which people are asked. */
export const HumanOptions = z.strictObject({
  /** The file that unanswered questions are written to, a JSON object a line. */
  questions: z.string().min(1),
  /** Files with answers: the lines of `questions` with `answer` filled in. Default: the file `questions` itself. */
  answers: Paths.optional(),
});
export type HumanOptions = z.infer<typeof HumanOptions>;

/** `human`: people, who read questions from a file and write answers into it. */
export const human = defineJudge({
  name: 'human',
  options: HumanOptions,
  describe: ({ questions }) => questions,
  open: async (options) => createHumanRespondent(options),
});

/** A line of the files: a question, and once a person has written it, the answer. */
const Line = z.object({
  id: z.string().min(1),
  messages: z.array(MessageSchema).optional(),
  begun: z.string().optional(),
  /** The answers to choose from; absent where the person writes a text. */
  answers: z.array(z.string()).min(2).optional(),
  answer: z.string().nullish(),
  /** Who answered: several people may answer one question, each once. */
  who: z.string().min(1).optional(),
});
export type Line = z.infer<typeof Line>;

interface Given {
  readonly answer: string;
  readonly who: string | undefined;
  readonly row: RawRow;
}

const NO_USAGE = { promptTokens: 0, completionTokens: 0, milliseconds: 0 };

/** Names a question by its words alone: a person's answer does not depend on seeds or limits. */
export const questionId = ({ messages, begun = '' }: Question, answers?: readonly string[]): string =>
  createHash('sha256')
    .update(JSON.stringify([messages.map(({ role, content }) => [role, content]), begun, answers ?? null]))
    .digest('hex')
    .slice(0, 16);

/**
 * A respondent that is one or more people. A question that nobody has answered yet is written to the file `questions`, one JSON object a
 * line with `"answer": null`, and fails with the reason `waiting`. People fill in `answer` (and `who`, where several answer), in that file
 * or in copies of it, which `answers` names. Every run reads the files anew, so corrections count; no answer goes into a label store. Where
 * several people answer a question with answers to choose from, the shares of the answers are its probabilities (`source: samples`).
 * Where people write a text, the first answer counts.
 *
 * `choose` and `write` throw a UserError that lists, by line, every answer that is none of those to choose from, and every second,
 * different answer of one person.
 */
export function createHumanRespondent({ questions: file, answers: from = file }: HumanOptions): Respondent {
  const files = [...new Set([file, ...(Array.isArray(from) ? from : [from])])];

  async function ask<Q extends Question, R extends object>(
    questions: readonly Q[],
    answersOf: (question: Q) => readonly string[] | undefined,
    reply: (question: Q, given: readonly Given[]) => R,
    { onReply }: AskHooks,
  ): Promise<(R | Failure)[]> {
    const given = await readAnswers(files, file);
    const waiting = new Map<string, Line>();
    const replies = questions.map((question, index): R | Failure => {
      const answers = answersOf(question);
      const id = questionId(question, answers);
      const found = given.get(id) ?? [];
      if (answers !== undefined) checkChoices(found, answers);
      const waits: Failure = { failure: 'waiting', detail: `waits for a person: ${file}, id ${id}`, files };
      const said = found.length > 0 ? reply(question, found) : waits;
      if (found.length === 0) {
        const { messages, begun } = question;
        waiting.set(id, { id, messages: [...messages], begun, answers: answers && [...answers], answer: null });
      }
      onReply?.(index, said as R & (ChoiceReply | TextReply));
      return said;
    });
    await addWaiting(file, [...waiting.values()]);
    return replies;
  }

  return {
    name: 'human',
    keepsOwn: true,
    choose: (questions, hooks = {}) =>
      ask(
        questions,
        ({ answers }: ChoiceQuestion) => answers,
        ({ answers }, given): ChoiceReply => ({
          logprobs: answers.map((answer) => Math.log(given.filter((one) => one.answer === answer).length / given.length)),
          mass: 1,
          source: 'samples',
          usage: NO_USAGE,
        }),
        hooks,
      ),
    write: (questions, hooks = {}) =>
      ask(
        questions,
        (_: TextQuestion) => undefined,
        (_, [first]): TextReply => ({ text: first!.answer, finish: 'stop', usage: NO_USAGE }),
        hooks,
      ),
    async close() {
      /* Nothing is held open. */
    },
  };
}

/** The answers so far, by question. Only the file of the questions may be missing. */
async function readAnswers(files: readonly string[], optional: string): Promise<Map<string, Given[]>> {
  const found = new Map<string, Given[]>();
  const problems: Problem[] = [];
  for (const file of files) {
    for (const { line: { id, answer, who }, row } of await readLines(file, file === optional)) {
      if (!isGiven(answer)) continue;
      const others = found.get(id) ?? [];
      const same = others.find((one) => one.who === who);
      // The same answer twice is a copied line. A different answer by the same person contradicts the first.
      if (same === undefined) found.set(id, [...others, { answer, who, row }]);
      else if (same.answer !== answer) {
        problems.push({
          source: row.source,
          column: 'answer',
          reason: `is another than ${who === undefined ? 'the one' : `${who}'s`} at ${at(same.row.source)}; say with "who" who answered`,
          value: answer,
        });
      }
    }
  }
  if (problems.length > 0) throw problemsError(`${count(problems.length, 'answer')} cannot be used`, problems);
  return found;
}

/** What people have to answer before a job can go on. */
export interface WaitingFor {
  readonly questions: number;
  readonly files: readonly string[];
}

/** How many questions without an answer wait in the files of these failures; undefined where none of them waits for people. */
export async function waitingFor(failures: readonly { readonly files?: readonly string[] }[]): Promise<WaitingFor | undefined> {
  const files = [...new Set(failures.flatMap(({ files: [own] = [] }) => own ?? []))];
  if (files.length === 0) return undefined;
  const lines = async (from: readonly string[]): Promise<Line[]> =>
    (await Promise.all(from.map((file) => readLines(file, true)))).flat().map(({ line }) => line);
  const all = await lines([...new Set(failures.flatMap((one) => one.files ?? []))]);
  const answered = new Set(all.filter(({ answer }) => isGiven(answer)).map(({ id }) => id));
  return { files, questions: new Set((await lines(files)).map(({ id }) => id).filter((id) => !answered.has(id))).size };
}

/** Says what to do: "6 questions wait in FILE; fill in `answer`, run again". */
export const describeWaiting = ({ questions, files }: WaitingFor): string =>
  `${count(questions, 'question')} ${questions === 1 ? 'waits' : 'wait'} in ${files.join(' and ')}; fill in \`answer\`, run again`;

/** Whether a line has an answer. */
export const isGiven = (answer: string | null | undefined): answer is string => answer !== null && answer !== undefined;

function checkChoices(given: readonly Given[], answers: readonly string[]): void {
  const problems = given
    .filter(({ answer }) => !answers.includes(answer))
    .map(({ answer, row }): Problem => ({
      source: row.source,
      column: 'answer',
      reason: `is none of ${answers.map((a) => JSON.stringify(a)).join(', ')}`,
      value: answer,
    }));
  if (problems.length > 0) throw problemsError(`${count(problems.length, 'answer')} cannot be used`, problems);
}

/** The lines of a file of questions or answers. @throws UserError listing lines that are none, or where the file is missing */
export async function readLines(file: string, optional: boolean): Promise<{ readonly line: Line; readonly row: RawRow }[]> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw fileError(error, file, 'reading');
    if (optional) return [];
    throw new UserError(`There is no file ${file} with answers`, ['Name the files that people have filled in under judge.human.answers.']);
  }
  const { rows, broken } = readJsonLines(file, bytes);
  const problems: Problem[] = [...broken];
  const lines = rows.flatMap((row) => {
    const parsed = Line.safeParse(row.fields);
    if (parsed.success) return [{ line: parsed.data, row }];
    const [issue] = parsed.error.issues;
    problems.push({ source: row.source, column: issue!.path.join('.'), reason: issue!.message });
    return [];
  });
  if (problems.length > 0)
    throw problemsError(`${file}: ${count(problems.length, 'line')} cannot be read`, inOrder(problems), brokenHints(broken));
  return lines;
}

/** Adds the questions that the file does not hold yet, and leaves what people wrote as it is. */
async function addWaiting(file: string, waiting: readonly Line[]): Promise<void> {
  if (waiting.length === 0) return;
  const known = new Set((await readLines(file, true)).map(({ line: { id } }) => id));
  const fresh = waiting.filter(({ id }) => !known.has(id));
  if (fresh.length === 0) return;
  const before = await readFile(file, 'utf8').catch(() => '');
  const gap = before === '' || before.endsWith('\n') ? '' : '\n';
  await atomicWrite(file, before + gap + fresh.map((line) => `${JSON.stringify(line)}\n`).join(''));
}
