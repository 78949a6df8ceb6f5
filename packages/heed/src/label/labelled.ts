/** What every labeler gives back. */
import type { Source } from '../data/source.js';
import { type ChoiceReply, type Failure, failed } from '../judge/respondent.js';

/** Why a row has no label. Beyond what a respondent can report: words that cannot be used. */
export interface LabelFailure {
  readonly source: Source;
  readonly id?: string | undefined;
  readonly failure: Failure['failure'] | 'empty' | 'cut-off' | 'contradiction' | 'same';
  readonly detail: string;
}

/** Whether what came of a row is why it has no label. */
export const unlabelled = (outcome: object): outcome is LabelFailure => 'failure' in outcome;

/** A row of an output file: written as JSON. */
export type Written = Readonly<Record<string, unknown>>;

export interface Labelled<Measures> {
  /** In the order of the input; rows that failed are absent. */
  readonly rows: readonly Written[];
  /** Further files of rows, by name. */
  readonly more?: Readonly<Record<string, readonly Written[]>>;
  readonly failures: readonly LabelFailure[];
  readonly measures: Measures;
}

/** The first failure among replies, as the row's. */
export function failureOf({ source, id }: { readonly source: Source; readonly id?: string | undefined }, replies: readonly (object | undefined)[]): LabelFailure | undefined {
  const broken = replies.find((reply): reply is Failure => reply !== undefined && failed(reply));
  return broken === undefined ? undefined : { source, id, failure: broken.failure, detail: broken.detail };
}

/** `id` of a row as an output column, where it has one. */
export const named = ({ id }: { readonly id?: string | undefined }): { id?: string } => (id === undefined ? {} : { id });

/**
 * What a row says of the choices behind its label: `mass`, the probability that the judge gave to the answers together (the mean over the choices; absent where
 * one of them does not know it), and `from_samples` where one of them is a share of samples.
 */
export function howSure(replies: readonly ChoiceReply[]): { mass?: number; from_samples?: true } {
  const masses = replies.flatMap(({ mass }) => mass ?? []);
  return {
    ...(masses.length === 0 || masses.length < replies.length ? {} : { mass: masses.reduce((a, b) => a + b, 0) / masses.length }),
    ...(replies.some(({ source }) => source === 'samples') ? { from_samples: true } : {}),
  };
}
