/** A comparison as a table for other programs: RFC 4180, a line for each prompt. */
import { failed } from '../judge/respondent.js';
import { type CsvCell, csv } from '../run/csv.js';
import { said } from '../text/turn.js';
import type { Comparison, ComparedAnswer } from './compare.js';

function cellsOf({ text, tokens, finish, rated }: ComparedAnswer, hasReward: boolean): CsvCell[] {
  const plain = [text, tokens, finish];
  if (!hasReward) return plain;
  if (rated === undefined || failed(rated)) return [...plain, undefined, undefined, rated?.detail];
  return [...plain, rated.value, rated.satisfied === undefined ? undefined : String(rated.satisfied), rated.reason ?? undefined];
}

/** Columns: `id`, `prompt`, and of each contender its answer, tokens, finish, and with a reward value, verdict, reason and outcome. */
export function comparisonCsv({ contenders, prompts, reward, judge }: Comparison): string {
  const rated = reward !== undefined;
  const decided = rated || judge !== undefined;
  const head = ['id', 'prompt', ...contenders.flatMap(({ name }, i) => [
    name, `${name} tokens`, `${name} finish`,
    ...(rated ? [`${name} reward`, `${name} satisfied`, `${name} reason`] : []),
    ...(decided && i > 0 ? [`${name} outcome`] : []),
  ])];
  const lines = prompts.map(({ row, answers, outcomes }) => [
    row.id ?? row.source.line,
    row.prompt.length === 1 ? row.prompt[0]!.content : row.prompt.map((turn) => `${turn.role}: ${said(turn)}`).join('\n\n'),
    ...answers.flatMap((answer, i) => [...cellsOf(answer, rated), ...(decided && i > 0 ? [outcomes[i - 1]] : [])]),
  ]);
  return csv([head, ...lines]);
}
