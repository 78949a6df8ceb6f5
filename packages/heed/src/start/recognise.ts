/** Which column of a log is what. */
import { UserError, nearest } from '../errors.js';
import { ALSO_ROLES, plainName, rankOf, type Role, ROLES, saysBad, SAYS, sideOf } from './roles.js';
import type { Form, Shape } from './shapes.js';
import type { Question } from './question.js';

/** A column, and the role that it was recognised as. */
export interface Recognised {
  readonly role: Role;
  readonly column: string;
  /** How it was known: the user said so, its name says so, or nothing else was left. */
  readonly by: 'given' | 'name' | 'elimination';
}

/** What was recognised, and what only the user can know. */
export interface Recognition {
  readonly columns: ReadonlyMap<Role, Recognised>;
  readonly questions: readonly Question[];
}

/** Which forms of values a role takes. */
const FORMS: Readonly<Record<Role, readonly Form[]>> = {
  messages: ['turns', 'transcript'], speaker: ['word'], content: ['text', 'word', 'list'],
  chosen: ['text', 'turns', 'word', 'transcript'], rejected: ['text', 'turns', 'word', 'transcript'],
  first: ['text', 'turns', 'word'], second: ['text', 'turns', 'word'], preferred: ['word', 'number', 'text'],
  prompt: ['text', 'word', 'turns', 'transcript'], input: ['text', 'word', 'empty', 'number'], system: ['text', 'word'],
  completion: ['text', 'word', 'turns', 'number'], demonstration: ['text', 'word', 'turns'], vote: ['word', 'number', 'text'],
  score: ['number'], comment: ['text', 'word'], conversation: ['word', 'number'], turn: ['number'], user: ['word', 'number'],
  date: ['date'], id: ['word', 'number'], finish: ['word'],
};

/** Roles of which two sure names in one file are a question. */
const ASKED: ReadonlySet<Role> = new Set(['prompt', 'completion', 'vote', 'score', 'comment']);

/**
 * Recognises columns by what the user said, then by their names and values, then (prompt and answer) by what is left.
 *
 * @param given Role → column, as the user said.
 * @throws UserError where a given role or column does not exist, or a column is given twice
 */
export function recognise(shapes: readonly Shape[], given: Readonly<Record<string, string>> = {}): Recognition {
  const columns = new Map<Role, Recognised>();
  for (const { role, column } of requireGiven(shapes, given)) columns.set(role, { role, column, by: 'given' });
  const questions: Question[] = [];
  const free = (): Shape[] => {
    const used = new Set([...columns.values()].map(({ column }) => column));
    return shapes.filter(({ name, filled }) => filled > 0 && !used.has(name));
  };
  const take = (role: Role, { name }: Shape, by: Recognised['by'] = 'name'): void => void columns.set(role, { role, column: name, by });

  takeSides(columns, free, take);
  for (const role of ROLES) {
    if (columns.has(role) || !fits(role, columns)) continue;
    const named = free().flatMap((shape) => {
      const rank = takes(role, shape) ? rankOf(role, shape.name) : undefined;
      return rank === undefined ? [] : [{ shape, ...rank }];
    }).sort((a, b) => Number(b.sure) - Number(a.sure) || a.rank - b.rank);
    const [best] = named;
    if (best === undefined) continue;
    const rivals = named.filter(({ sure, shape }) => sure && best.sure && shape.filled >= best.shape.filled / 2);
    if (ASKED.has(role) && rivals.length > 1) questions.push(whichColumn(role, rivals.map(({ shape }) => shape)));
    take(role, best.shape);
  }
  questions.push(...eliminate(columns, free, take));
  dropLonely(columns);
  return { columns, questions };
}

/** Whether a role can be there beside the others. */
function fits(role: Role, columns: ReadonlyMap<Role, Recognised>): boolean {
  const has = (...roles: Role[]): boolean => roles.some((one) => columns.has(one));
  switch (role) {
    case 'content': return has('speaker') && !has('messages');
    case 'first': case 'second': return false;
    case 'preferred': return has('first');
    case 'prompt': return !has('messages', 'content');
    case 'input': return columns.has('prompt') && plainName(columns.get('prompt')!.column) === 'instruction';
    case 'completion': return !has('chosen', 'first', 'content');
    case 'demonstration': return has('completion', 'messages', 'content');
    case 'vote': case 'score': return !has('preferred');
    default: return true;
  }
}

