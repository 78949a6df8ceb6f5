/** The label report: what was labelled, by whom, how well, at what cost, and what failed. */
import { finePercent as percent } from '../run/numbers.js';
import { describeWaiting, type WaitingFor } from '../judge/human.js';
import { reasonsOf } from '../judge/respondent.js';
import type { LabelFailure } from './labelled.js';
import type { AnyLabeler } from './labeler.js';
import { lineIf } from './report-lines.js';
import { type Spent, type UsageTotals, serverLines } from './usage.js';

/** `label-report.json`. */
export interface LabelReport<Measures extends object = object> {
  /** As the recipe names it. */
  readonly labeler: string;
  /** What the labeler measured. */
  readonly measures: Measures;
  /** Names who judged, with which weights. */
  readonly judge: string;
  /** Who wrote the responses, where they were sampled. */
  readonly answers?: string;
  readonly rows: number;
  readonly labelled: number;
  /** Rows of the data that were left out because `data.junk` is `skip`. */
  readonly skipped: number;
  readonly failed: {
    readonly rows: number;
    readonly share: number;
    readonly allowed: number;
    readonly reasons: Readonly<Record<string, number>>;
  };
  /** What people have to answer first, where they are the judge. */
  readonly waiting?: WaitingFor;
  /** Rows with a response that carries instructions to the judge. They are labelled; a person should read them. */
  readonly speakToJudge: number;
  readonly asking: UsageTotals;
  /** Wall time of this run. */
  readonly seconds: number;
}

/** Failures by reason, the most frequent first. */
export function reasons(failures: readonly LabelFailure[]): Record<string, number> {
  return Object.fromEntries(Object.entries(reasonsOf(failures)).sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)));
}

/** The report as plain text: how many rows, what the labels are worth, what failed, what it cost. */
export function renderLabelReport(report: LabelReport, labeler: AnyLabeler): string {
  const { judge, answers, rows, labelled, skipped, failed, speakToJudge, waiting } = report;
  const failures = Object.entries(failed.reasons).map(([reason, n]) => `${reason} ${n}`).join(', ');
  const { warning, lines } = labeler.report(report.measures, labelled);
  return [
    ...(waiting === undefined ? [] : [`${describeWaiting(waiting)}.`, '']),
    ...(warning === undefined ? [] : [warning, '']),
    `${report.labeler} by ${judge}`,
    ...(answers === undefined ? [] : [`responses by ${answers}`]),
    `${labelled} of ${rows} rows labelled${skipped === 0 ? '' : `; ${skipped} more left out as junk`}`,
    ...lineIf(failed.rows > 0, () => `failed: ${failed.rows} (${percent(failed.share)}; ${percent(failed.allowed)} allowed): ${failures}`),
    ...lineIf(speakToJudge > 0, () => `rows with a response that speaks to the judge: ${speakToJudge}; read them`),
    '',
    ...lines,
    '',
    usageLine(report),
    ...serverLines(report.asking),
  ].join('\n');
}

const spent = ({ promptTokens, completionTokens, cost }: Spent): string =>
  `${promptTokens} tokens in, ${completionTokens} out${cost === undefined ? '' : `, cost ${cost.toPrecision(3)}`}`;

function usageLine({ asking: { questions, reused, asked, earlier, ...now }, seconds }: LabelReport): string {
  const before = earlier.promptTokens + earlier.completionTokens > 0 ? ` (${spent(earlier)}, spent earlier)` : '';
  return `${questions} questions: ${reused} replies from the store${before}, ${asked} asked now (${spent(now)}); ${seconds.toFixed(1)} s`;
}
