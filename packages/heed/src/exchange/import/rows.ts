/** Training rows of one kind out of what an importer found. */
import type { Problem } from '../../data/problem.js';
import { sortRows } from '../../data/parse.js';
import type { RowKind } from '../../data/rows.js';
import type { RawRow, Source } from '../../data/source.js';
import { FEEDBACK_KINDS, type FeedbackKind } from '../../feedback/kinds.js';
import { feedbackRows, type Metrics, type RemarkedAnswer } from '../../feedback/rows.js';
import type { Findings, FoundAnswer } from './found.js';

/** Which of the remarks count. */
export interface Weighing extends Metrics {
  /** What people said counts alone. */
  readonly humanOnly?: boolean;
  /** A score from here on is a vote in favour, and one below a vote against. Default: scores are no votes. */
  readonly goodFrom?: number;
}

/** Rows of one kind, with what made none. */
export interface KindRows {
  readonly rows: readonly RawRow[];
  /** Found, and nothing for this kind: how many, by reason. */
  readonly leftOut: Readonly<Record<string, number>>;
  /** Rows that could not be used for training, with the reason. */
  readonly refused: readonly Problem[];
}

/** The kinds that something was found for. */
export function kindsOf({ answers, rows }: Findings): RowKind[] {
  return [...new Set([...(answers.length > 0 ? FEEDBACK_KINDS : []), ...rows.map(({ kind }) => kind)])];
}

/**
 * Rows of one kind. Each is read as training will read it, so that what is written can be trained.
 *
 * @throws UserError where several metrics could be meant
 */
export function rowsOfKind(findings: Findings, kind: RowKind, weighing: Weighing = {}): KindRows {
  const { rows, leftOut } = fromAnswers(findings.answers, kind, weighing);
  const made = [...rows, ...findings.rows.filter((row) => row.kind === kind).map(({ source, row }) => ({ source, fields: row }))];
  const usable: RawRow[] = [];
  const refused: Problem[] = [];
  for (const row of made) {
    const { problems } = sortRows(kind, [row]);
    if (problems.length === 0) usable.push(row);
    else refused.push(...problems);
  }
  return { rows: usable, leftOut, refused };
}

function fromAnswers(
  found: Findings['answers'], kind: RowKind, { humanOnly = false, goodFrom, ...metrics }: Weighing,
): { rows: RawRow[]; leftOut: Readonly<Record<string, number>> } {
  if (!isFeedbackKind(kind) || found.length === 0) return { rows: [], leftOut: {} };
  const sources = new Map<string, Source>();
  const answers = found.map(({ source, ...answer }): RemarkedAnswer => {
    sources.set(answer.id, source);
    return remarked(answer, humanOnly, goodFrom);
  });
  const { rows, leftOut } = feedbackRows(answers, kind, metrics);
  const raw = rows.map((row): RawRow => {
    const fields = row as Record<string, unknown>;
    return { source: sources.get(fields['id'] as string)!, fields };
  });
  const byPrograms = humanOnly ? found.flatMap(({ said }) => said).filter(({ by }) => by !== 'person').length : 0;
  return { rows: raw, leftOut: byPrograms === 0 ? leftOut : { ...leftOut, 'remarks that no person made': byPrograms } };
}

const isFeedbackKind = (kind: RowKind): kind is FeedbackKind => FEEDBACK_KINDS.some((one) => one === kind);

function remarked({ id, prompt, completion, finish = 'stop', said }: FoundAnswer, humanOnly: boolean, goodFrom?: number): RemarkedAnswer {
  const counted = humanOnly ? said.filter(({ by }) => by === 'person') : said;
  const voted = new Set(counted.filter((one) => one.said === 'vote').map(({ metric }) => metric));
  const feedback = counted.flatMap((one) => {
    if (goodFrom === undefined || one.said !== 'score' || voted.has(one.metric)) return [one];
    return [one, { ...one, said: 'vote' as const, value: Number(one.value) >= goodFrom, metric: one.metric }];
  });
  return { id, choice: 0, prompt, completion, finish, feedback };
}
