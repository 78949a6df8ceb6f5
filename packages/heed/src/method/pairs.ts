import { type Tensor, add, atLeast, greater, mul, neg, sub, sum, toFloat } from '@heed/tensor';
import { type PreferenceRow, sameText } from '../data/rows.js';
import type { TokenSequence } from '../text/token-sequence.js';
import type { Respond, Scored, Term } from './method.js';
import type { Tokens } from './tokens.js';

/** What all methods that learn from preference rows share: their sequences, the soft label, the field's metrics. */
export const PAIR = ['chosen', 'rejected'] as const;
export type PairName = (typeof PAIR)[number];

/** The column of `softLabel`: P(chosen is the better one), 1 where the row does not say. */
export const SOFT_LABEL = 'soft_label';

export const pairSequences = ({ prompt, chosen, rejected }: PreferenceRow, text: Respond): Record<PairName, TokenSequence> =>
  ({ chosen: text.respond(prompt, chosen), rejected: text.respond(prompt, rejected) });

export const softLabel = (row: PreferenceRow): Record<string, number> => ({ [SOFT_LABEL]: row.soft_label ?? 1 });

/** Why a pair cannot be learnt from by any method: its responses are equal. Else undefined. */
export const equalPair = ({ chosen, rejected }: PreferenceRow): string | undefined =>
  sameText(chosen, rejected) ? 'chosen equals rejected: nothing is preferred' : undefined;

/** What a method of preference rows declares of them. */
export const PREFERENCES = {
  row: 'preference', names: PAIR, columns: [SOFT_LABEL], sequences: pairSequences, columnsOf: softLabel, unfit: equalPair, apart: PAIR,
} as const;

/** Why a row cannot be learnt from by a loss that takes `chosen` for certainly better; else undefined. */
export function notCertain(row: PreferenceRow, loss: string): string | undefined {
  if (row.soft_label === undefined || row.soft_label === 1) return undefined;
  if (row.soft_label === 0.5) return `it is a tie (soft_label 0.5), and ${loss} cannot learn from one`;
  return `${loss} cannot take soft labels, and its soft_label is ${row.soft_label}`;
}

/** p·ℓ(chosen, rejected) + (1 − p)·ℓ(rejected, chosen) of each row, [B]; `soft` is p. */
export function softly(soft: Tensor, chosen: Tensor, rejected: Tensor, loss: (better: Tensor, worse: Tensor) => Tensor): Tensor {
  return add(mul(soft, loss(chosen, rejected)), mul(sub(1, soft), loss(rejected, chosen)));
}

/** −log π of the better response by token: Σ p·(tokens of chosen) + (1 − p)·(those of rejected), over the tokens so weighted. */
export function likelihood({ logp: { chosen, rejected }, columns }: Pick<Scored<PairName>, 'logp' | 'columns'>): Term {
  const soft = columns[SOFT_LABEL]!;
  const expected = (w: Tensor, l: Tensor): Tensor => sum(softly(soft, w, l, (better) => better));
  return { sum: neg(expected(chosen.sum(), rejected.sum())), count: expected(chosen.count(), rejected.count()) };
}

/** Σ/B of something that every row has. */
export const ofRows = (x: Tensor, rows: Tensor): Term => ({ sum: sum(x), count: rows });

/** A term of the loss with its weight; absent at weight 0. */
export const weighted = ({ sum: total, count }: Term, weight: number): Term[] => (weight === 0 ? [] : [{ sum: mul(total, weight), count }]);

/** Σ over tokens of log π − log π_ref of each row, [B]; 0 for padding and absent sequences. */
export const logRatio = (policy: Tokens, reference: Tokens): Tensor => policy.sub(reference).sum();

/**
 * Rewards that differ by no more than this are equal. While policy and reference are equal, float32 still leaves a difference: some
 * 1e-6 for a token's log-probability, up to 1e-5 for a long response. Of two responses whose rewards differ by 1e-4 the better one
 * is preferred with probability σ(1e-4) = 0.500025, which is chance.
 */
export const TIE = 1e-4;

/** 1 where a > b, ½ where they are equal up to `TIE`, else 0; no gradient. */
export function wins(a: Tensor, b: Tensor | number): Tensor {
  const ahead = sub(a, b);
  return mul(add(toFloat(greater(ahead, TIE)), toFloat(atLeast(ahead, -TIE))), 0.5);
}

/**
 * `rewards_chosen`, `rewards_rejected`, `rewards_margin`: means over rows. `accuracy`: how often the likelier response gets the larger
 * reward, over rows that are no tie. Equal rewards (`wins`) count half, so that accuracy is ½, chance, while the policy equals its
 * reference (TRL: 0). `logp_chosen`, `logp_rejected`: means over rows of Σ log π.
 */
export function pairMetrics(
  { logp, columns, rows }: Pick<Scored<PairName>, 'logp' | 'columns' | 'rows'>, chosen: Tensor, rejected: Tensor,
): Record<string, Term> {
  const soft = columns[SOFT_LABEL]!;
  const forChosen = toFloat(greater(soft, 0.5));
  const forRejected = sub(1, toFloat(atLeast(soft, 0.5)));
  const right = add(mul(forChosen, wins(chosen, rejected)), mul(forRejected, wins(rejected, chosen)));
  return {
    rewards_chosen: ofRows(chosen, rows),
    rewards_rejected: ofRows(rejected, rows),
    rewards_margin: ofRows(sub(chosen, rejected), rows),
    accuracy: { sum: sum(right), count: sum(add(forChosen, forRejected)) },
    logp_chosen: ofRows(logp.chosen.sum(), rows),
    logp_rejected: ofRows(logp.rejected.sum(), rows),
  };
}
