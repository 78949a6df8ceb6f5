/** Regular expressions from a rule file: somebody else's text, so it may be wrong or need ages. */
import { createContext, Script } from 'node:vm';

import { UserError } from '../../errors.js';
import type { Check, Fault } from './rule.js';

/**
 * Longest times for one text, of the first try and of a second one. A sane pattern needs microseconds; one that backtracks for ever must
 * not hang a run. Time goes by on a machine that has other things to do, too, so that one try would tell too little.
 */
const TIMEOUTS_MS = [1000, 5000];

/** What is wrong with a pattern, or undefined. */
export function patternProblem(source: string): string | undefined {
  try {
    const matchesNothing = new RegExp(source, 'u').test('');
    return matchesNothing ? `the pattern ${JSON.stringify(source)} matches the empty text, so no text could be without it` : undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * Finds a regular expression (Unicode mode; `any case` when asked).
 *
 * @param where Names the rule in the error when the pattern takes seconds on a text.
 */
export function forbiddenPattern(source: string, ignoreCase: boolean, where: string): Check {
  const context = createContext({ text: '' });
  const pattern = `new RegExp(${JSON.stringify(source)}, ${JSON.stringify(ignoreCase ? 'giu' : 'gu')})`;
  // A script of its own because only there V8 stops a match that does not end.
  const script = new Script(`JSON.stringify([...text.matchAll(${pattern})].map((m) => [m.index, m.index + m[0].length]))`);
  return (text) => {
    context['text'] = text;
    for (const timeout of TIMEOUTS_MS) {
      try {
        const found = JSON.parse(script.runInContext(context, { timeout }) as string) as [number, number][];
        return found.filter(([start, end]) => end > start).map(([start, end]): Fault => ({ start, end }));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
      }
    }
    const most = TIMEOUTS_MS.at(-1)!;
    throw new UserError(
      `${where}: the pattern ${JSON.stringify(source)} takes more than ${most} ms on a text of ${text.length} characters`,
      ['Repetitions inside repetitions, such as (a+)+, backtrack without end; write the pattern without them.'],
    );
  };
}