/** Whether a column's values can be what a role holds. */
function takes(role: Role, shape: Shape): boolean {
  const { form, votes, numbers, words, name, filled, distinct } = shape;
  const isFlag = numbers.length > 0 && numbers.every((number) => [-1, 0, 1].includes(number));
  if (!FORMS[role].includes(form)) return false;
  switch (role) {
    case 'vote': return form === 'number' ? isFlag : votes >= 0.5 || numbers.length === 0 && votes > 0.2;
    case 'score': return !isFlag;
    // What is another one in nearly every row names the row, unless its name leaves no doubt.
    case 'conversation': return rankOf(role, name)?.sure === true || filled < 10 || distinct < 0.9 * filled;
    case 'comment': return votes < 0.5;
    case 'preferred': return form !== 'text' || words < 4;
    case 'prompt': return plainName(name) !== 'user' || words > 2;
    case 'completion': return (rankOf(role, name)?.sure || isVaried(shape)) && (form !== 'number' || plainName(name) === 'completion');
    default: return true;
  }
}

/** A few values that stand there again and again are names of classes, and no texts. */
const isVaried = ({ distinct, filled }: Shape): boolean => filled < 10 || distinct >= Math.min(filled / 5, MOST_CLASSES);
const MOST_CLASSES = 200;

/** Two answers to one prompt. */
function takeSides(
  columns: ReadonlyMap<Role, Recognised>, free: () => Shape[], take: (role: Role, shape: Shape) => void,
): void {
  if (columns.has('first') || columns.has('chosen') || columns.has('completion')) return;
  const sides = free().flatMap((shape) => {
    const side = FORMS.first.includes(shape.form) ? sideOf(shape.name) : undefined;
    return side === undefined ? [] : [{ shape, ...side }];
  });
  for (const { stem, shape } of sides.filter(({ role }) => role === 'first')) {
    const other = sides.find((side) => side.stem === stem && side.role === 'second');
    if (other === undefined) continue;
    take('first', shape);
    take('second', other.shape);
    return;
  }
}

/** The prompt or the answer, where one column of texts is left for it: a guess, which the user is asked about. */
function eliminate(
  columns: ReadonlyMap<Role, Recognised>, free: () => Shape[], take: (role: Role, shape: Shape, by: 'elimination') => void,
): Question[] {
  const answered = (['messages', 'completion', 'chosen', 'first', 'content'] as const).some((role) => columns.has(role));
  const asked = (['messages', 'prompt', 'content'] as const).some((role) => columns.has(role))
    || (columns.has('chosen') && !answered);
  if (asked === answered) return [];
  const role = asked ? 'completion' : 'prompt';
  const texts = free().filter((shape) => shape.form === 'text' && isVaried(shape));
  if (texts.length === 0) return [];
  const guess = texts.reduce((best, one) => (one.filled * one.words > best.filled * best.words ? one : best));
  const question = whichColumn(role, [guess, ...texts.filter((one) => one !== guess)]);
  take(role, guess, 'elimination');
  return [question];
}

/** A role that says something of another is nothing without it. */
function dropLonely(columns: Map<Role, Recognised>): void {
  const drop = (role: Role, needs: readonly Role[]): void => {
    if (columns.get(role)?.by !== 'given' && !needs.some((one) => columns.has(one))) columns.delete(role);
  };
  drop('speaker', ['content']);
  drop('content', ['speaker']);
  drop('turn', ['conversation']);
  drop('chosen', ['rejected']);
}

function whichColumn(role: Role, shapes: readonly Shape[]): Question {
  return {
    about: `columns.${role}`, text: `Which column is ${SAYS[role]} (${role})?`, guess: shapes[0]!.name,
    choices: shapes.map(({ name, common }) => ({ value: name, says: `such as ${JSON.stringify(short(common[0]?.value ?? ''))}` })),
    option: `--columns ${role}=${shapes[0]!.name}`,
  };
}

const short = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}…` : text);

function requireGiven(shapes: readonly Shape[], given: Readonly<Record<string, string>>): { role: Role; column: string }[] {
  const names = shapes.map(({ name }) => name);
  const used = new Map<string, string>();
  return Object.entries(given).map(([word, column]) => {
    const role = ROLES.find((one) => one === word) ?? ALSO_ROLES[word];
    if (role === undefined) throw new UserError(`--columns: a column cannot be ${word}`, [`It can be ${ROLES.join(', ')}.`]);
    if (!names.includes(column)) {
      const near = nearest(column, names);
      const there = `Columns in the log: ${names.join(', ')}.`;
      const hints = near === undefined ? [there] : [there, `Did you mean ${near}?`];
      throw new UserError(`--columns ${word}=${column}: no row has a column ${column}`, hints);
    }
    const other = used.get(column);
    if (other !== undefined) throw new UserError(`--columns names the column ${column} twice, for ${other} and for ${word}`);
    used.set(column, word);
    return { role, column };
  });
}

/** Whether true in the column of votes says that an answer is bad, by the column's name. */
export const votesAgainst = (columns: ReadonlyMap<Role, Recognised>): boolean => saysBad(columns.get('vote')?.column ?? '');
