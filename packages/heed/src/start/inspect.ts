/** Looks at a log and says what was recognised. Nothing is written. */
import type { RawRow } from '../data/source.js';
import { UserError } from '../errors.js';
import { answersOf, type LoggedAnswer, type Values, valuesOf } from './answers.js';
import { exchangesOf } from './exchanges.js';
import { Leaving, type LeftOut, linesOf } from './left-out.js';
import { preferredBy } from './preferred.js';
import type { Question } from './question.js';
import { type Recognised, recognise } from './recognise.js';
import { readLog } from './records.js';
import { plainName, type Role } from './roles.js';
import { type Shape, shapesOf } from './shapes.js';
import { numberIn, type Vote, voteIn } from './votes.js';

/** What the user says of a log; everything else is recognised. */
export interface LogOptions {
  /** Role → column: `{ prompt: 'question' }`. */
  readonly columns?: Readonly<Record<string, string>>;
  /** What values of votes and scores say. */
  readonly values?: Readonly<Record<string, Vote>>;
  /** Columns to pass over. */
  readonly ignore?: readonly string[];
  /** What comments mean where nobody voted. */
  readonly comments?: 'judgments' | 'faults';
  /** Whether records of one conversation are its turns (default), or stand for themselves. */
  readonly turns?: 'join' | 'apart';
}

/** What a log is. */
export interface Inspection {
  readonly file: string;
  /** Records, and lines that could not be read. */
  readonly lines: number;
  readonly shapes: readonly Shape[];
  readonly columns: ReadonlyMap<Role, Recognised>;
  /** Columns that nothing uses and that `--ignore` does not name. */
  readonly unused: readonly string[];
  readonly values: Values;
  readonly answers: readonly LoggedAnswer[];
  /** Records that are turns before answers. */
  readonly context: number;
  /** Prompts before which earlier exchanges of their conversation stand. */
  readonly joined: number;
  readonly leftOut: readonly LeftOut[];
  /** What only the owner of the log can know; guesses were taken. */
  readonly questions: readonly Question[];
}

/**
 * Looks at a log.
 *
 * @param file JSONL, JSON, CSV (commas, semicolons or tabs), TSV or Parquet.
 * @throws UserError where the file cannot be read, an option names what is not there, or no prompt or no answer is recognised
 */
export async function inspectLog(file: string, options: LogOptions = {}): Promise<Inspection> {
  const { records: all, broken } = await readLog(file);
  const records = without(all, options.ignore ?? []);
  const shapes = shapesOf(records);
  const { columns, questions: which } = recognise(shapes, options.columns);
  requireExchange(file, shapes, columns);
  const cell = (record: RawRow, role: Role): unknown => {
    const column = columns.get(role)?.column;
    return column === undefined || !Object.hasOwn(record.fields, column) ? undefined : record.fields[column];
  };
  const leaving = new Leaving();
  for (const { source } of broken) leaving.add('lines that cannot be read', [source]);
  const { values, questions: meanings } = meaningsOf(columns, shapes, options);
  const read = exchangesOf(records, {
    cell, has: (role) => columns.has(role),
    spells(role) {
      const form = shapes.find(({ name }) => name === columns.get(role)?.column)?.form;
      return form === 'turns' || form === 'transcript';
    },
  }, options.turns !== 'apart', leaving);
  const answers = latest(answersOf(read.exchanges, cell, values, leaving), leaving);
  const used = new Set([...columns.values()].map(({ column }) => column));
  return {
    file, lines: records.length + broken.length, shapes, columns, values, answers, context: read.context, joined: read.joined,
    unused: shapes.filter(({ name }) => !used.has(name)).map(({ name }) => name),
    leftOut: leaving.all(), questions: [...which, ...meanings],
  };
}

function without(records: readonly RawRow[], ignore: readonly string[]): readonly RawRow[] {
  if (ignore.length === 0) return records;
  const names = new Set(records.flatMap(({ fields }) => Object.keys(fields)));
  const absent = ignore.find((name) => !names.has(name));
  if (absent !== undefined) {
    throw new UserError(`--ignore ${absent}: no row has a column ${absent}`, [`Columns in the log: ${[...names].join(', ')}.`]);
  }
  return records.map((record) => {
    const kept = Object.entries(record.fields).filter(([name]) => !ignore.includes(name));
    return { ...record, fields: Object.fromEntries(kept) };
  });
}

