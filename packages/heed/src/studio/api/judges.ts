/** What the page Judges is told. Types alone. */
import type { Calibration, PositionBias, Verdicts } from '../../label/statistics.js';
import type { Estimate } from '../../run/statistics.js';

export type { Calibration } from '../../label/statistics.js';

/** What a labelling run says of its judge. */
export interface JudgeLine {
  readonly run: string;
  readonly judge: string;
  readonly labeler: string;
  readonly rows: number;
  readonly labelled: number;
  /** Why the labels carry no information, where they do not. */
  readonly warning?: string;
  /** Share of right verdicts, over both classes alike where the labels are yes or no. */
  readonly agreement?: Estimate & { readonly balanced: boolean };
  /** Cohen's κ with people, where the counts of both verdicts are known. */
  readonly kappa?: number;
  /** Spearman's rank correlation of scores with people's. */
  readonly correlation?: number;
  readonly position?: PositionBias;
  readonly verdicts?: Verdicts;
  readonly calibration?: Calibration;
  /** Rows without a label, by reason. */
  readonly failures: Readonly<Record<string, number>>;
  /** What the replies took: those of this run and those that were in the store. */
  readonly spent: { readonly promptTokens: number; readonly completionTokens: number; readonly cost?: number };
  readonly questions: number;
  readonly seconds: number;
  readonly report: boolean;
}
