import type { Tensor } from '@heed/tensor';
import type { z } from 'zod';
import type { Shuffler } from '../data/ratio.js';
import type { RowDefinition } from '../data/row.js';
import type { AnyRow, RowKind, RowOf } from '../data/rows.js';
import type { Message } from '../text/template.js';
import type { TokenSequence } from '../text/token-sequence.js';
import type { Credit, Rollout, RolloutReads } from './credit.js';
import type { Extreme, Term } from './term.js';
import type { Tokens } from './tokens.js';

export type { Extreme, Term } from './term.js';

/**
 * Turns a row's words into tokens, with the model's template. Prompt and response are tokenised apart, one end-of-turn token supervised.
 */
export interface Respond {
  /**
   * A prompt and a response to it.
   *
   * @param answered The prompt that the response was written to, by which the tokens are known that a policy drew. Default: `prompt`.
   */
  respond(prompt: readonly Message[], response: string, answered?: readonly Message[]): TokenSequence;
  /** A prompt and the tokens of a response, its end of turn included where it has one. */
  respondTokens(prompt: readonly Message[], ids: readonly number[], kept?: TokenSequence['kept']): TokenSequence;
  /** The same as `respond`, with the tokens marked that the judgment quotes: everywhere they stand, in any case. */
  respondMarked(prompt: readonly Message[], response: string, judgment: string): TokenSequence;
  /** The same as `respond`, where the prompt also carries a judgment of the response ("Align-N"); `format` overrides the wording. */
  respondJudged(prompt: readonly Message[], judgment: string, response: string, format?: string): TokenSequence;
  /** A conversation whose every assistant turn is supervised. */
  converse(messages: readonly Message[]): TokenSequence;
}

/** What a method makes of a step's log-probabilities and scores, still as a trace: Σ over its terms of sum / count. */
export interface Loss {
  /** The loss is the total of the terms, each divided by its own count over the optimizer step. A count may not depend on the model. */
  readonly terms: readonly Term[];
  /** What is written to the log, by name. */
  readonly metrics: Readonly<Record<string, Term | Extreme>>;
  /** For the report: of one named sequence, log q/p of each token, and which tokens (1, else 0) the loss pushes down. */
  readonly heatmap?: { readonly of: string; readonly logRatio: Tokens; readonly flagged: Tokens };
  /** The method's memory after this step, scalars by name; every name of `memory` must be there. */
  readonly memory?: Readonly<Record<string, Tensor>>;
}

/**
 * A policy that a loss compares with, or reads without learning from it:
 * `base`: the model with the adapter switched off; a saved adapter on it, by its folder; `policy`: the trained policy as it is,
 * without gradient or dropout; `round`: the trained policy as the round began, so that at a round's first step it equals the
 * policy exactly; `ema`: an exponential moving average of the trained adapter, which starts as a copy of it and after every
 * `every` steps becomes (1 − rate) · average + rate · policy.
 */
export type Reference =
  'base' | 'policy' | 'round' | { readonly adapter: string } | { readonly ema: { readonly every: number; readonly rate: number } };

/** Which tokens a loss takes for faulty. */
export interface Flags<Name extends string> {
  readonly of: Name;
  readonly against: Name;
  readonly above: number;
  /** Whether those that the judgment quotes are, too. */
  readonly quoted: boolean;
}

/** A reference and the named sequences that it scores. */
export interface ReferenceUse<Name extends string> {
  readonly is: Reference;
  readonly scores: readonly Name[];
}

/**
 * A trained linear on the final hidden state. `last`: `size` numbers at a sequence's last token (a reward model: 1). `tokens`: one number
 * where each supervised token is predicted (a value function).
 */
export interface Head {
  readonly size: number;
  readonly at: 'last' | 'tokens';
}

