import type { Tensor } from '@heed/tensor';
import type { z } from 'zod';
import type { Shuffler } from '../data/ratio.js';
import type { RowKind, RowKinds } from '../data/rows.js';
import type { Message } from '../text/template.js';
import type { Tokens } from './tokens.js';

/** A text to score: the model reads `prompt`, then `response`, whose supervised tokens (all by default) get log-probabilities. */
export interface Sequence {
  readonly prompt: readonly number[];
  readonly response: readonly number[];
  readonly supervised?: readonly boolean[];
}

/** Turns a row's words into tokens, with the model's template. Prompt and response are tokenised apart, one end-of-turn token supervised. */
export interface Respond {
  /** A prompt and a response to it. */
  respond(prompt: readonly Message[], response: string): Sequence;
  /** The same where the prompt also carries a judgment of the response ("Align-N"); `format` overrides the wording. */
  respondJudged(prompt: readonly Message[], judgment: string, response: string, format?: string): Sequence;
  /** A conversation whose every assistant turn is supervised. */
  converse(messages: readonly Message[]): Sequence;
}

/** Σ `sum` / Σ `count`, both scalars, over the whole optimizer step: how a micro-batch contributes to a loss or a metric. */
export interface Term {
  readonly sum: Tensor;
  readonly count: Tensor;
}

export interface Loss {
  /** The loss is the total of the terms, each divided by its own count over the optimizer step. A count may not depend on the model. */
  readonly terms: readonly Term[];
  /** What is written to the log, by name. */
  readonly metrics: Readonly<Record<string, Term>>;
  /** For the report: of one named sequence, log q/p of each token, and which tokens (1, else 0) the loss pushes down. */
  readonly heatmap?: { readonly of: string; readonly logRatio: Tokens; readonly flagged: Tokens };
}

/** What a loss sees of a micro-batch of B rows. */
export interface Scored<Name extends string> {
  /** Log-probabilities of each named sequence under the policy. */
  readonly logp: Readonly<Record<Name, Tokens>>;
  /** The method's own columns, [B] each. */
  readonly columns: Readonly<Record<string, Tensor>>;
  /** Rows B, as a scalar. */
  readonly rows: Tensor;
}

/**
 * A way to learn from rows: which rows, which sequences to score of each, and the loss over their log-probabilities. A method
 * knows nothing of padding, batches, devices or optimizers, and nothing knows a method by name.
 */
export interface Method<Kind extends RowKind, Options, Name extends string> {
  readonly name: string;
  readonly paper: string;
  readonly row: Kind;
  readonly options: z.ZodObject & z.ZodType<Options>;
  /** Names of the sequences, in the order of the report. */
  readonly names: readonly Name[];
  /** Names of the columns of numbers. */
  readonly columns: readonly string[];
  /** The sequences of one row; a name may be absent from a row. */
  sequences(row: RowKinds[Kind], text: Respond, options: Options): Partial<Record<Name, Sequence>>;
  columnsOf?(row: RowKinds[Kind], options: Options): Record<string, number>;
  /** Rows to learn from, chosen from all (CUT keeps a share of the satisfactory ones). Default: all. */
  select?(rows: readonly RowKinds[Kind][], options: Options, random: Shuffler): readonly RowKinds[Kind][];
  loss(scored: Scored<Name>, options: Options): Loss;
}

/** Gives a method its types by inference. */
export const defineMethod = <Kind extends RowKind, Options, Name extends string>(method: Method<Kind, Options, Name>): Method<Kind, Options, Name> => method;

/** A method whose options have been checked, with its types put away: what the trainer works with. */
export interface BoundMethod {
  readonly name: string;
  readonly row: RowKind;
  readonly names: readonly string[];
  readonly columns: readonly string[];
  sequences(row: RowKinds[RowKind], text: Respond): Partial<Record<string, Sequence>>;
  columnsOf(row: RowKinds[RowKind]): Record<string, number>;
  select(rows: readonly RowKinds[RowKind][], random: Shuffler): readonly RowKinds[RowKind][];
  loss(scored: Scored<string>): Loss;
}

/** Binds a method to options (checked by its schema, defaults filled in). The rows given must be of its kind. */
export function bind<Kind extends RowKind, Options, Name extends string>(method: Method<Kind, Options, Name>, given: unknown = {}): BoundMethod {
  const options = method.options.parse(given);
  type Row = RowKinds[Kind];
  return {
    name: method.name,
    row: method.row,
    names: method.names,
    columns: method.columns,
    sequences: (row, text) => method.sequences(row as Row, text, options),
    columnsOf: (row) => method.columnsOf?.(row as Row, options) ?? {},
    select: (rows, random) => method.select?.(rows as readonly Row[], options, random) ?? rows,
    loss: (scored) => method.loss(scored, options),
  };
}
