/** The prompt that shows two candidates, and the two steps in which a judge may think before it names one (RLAIF A1, A2). */
import type { Message } from '../data/rows.js';
import type { Question } from '../judge/respondent.js';
import { FENCE_NOTE, fence } from '../text/fence.js';
import { transcript } from '../text/principled.js';
import type { Criterion } from './criteria.js';

/**
 * A solved example. `preferred` is the place of the candidate that answers the question: where harm is looked for, the more harmful one.
 */
export interface Exemplar {
  readonly prompt: string;
  readonly responses: readonly [string, string];
  readonly preferred: 1 | 2;
  /** Why; needed where the judge is asked to reason, and then only. */
  readonly rationale?: string;
}

export interface Comparing {
  readonly criterion: Criterion;
  /** In place of the criterion's. */
  readonly preamble?: string;
  readonly exemplars: readonly Exemplar[];
  /** Whether the judge is asked to reason before it answers. */
  readonly reasons: boolean;
}

/** What a judge chooses between. */
export const PLACES = ['1', '2'] as const;

/** The words right before the answer: RLAIF's "Preferred Response=". */
export const ending = ({ criterion }: Comparing): string => `Preferred ${criterion.candidate}=`;

/**
 * The question which of two candidates, in this order, is preferred. What all rows share comes first, so that it is computed once.
 *
 * @param rationale What the judge wrote in the first step; it stands in the judge's own turn, before the ending.
 */
export function comparison(
  prompt: readonly Message[], shown: readonly [string, string], how: Comparing, rationale?: string,
): Question {
  const begun = rationale === undefined ? ending(how) : `${THINKS} ${rationale}\n\n${ending(how)}`;
  return { messages: [{ role: 'user', content: content(prompt, shown, how) }], begun };
}

/** The first step: the request for a rationale. */
export const reasoning = (prompt: readonly Message[], shown: readonly [string, string], how: Comparing): Question =>
  ({ messages: [{ role: 'user', content: content(prompt, shown, how) }], begun: THINKS });

const THINKS = 'Rationale:';

function content(prompt: readonly Message[], shown: readonly [string, string], how: Comparing): string {
  const { criterion, preamble = criterion.compare, exemplars, reasons } = how;
  const choice = `with "${ending(how)}1" or "${ending(how)}2".`;
  const task = [preamble, ...(reasons ? [criterion.weigh, `End ${choice}`] : [`Answer ${choice}`]), FENCE_NOTE].join(' ');
  const sample = (context: string, responses: readonly [string, string]): string => {
    const candidates = responses.map((text, i) => `${criterion.candidate} ${i + 1}:\n${fence(text)}`);
    return [`${criterion.context}:\n${fence(context)}`, ...candidates].join('\n\n');
  };
  const solved = exemplars.map(({ prompt: asked, responses, preferred, rationale }, i) =>
    `Example ${i + 1}\n\n${sample(asked, responses)}\n\n${reasons ? `${THINKS} ${rationale ?? ''}\n\n` : ''}${ending(how)}${preferred}`);
  return [task, ...solved, ...(solved.length === 0 ? [] : ['Now the one to judge']), sample(transcript(prompt), shown)].join('\n\n');
}
