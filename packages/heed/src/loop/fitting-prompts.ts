/** Prompts that a policy can answer, and prompts that are held out from it: checked before anything is generated. */
import { promptKey } from '../data/hash.js';
import { type Problem, listProblems, problemsError } from '../data/problem.js';
import type { PromptRow } from '../data/rows.js';
import { at } from '../data/source.js';
import { UserError } from '../errors.js';
import type { Template } from '../text/template.js';
import type { Limits } from './items.js';

/** How much room prompts and answers have together. */
export interface Room extends Limits {
  readonly maxNewTokens: number;
  /** The section of the recipe that sets `maxNewTokens`. Default: `generate`. */
  readonly section?: 'generate' | 'evaluate';
}

/** Prompts, and the rows that were left out. */
export interface Fitting {
  readonly prompts: readonly PromptRow[];
  readonly skipped: readonly Problem[];
}

/**
 * The prompts that leave room for an answer in `maxTokens`. The others are an error, or left out and listed, as `onLong` says; a prompt is
 * never cut, because the generator answers it as it is.
 *
 * @param skipped Rows that were left out before.
 * @throws UserError where a prompt is too long, or no prompt is left
 */
export function fittingPrompts(
  prompts: readonly PromptRow[], skipped: readonly Problem[], template: Template,
  { maxTokens, onLong, maxNewTokens, section = 'generate' }: Room,
): Fitting {
  const long = new Map(prompts.flatMap((row): [PromptRow, Problem][] => {
    const tokens = template.prompt(row.prompt).length;
    if (tokens + maxNewTokens <= maxTokens) return [];
    const reason = `the prompt of ${tokens} tokens and ${section}.maxNewTokens = ${maxNewTokens} are more than ${maxTokens}`;
    return [[row, { source: row.source, reason }]];
  }));
  if (long.size > 0 && (onLong !== 'skip' || long.size === prompts.length)) {
    const way = onLong === 'skip' ? '' : '; data.onLong: skip leaves them out';
    throw problemsError(`${long.size} of ${prompts.length} prompts leave no room for an answer${way}`, [...long.values()]);
  }
  return { prompts: prompts.filter((row) => !long.has(row)), skipped: [...skipped, ...long.values()] };
}

/** For people: the rows that were left out, if any. */
export const describeLeftOut = (what: string, skipped: readonly Problem[]): string[] =>
  skipped.length === 0 ? [] : [`${what} left out:\n${listProblems(skipped)}`];

/** @throws UserError where a held-out prompt is one that the policy learns from */
export function requireHeldOutApart(prompts: readonly PromptRow[], held: readonly PromptRow[]): void {
  const known = new Set(prompts.map(({ prompt }) => promptKey(prompt)));
  const twice = held.filter(({ prompt }) => known.has(promptKey(prompt)));
  if (twice.length === 0) return;
  throw new UserError(
    `${twice.length} of ${held.length} held-out prompts are also prompts to learn on, the first in ${at(twice[0]!.source)}.`,
    ['Name other prompts under evaluate.prompts: on these a gain would prove nothing.'],
  );
}
