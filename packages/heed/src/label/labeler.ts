/** What a labeler is: the options, the questions, the rows that come of the replies, and a part of the report. */
import type { z } from 'zod';

import type { Respondent } from '../judge/respondent.js';
import type { Labelled } from './labelled.js';
import type { Pair, Single } from './material.js';
import type { Calibration } from './statistics.js';

/** What labelers may label: two responses to a prompt, or one. */
export interface Materials {
  readonly pairs: Pair;
  readonly singles: Single;
}

/** A labeler's part of the report. */
export interface ReportPart {
  /** Why the labels carry no information, where they do not: the first thing that the report says. */
  readonly warning?: string | undefined;
  /** Lines for people, in the order in which they matter. */
  readonly lines: readonly string[];
  /** Drawn as a reliability diagram on the page of the report. */
  readonly calibration?: Calibration;
}

/** A way to label: it asks a judge about responses and writes rows. */
export interface Labeler<Material extends keyof Materials, Options, Measures, Prepared> {
  /** As the recipe's `label:` names it. */
  readonly name: string;
  readonly material: Material;
  /** The schema of `label:`. Its `name` is added where it is missing. */
  readonly options: z.ZodObject & z.ZodType<Options>;
  /** Names of the files that `label` makes besides `rows`, without `.jsonl`. Default: none. */
  readonly files?: readonly string[];
  /** Why the recipe may not have responses written first (`answers`); undefined where it may. */
  refusesAnswers?(options: Options): string | undefined;
  /** Reads what the options name, such as a file of principles, before anything is asked. */
  prepare?(options: Options): Promise<Prepared>;
  /** One row, or one failure, for each that is given, in the same order. */
  label(given: readonly Materials[Material][], judge: Respondent, options: Options, prepared: Prepared): Promise<Labelled<Measures>>;
  /** @param labelled How many of the given have a row. */
  report(measures: Measures, labelled: number): ReportPart;
}

/** A labeler whatever its options and measures are. */
export type AnyLabeler = Labeler<keyof Materials, object, object, unknown>;

/**
 * Defines a labeler.
 *
 * @example
 * export const polite = defineLabeler({
 *   name: 'polite', material: 'singles', options: z.strictObject({ word: z.string().default('please') }),
 *   async label(singles, judge, { word }) {
 *     const replies = await judge.choose(singles.map(({ completion }) => ({
 *       messages: [{ role: 'user', content: `Is this polite, as "${word}" is? ${completion}` }], answers: ['Yes', 'No'],
 *     })));
 *     // … rows of the replies, and failures
 *   },
 *   report: ({ share }) => ({ lines: [`polite: ${share}`] }),
 * });
 */
export const defineLabeler = <Material extends keyof Materials, Schema extends z.ZodObject, Measures extends object, Prepared = undefined>(
  labeler: Labeler<Material, z.output<Schema>, Measures, Prepared> & { readonly options: Schema },
): Labeler<Material, z.output<Schema>, Measures, Prepared> & { readonly options: Schema } => labeler;

/** Whether an export of a user's module is a labeler. */
export const isLabeler = (value: unknown): value is AnyLabeler =>
  typeof value === 'object' && value !== null
  && ['label', 'report'].every((name) => typeof (value as Readonly<Record<string, unknown>>)[name] === 'function')
  && 'options' in value && 'material' in value && (value.material === 'pairs' || value.material === 'singles');
