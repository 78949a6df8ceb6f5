import { z } from 'zod';
import { bradleyTerry } from './bradley-terry.js';
import { defineMethod } from './method.js';
import { PAIR, SOFT_LABEL, equalPair, pairSequences, softLabel } from './pairs.js';

const options = z.strictObject({
  /**
   * c: weight of (r_w + r_l)², which keeps rewards near 0; without it only their differences are learnt. Eisenstein et al. 2023. TRL
   * suggests 0.01; 0 switches it off.
   */
  centring: z.number().min(0).default(0),
  /** Whether a row's `margin` is taken off the difference (Llama 2). False leaves margins unread. */
  margin: z.boolean().default(true),
});

/**
 * Reward model: a linear head on the last token (the end of turn) gives a response one number. Ouyang et al. 2022, arXiv 2203.02155, Eq. 1.
 *
 *   L = −p log σ(r_w − r_l − m) − (1 − p) log σ(−(r_w − r_l − m)) + c (r_w + r_l)²        mean over rows
 *
 * p = 1 is the hard label. A soft p, such as an AI judge's, gives RLAIF's cross-entropy between p and softmax(r_w, r_l) (Lee et al.
 * 2023, arXiv 2309.00267). p = ½, a tie, pulls the rewards together. m: Touvron et al. 2023, arXiv 2307.09288, Eq. 2. c: Eisenstein et
 * al. 2023, arXiv 2312.09244. The head starts at zero, so that every reward is 0 at first, and the loss is ln 2 where m is 0. Unit: row.
 */
export const rewardModel = defineMethod({
  name: 'reward-model',
  paper: 'Ouyang et al., Training language models to follow instructions with human feedback, arXiv 2203.02155, step 2; ' +
    'soft labels: Lee et al., RLAIF, arXiv 2309.00267',
  row: 'preference',
  options,
  names: PAIR,
  apart: PAIR,
  columns: [SOFT_LABEL, 'margin'],
  heads: () => ({ score: { size: 1, at: 'last' } }),
  sequences: pairSequences,
  columnsOf: (row, { margin }) => ({ ...softLabel(row), margin: margin ? row.margin ?? 0 : 0 }),
  unfit(row, { margin }) {
    const { soft_label: p = 1, margin: m = 0 } = row;
    // A margin says that the chosen one is better, by so much; a label of less than 1 says that it may not be.
    const equal = equalPair(row);
    if (equal !== undefined || !margin || p === 1 || m === 0) return equal;
    return `it has both a soft_label (${p}) and a margin (${m}); with margin: false the margin is left unread`;
  },
  loss({ scores: { score }, columns, present }, { centring }) {
    const { chosen, rejected } = score!;
    return bradleyTerry({ chosen, rejected, present: present.chosen, soft: columns[SOFT_LABEL]!, margin: columns['margin']! }, centring);
  },
});