/** What a loss sees of B rows: of a micro-batch, or of a whole optimizer step where the method's scope is `step`. */
export interface Scored<Name extends string> {
  /** Log-probabilities of each named sequence under the policy, [B, T], or [B, K, T] for a list; not of `detached` ones. */
  readonly logp: Readonly<Record<Name, Tokens>>;
  /** The same under each reference, for the names that it scores. */
  readonly under: Readonly<Record<string, Readonly<Record<Name, Tokens>>>>;
  /**
   * What each head at `last` makes of a sequence's last token, by head and name: [B], or [B, size] where the head's size is not 1 (with K
   * after B for a list).
   */
  readonly scores: Readonly<Record<string, Readonly<Record<Name, Tensor>>>>;
  /** What each head at `tokens` makes of the text before each supervised token, by head and name, like `logp`. */
  readonly values: Readonly<Record<string, Readonly<Record<Name, Tokens>>>>;
  /** The method's own columns: [B] each, [B, K] for one of `listColumns`. */
  readonly columns: Readonly<Record<string, Tensor>>;
  /** The method's token columns (advantages, rewards of tokens): [B, T], or [B, K, T] where they belong to a list. */
  readonly tokens: Readonly<Record<string, Tokens>>;
  /** 1 for each supervised token that is marked (`TokenSequence.marked`), else 0, like `logp`; of the names in `marks`. */
  readonly marked: Readonly<Partial<Record<Name, Tokens>>>;
  /** Entropy of the policy's distribution at each supervised token, in nats, like `logp`; of the names in `entropies`. With gradient. */
  readonly entropy: Readonly<Partial<Record<Name, Tokens>>>;
  /** 1 for each sequence that is there, else 0: [B] or [B, K]. */
  readonly present: Readonly<Record<Name, Tensor>>;
  /** Rows B, as a scalar. */
  readonly rows: Tensor;
  /** The method's memory before this step. */
  readonly memory: Readonly<Record<string, Tensor>>;
}

/** All rows that will be learnt from, and which of them is meant: for a sequence made of two rows (KTO's mismatched pairs). */
export interface Among<Row> {
  readonly rows: readonly Row[];
  readonly index: number;
}

/**
 * A way to learn from rows: which rows, which sequences to score of each, and the loss over their log-probabilities. A method
 * knows nothing of padding, batches, devices or optimizers, and nothing knows a method by name.
 *
 * @typeParam Options The options as the method gets them: checked, defaults filled in.
 * @typeParam Given The options as a program writes them: those with a default may be left out.
 */
export interface Method<Kind extends RowKind | RowDefinition, Options, Name extends string, Given = unknown> {
  readonly name: string;
  readonly paper: string;
  /** The kind of row that it learns from: one of Heed's by name, or the definition of another (`defineRow`). */
  readonly row: Kind;
  readonly options: z.ZodType<Options, Given>;
  /** Names of the sequences, in the order of the report. */
  readonly names: readonly Name[];
  /** Names that stand for a list of sequences of a row, [B, K, T]. */
  readonly lists?: readonly Name[];
  /** Names that references alone score: nothing is learnt through them. */
  readonly detached?: readonly Name[];
  /** Names of the columns of numbers. */
  readonly columns: readonly string[];
  /** Those of `columns` that hold a list of numbers a row, beside the lists of sequences. */
  readonly listColumns?: readonly string[];
  /** Columns that hold a number for each supervised token: the column's name → the sequence whose tokens they are. */
  readonly tokenColumns?: Readonly<Record<string, Name>>;
  /** Names of the sequences whose entropy the loss reads; each costs a second pass over the vocabulary. */
  entropies?(options: Options): readonly Name[];
  /** Names of the sequences of which the loss reads which tokens are marked. Default: none. */
  marks?(options: Options): readonly Name[];
  /** References by the name that the loss calls them. */
  references?(options: Options): Readonly<Record<string, ReferenceUse<Name>>>;
  /** Trained linear heads by name, without bias, zero at first. Saved with the adapter, as PEFT's `modules_to_save`. */
  heads?(options: Options): Readonly<Record<string, Head>>;
  /** `step`: the loss couples rows, and is taken over all rows of an optimizer step at once. Default: `row`. */
  scope?(options: Options): 'row' | 'step';
  /** Numbers carried from step to step, and how they start. Needs the scope `step`. */
  readonly memory?: Readonly<Record<string, number>>;
  /** The loss while the policy equals every reference, where it is known: checked at the first step. */
  lossAtReference?(options: Options): number | undefined;
  /** The sequences of one row; a name may be absent from a row. */
  sequences(
    row: RowOf<Kind>,
    text: Respond,
    options: Options,
    among: Among<RowOf<Kind>>,
  ): Partial<Record<Name, TokenSequence | readonly TokenSequence[]>>;
  /** The numbers of one row, for `columns` and `tokenColumns`; of a token column one list for each sequence of its name. */
  columnsOf?(row: RowOf<Kind>, options: Options): Record<string, number | readonly number[] | readonly (readonly number[])[]>;
  /**
   * Whether the method uses a row. Rows that it does not use are left out and counted (ILF-DPO: a satisfactory row holds no pair). Default:
   * yes.
   */
  uses?(row: RowOf<Kind>, options: Options): boolean;
  /** What the rows without a use are, for people: "satisfactory, so that they hold no pair". */
  readonly unused?: string;
  /** Why a row cannot be learnt from by this method with these options (a tie, say), else undefined. Such rows follow `data.junk`. */
  unfit?(row: RowOf<Kind>, options: Options): string | undefined;
  /**
   * Two sequences that must differ in their tokens, such as what is preferred and what it is preferred to: where the template makes them
   * equal, the row says nothing. Default: none.
   */
  readonly apart?: readonly [Name, Name];
  /**
   * Tokens that the loss takes for faulty: those of the sequence `of` that are more than `above` times as likely in `against`, and with
   * `quoted` those that the judgment quotes. Default: the method looks for none.
   */
  flags?(options: Options): Flags<Name> | undefined;
  /** Why all rows together cannot be learnt from (one class only, say), else undefined. An error. */
  unfitTogether?(rows: readonly RowOf<Kind>[], options: Options): string | undefined;
  /** What stands in the way of learning from all these rows, though they can be learnt from; each with the way out. Default: nothing. */
  hinders?(rows: readonly RowOf<Kind>[], options: Options): readonly string[];
  /** Rows to learn from, chosen from all (CUT keeps a share of the satisfactory ones). Default: all. */
  select?(rows: readonly RowOf<Kind>[], options: Options, random: Shuffler): readonly RowOf<Kind>[];
  loss(scored: Scored<Name>, options: Options): Loss;
  /**
   * Of a method that learns from rollouts: the advantages of a round's answers, in their order, from their rewards. What `reads` asks for
   * is there.
   */
  credit?(rollouts: readonly Rollout[], options: Options): readonly Credit[];
  /** What `credit` and `loss` need to know of the answers beside their rewards. Default: nothing. */
  reads?(options: Options): RolloutReads;
  /** Why the loss takes no notice of which token has which advantage, and the way out, else undefined. Default: it does. */
  averagesAdvantages?(options: Options): string | undefined;
}

