/** A comparison as a table for other programs: RFC 4180, a line for each prompt. */
import { failed } from '../judge/respondent.js';
import { type CsvCell, csv } from '../run/csv.js';
import { said } from '../text/turn.js';
import type { Comparison, ComparedAnswer } from './compare.js';
import { answerColumns } from './comparison-words.js';

function cellsOf({ text, tokens, finish, rated }: ComparedAnswer, hasReward: boolean): CsvCell[] {
  const plain = [text, tokens, finish];
  if (!hasReward) return plain;
  if (rated === undefined || failed(rated)) return [...plain, undefined, undefined, rated?.detail];
  return [...plain, rated.value, rated.satisfied === undefined ? undefined : String(rated.satisfied), rated.reason ?? undefined];
}

/**
 * Columns: `id`, `prompt`, and of each contender, or of each of its runs, the answer, tokens, finish, and with a reward value,
 * verdict and reason. The outcome follows the last of them.
 */
export function comparisonCsv(found: Comparison): string {
  const { contenders, prompts, reward, judge } = found;
  const columns = answerColumns(found);
  const rated = reward !== undefined;
  const decided = rated || judge !== undefined;
  const head = ['id', 'prompt', ...columns.flatMap(({ name, contender, last }) => [
    name, `${name} tokens`, `${name} finish`,
    ...(rated ? [`${name} reward`, `${name} satisfied`, `${name} reason`] : []),
    ...(decided && last && contender > 0 ? [`${contenders[contender]!.name} outcome`] : []),
  ])];
  const lines = prompts.map((prompt) => [prompt, prompt.row] as const).map(([prompt, row]) => [
    row.id ?? row.source.line,
    row.prompt.length === 1 ? row.prompt[0]!.content : row.prompt.map((turn) => `${turn.role}: ${said(turn)}`).join('\n\n'),
    ...columns.flatMap(({ contender, last, of }) => [
      ...cellsOf(of(prompt), rated), ...(decided && last && contender > 0 ? [prompt.outcomes[contender - 1]] : []),
    ]),
  ]);
  return csv([head, ...lines]);
}
