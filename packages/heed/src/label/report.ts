/** The label report: what was labelled, by whom, how well, at what cost, and what failed. */
import type { JudgmentMeasures } from './judgments.js';
import type { LabelFailure } from './labelled.js';
import type { PreferenceMeasures } from './preferences.js';
import type { PrincipleMeasures } from './principles.js';
import type { RevisionMeasures } from './revisions.js';
import type { ScoreMeasures } from './scores.js';
import type { UsageTotals } from './usage.js';

/** What each labeler measures. */
export interface Measures {
  preferences: PreferenceMeasures;
  scores: ScoreMeasures;
  principles: PrincipleMeasures;
  judgments: JudgmentMeasures;
  revisions: RevisionMeasures;
}

export type LabelMeasures = { readonly [K in keyof Measures]: { readonly labeler: K; readonly measures: Measures[K] } }[keyof Measures];

/** `label-report.json`. */
export type LabelReport = LabelMeasures & {
  /** Names who judged, with which weights. */
  readonly judge: string;
  /** Who wrote the responses, where they were sampled. */
  readonly answers?: string;
  readonly rows: number;
  readonly labelled: number;
  /** Rows of the data that were left out because `data.junk` is `skip`. */
  readonly skipped: number;
  readonly failed: { readonly rows: number; readonly share: number; readonly allowed: number; readonly reasons: Readonly<Record<string, number>> };
  /** Rows with a response that carries instructions to the judge. They are labelled; they should be read. */
  readonly speakToJudge: number;
  readonly asking: UsageTotals;
  /** Wall time of this run. */
  readonly seconds: number;
};

/** Failures by reason, the most frequent first. */
export function reasons(failures: readonly LabelFailure[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { failure } of failures) counts.set(failure, (counts.get(failure) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)));
}