/** Gives a method its types by inference. */
export const defineMethod = <Kind extends RowKind | RowDefinition, Options, Name extends string, Given>(
  method: Method<Kind, Options, Name, Given>,
): Method<Kind, Options, Name, Given> => method;

/** Whether a method trains a head that scores whole texts (a reward model, a classifier), and no model that writes them. */
export const scoresTexts = ({ heads }: Pick<BoundMethod, 'heads'>): boolean => Object.values(heads).some(({ at }) => at === 'last');

/**
 * A method whose options have been checked, with its types put away: what the trainer works with. Rows of a kind that is defined
 * elsewhere also pass as `AnyRow`: nothing but their own method looks into them.
 */
export interface BoundMethod {
  readonly name: string;
  readonly row: RowKind | RowDefinition;
  readonly names: readonly string[];
  readonly lists: ReadonlySet<string>;
  readonly detached: ReadonlySet<string>;
  readonly columns: readonly string[];
  readonly listColumns: ReadonlySet<string>;
  readonly tokenColumns: Readonly<Record<string, string>>;
  readonly entropies: ReadonlySet<string>;
  readonly marks: ReadonlySet<string>;
  readonly references: Readonly<Record<string, ReferenceUse<string>>>;
  readonly heads: Readonly<Record<string, Head>>;
  readonly scope: 'row' | 'step';
  readonly memory: Readonly<Record<string, number>>;
  readonly lossAtReference?: number;
  /** Logits are divided by it before the policy's and the references' log-probabilities are taken: what answers were sampled at. */
  readonly temperature: number;
  /** Whether those log-probabilities are over the tokens that each place kept (`TokenSequence.kept`), as sampling through a filter is. */
  readonly filtered: boolean;
  sequences(row: AnyRow, text: Respond, among?: Among<AnyRow>): Record<string, readonly TokenSequence[]>;
  columnsOf(row: AnyRow): Record<string, number | readonly number[] | readonly (readonly number[])[]>;
  readonly apart?: readonly [string, string];
  readonly flags?: Flags<string> | undefined;
  uses(row: AnyRow): boolean;
  readonly unused: string;
  unfit(row: AnyRow): string | undefined;
  unfitTogether(rows: readonly AnyRow[]): string | undefined;
  hinders(rows: readonly AnyRow[]): readonly string[];
  select(rows: readonly AnyRow[], random: Shuffler): readonly AnyRow[];
  loss(scored: Scored<string>): Loss;
  /** There where the method learns from rollouts. */
  readonly credit?: (rollouts: readonly Rollout[]) => readonly Credit[];
  readonly reads: RolloutReads;
  readonly averagesAdvantages?: string;
}