function requireExchange(file: string, shapes: readonly Shape[], columns: ReadonlyMap<Role, Recognised>): void {
  const has = (...roles: Role[]): boolean => roles.some((role) => columns.has(role));
  const lacking = [
    ...(has('messages', 'prompt', 'content') || (has('chosen') && has('rejected')) ? [] : ['prompt']),
    ...(has('messages', 'completion', 'content', 'first') || (has('chosen') && has('rejected')) ? [] : ['completion']),
  ];
  if (lacking.length === 0) return;
  const there = shapes.map(({ name, form }) => `${name} (${form})`).join(', ');
  const taken = columns.get('prompt');
  const isThere = (form: Shape['form'], ...names: string[]): boolean =>
    shapes.some((one) => one.form === form && names.includes(plainName(one.name)));
  const more = [
    ...(taken === undefined ? [] : [
      `Taken as the prompt: ${taken.column}. Prompts alone teach nothing: heed align has the model answer them, and rates the answers.`,
    ]),
    ...(isThere('list', 'choices', 'options') ? ['A multiple choice is for method: choice (docs/methods/choice.md).'] : []),
    ...(isThere('text', 'text') ? ['Texts with a class each are for method: classifier (docs/methods/classifier.md).'] : []),
  ];
  throw new UserError(`${file}: no column is recognised as the ${lacking.join(', none as the ')}`, [
    `Columns in the log: ${there}.`, `Say which they are: --columns ${lacking.map((role) => `${role}=NAME`).join(',')}`, ...more,
  ]);
}

/** How votes, scores, comments and preferences are read, and what is only guessed of it. */
function meaningsOf(
  columns: ReadonlyMap<Role, Recognised>, shapes: readonly Shape[], { values: given = {}, comments }: LogOptions,
): { values: Values; questions: Question[] } {
  const shapeOf = (role: Role): Shape | undefined => shapes.find(({ name }) => name === columns.get(role)?.column);
  const values = valuesOf(columns, (role) => shapeOf(role)?.numbers ?? [], given);
  const questions: Question[] = [];
  const vote = shapeOf('vote');
  if (vote !== undefined && vote.common.every(({ value }) => given[value] === undefined && voteIn(plain(value)) === undefined)) {
    const seen = vote.common.map(({ value }) => value);
    throw new UserError(`${vote.name}: nothing says which of its values are good: ${seen.join(', ')}`, [
      `--values ${seen.map((value) => `${value}=good`).slice(0, 1).join('')},${seen[1] ?? 'OTHER'}=bad`,
      `Where it is no vote, pass over it: --ignore ${vote.name}`,
    ]);
  }
  const comment = columns.get('comment');
  const judged = columns.has('vote') || values.scale !== undefined || Object.keys(given).length > 0;
  const said = comments ?? (comment !== undefined && plainName(comment.column) === 'judgment' ? 'judgments' as const : undefined);
  if (comment !== undefined && !judged && said === undefined) {
    questions.push({
      about: 'comments', guess: 'faults', option: '--comments faults',
      text: `Nobody voted. What does a comment in ${comment.column} say?`,
      choices: [
        { value: 'faults', says: 'what is wrong; of an answer without a comment nothing is known' },
        { value: 'judgments', says: 'what is wrong; an answer without a comment was good' },
      ],
    });
  }
  const says = comment === undefined || judged ? {} : { comments: said ?? 'faults' };
  const sides = [columns.get('first')?.column, columns.get('second')?.column] as const;
  const better = shapeOf('preferred');
  if (sides[0] === undefined || sides[1] === undefined) return { values: { ...values, ...says }, questions };
  const by = better && preferredBy(better, [sides[0], sides[1]]);
  if (by === undefined) {
    throw new UserError(`Nothing says which of ${sides.join(' and ')} is better`, [
      'Name the column that does: --columns preferred=NAME; its values are 1 or 2, a or b, or the columns\' names.',
    ]);
  }
  if (by === 'zero') {
    questions.push({
      about: 'columns.preferred', guess: better!.name, option: `--columns preferred=${better!.name}`,
      text: `${better!.name} is 0 or 1. Is 0 ${sides[0]}, and 1 ${sides[1]}?`, choices: [{ value: better!.name, says: 'yes' }],
    });
  }
  return { values: { ...values, preferred: { by, columns: [sides[0], sides[1]] } }, questions };
}

const plain = (value: string): unknown => numberIn(value) ?? value;

/** Where several records have one answer (the same id, prompt and answer), the latest holds; the earlier ones are counted. */
function latest(answers: readonly LoggedAnswer[], leaving: Leaving): LoggedAnswer[] {
  const last = new Map<string, LoggedAnswer>();
  const key = ({ id, prompt, completion, pair }: LoggedAnswer): string =>
    JSON.stringify([id, prompt, completion, pair?.chosen, pair?.rejected]);
  const isLater = (a: LoggedAnswer, b: LoggedAnswer): boolean => a.date === undefined || b.date === undefined || a.date >= b.date;
  for (const answer of answers) {
    const before = last.get(key(answer));
    if (answer.id !== undefined && (before === undefined || isLater(answer, before))) last.set(key(answer), answer);
  }
  return answers.filter((answer) => {
    const stays = answer.id === undefined || last.get(key(answer)) === answer;
    if (!stays) leaving.add('earlier records of an answer that has a later one (the same id)', [answer.source]);
    return stays;
  });
}

/** For people: what is left out, a line for each reason. */
export const describeLeftOut = (leftOut: readonly LeftOut[]): string[] =>
  leftOut.map(({ reason, sources }) => `${String(sources.length).padStart(5)}  ${reason} (${linesOf(sources)})`);
