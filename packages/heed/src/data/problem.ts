import { UserError } from '../errors.js';
import { at, type RawRow, type Source } from './source.js';

/** What is wrong with one row. */
export interface Problem {
  readonly source: Source;
  /** The column at fault; absent when the whole row or line is. */
  readonly column?: string;
  /** What is wrong, read after the column: "is empty". */
  readonly reason: string;
  readonly value?: unknown;
  /**
   * True when the row is well formed but says nothing to learn from (an empty completion, two equal
   * responses, a judgment "$ERROR$"): `junk: skip` may leave it out. Anything else is always an error.
   */
  readonly junk?: boolean;
}

/** What files hold: the records that could be read, and the lines that could not, each in their order. */
export interface Records {
  readonly rows: RawRow[];
  readonly broken: readonly Problem[];
}

const SHOWN = 20;
const EXCERPT = 80;

/** A value as one short line: JSON, cut at 80 characters with the length that was cut. */
export function excerpt(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : (JSON.stringify(value, bigintAsText) ?? String(value));
  return text.length <= EXCERPT ? text : `${text.slice(0, EXCERPT)}… (${text.length} characters)`;
}

function bigintAsText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

/** One line per problem, the first 20, then how many more there are. */
export function listProblems(problems: readonly Problem[], shown = SHOWN): string {
  const lines = problems.slice(0, shown).map((problem) => {
    const what = problem.column === undefined ? problem.reason : `${problem.column} ${problem.reason}`;
    return `  ${at(problem.source)}  ${what}${'value' in problem ? `: ${excerpt(problem.value)}` : ''}`;
  });
  if (problems.length > shown) lines.push(`  … and ${problems.length - shown} more`);
  return lines.join('\n');
}

/** All problems in one error, so that a file is mended in one go. */
export function problemsError(headline: string, problems: readonly Problem[], hints: readonly string[] = []): UserError {
  return new UserError(`${headline}\n${listProblems(problems)}`, hints);
}

/** A value's type in words, for messages: "a list", "null", "a number". */
export function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'missing';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** Problems found at different times, in the order of the files. */
export function inOrder(problems: readonly Problem[]): Problem[] {
  const files = [...new Set(problems.map(({ source }) => source.file))];
  return [...problems].sort(({ source: a }, { source: b }) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line);
}

/** Ways out for lines that could not be read. */
export function brokenHints(broken: readonly Problem[]): string[] {
  return broken.some(({ value }) => /\b(NaN|Infinity)\b/.test(String(value))) ? ['NaN and Infinity are Python, not JSON; write null.'] : [];
}
