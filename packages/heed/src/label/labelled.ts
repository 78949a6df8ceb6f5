/** What a labeler gives back. */
import type { Source } from '../data/source.js';
import { type ChoiceReply, type Failure, failed } from '../judge/respondent.js';

/** Why a row has no label. Beyond a respondent's own failures: two responses that are the same. */
export interface LabelFailure {
  readonly source: Source;
  readonly id?: string;
  readonly failure: Failure['failure'] | 'same';
  readonly detail: string;
  /** As the respondent's failure has them. */
  readonly files?: readonly string[];
}

/** Whether the outcome of a row is a failure. */
export const unlabelled = (outcome: object): outcome is LabelFailure => 'failure' in outcome;

/** A line of an output file, written as JSON: a column that is undefined is left out. */
export type OutputRow = Readonly<Record<string, unknown>>;

export interface Labelled<Measures> {
  /** In the order of the input; rows that failed are absent. */
  readonly rows: readonly OutputRow[];
  /** Further files of rows, by the names in the labeler's `files`. */
  readonly more?: Readonly<Record<string, readonly OutputRow[]>>;
  readonly failures: readonly LabelFailure[];
  readonly measures: Measures;
}

/** The first failure among replies, as the row's. */
export function failureOf(
  { source, id }: { readonly source: Source; readonly id?: string }, replies: readonly (object | undefined)[],
): LabelFailure | undefined {
  const broken = replies.find((reply): reply is Failure => reply !== undefined && failed(reply));
  if (broken === undefined) return undefined;
  const { failure, detail, files } = broken;
  return { source, id, failure, detail, files };
}

/** The mean of some numbers; undefined where there is none. */
export const meanOf = (values: readonly number[]): number | undefined =>
  (values.length === 0 ? undefined : values.reduce((a, b) => a + b, 0) / values.length);

/**
 * The columns of an output row that say how far its choices can be trusted. `mass`: the probability that the judge gave to the answers
 * together, the mean over the choices; absent where one of them does not know it. `from_samples`: one of the choices is a share of
 * samples.
 */
export function choiceColumns(replies: readonly ChoiceReply[]): { mass?: number; from_samples?: true } {
  const masses = replies.flatMap(({ mass }) => mass ?? []);
  return {
    mass: masses.length < replies.length ? undefined : meanOf(masses),
    from_samples: replies.some(({ source }) => source === 'samples') ? true : undefined,
  };
}
