import { neg, sum } from '@heed/tensor';
import { z } from 'zod';
import { type NegativeRow, sameText } from '../data/rows.js';
import type { TokenSequence } from '../text/token-sequence.js';
import type { Respond, Scored, Term } from './method.js';
import { weighted } from './pairs.js';

/** What the methods share that learn from bad responses alone: their sequences, and what keeps the model from falling apart. */
export const NEGATIVE = ['negative', 'positives'] as const;
export type NegativeName = (typeof NEGATIVE)[number];
/** Names that stand for a list of sequences. */
export const NEGATIVE_LISTS = ['positives'] as const;

/** Weight of the likelihood of the row's own positives ("retain"); 0, the default, reads none. */
export const retain = z.number().min(0).default(0);

type NegativeSequences = Partial<Record<NegativeName, TokenSequence | readonly TokenSequence[]>>;

/** The negative, and beside it the row's positives where they have a weight. */
export function negativeSequences({ prompt, rejected, positives }: NegativeRow, text: Respond, weight: number): NegativeSequences {
  const negative = text.respond(prompt, rejected);
  return weight === 0 ? { negative } : { negative, positives: positives!.map((positive) => text.respond(prompt, positive)) };
}

/** Rows of the kind: what is there of use to a method that learns from bad responses. */
export const OF_BAD = {
  apart: NEGATIVE,
  /** Responses that are not marked as good. */
  uses: ({ satisfied }: NegativeRow): boolean => satisfied !== true,
  unused: 'said to be good (satisfied or label is true)',
  unfitTogether: (rows: readonly NegativeRow[]): string | undefined =>
    rows.every(({ satisfied }) => satisfied === true)
      ? 'every row says that its response is good (satisfied or label is true), and this method learns from bad ones; ' +
        'to imitate good responses use method: sft'
      : undefined,
} as const;

/** Why the positives of a row cannot be learnt from: one of them is the negative. Else undefined. */
export const repeatsNegative = ({ rejected, positives = [] }: NegativeRow): string | undefined =>
  positives.some((positive) => sameText(positive, rejected)) ? 'one of its positives equals its negative: nothing is preferred' : undefined;

/** Why a row cannot be learnt from at this weight of the positives, else undefined. */
export function lacksPositives(row: NegativeRow, weight: number): string | undefined {
  if (weight === 0) return undefined;
  if (row.positives !== undefined) return repeatsNegative(row);
  return `it has no positives, which retain: ${weight} learns from; give some, let the model make them, or leave retain out`;
}

/** weight · −Σ log p / Σ tokens of the positives, and its metric; nothing at weight 0. Unit: token. */
export function retaining(
  { logp: { positives } }: Pick<Scored<NegativeName>, 'logp'>, weight: number,
): { terms: Term[]; metrics: Record<string, Term> } {
  if (weight === 0) return { terms: [], metrics: {} };
  const nll = { sum: neg(sum(positives.sum())), count: sum(positives.count()) };
  return { terms: weighted(nll, weight), metrics: { nll_positives: nll } };
}
