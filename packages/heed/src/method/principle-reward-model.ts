import { add, zeros } from '@heed/tensor';
import { z } from 'zod';
import { principledPrompt } from '../text/principled.js';
import { bradleyTerry } from './bradley-terry.js';
import { defineMethod } from './method.js';
import { optionsWith } from './options.js';
import { PAIR } from './pairs.js';
import { draw, principleOptions, scalesNothing, undecided } from './principles.js';

const options = optionsWith({
  ...principleOptions,
  /** Draws from each row; a draw that decides nothing is left out. The code: 4. */
  draws: z.int().min(1).default(1),
  /** c: weight of (r_w + r_l)², which keeps rewards near 0; see `reward-model`. */
  centring: z.number().min(0).default(0),
}, { ignored: { scale: scalesNothing } });

/**
 * Principle-following reward model (SALMON): a linear head on the last token rates a response by the principles that its prompt names.
 * So rewards can be steered later by naming other principles. Sun et al., ICLR 2024, arXiv 2310.05910.
 *
 * A row has a score for each principle: log p(first better) − log p(second better), averaged over both orders of showing, 0 where the
 * orders disagree. k principles are drawn. With probability ½ a drawn principle is turned into its opposite, and the sign of its score
 * with it. The principle with the widest |score| decides which response is chosen. Both responses are then rated under the same drawn
 * principles (response before request before principles), and learnt from as by `reward-model`:
 *
 *   L = −log σ(r_w − r_l) + c (r_w + r_l)²        mean over pairs
 *
 * Unit: pair, a row giving one a draw. The head starts at zero: ln 2.
 */
export const principleRewardModel = defineMethod({
  name: 'principle-reward-model',
  paper: 'Sun et al., SALMON: Self-Alignment with Instructable Reward Models, ICLR 2024, arXiv 2310.05910',
  row: 'principled',
  options,
  names: PAIR,
  apart: PAIR,
  lists: PAIR,
  columns: [],
  heads: () => ({ score: { size: 1, at: 'last' } }),
  sequences(row, text, o, { rows }) {
    const decided = Array.from({ length: o.draws }, (_, i) => draw(row, o, rows, i)).filter((d) => d !== undefined);
    return {
      chosen: decided.map(({ better, held }) => text.respond(principledPrompt(row.prompt, better, held), '')),
      rejected: decided.map(({ worse, held }) => text.respond(principledPrompt(row.prompt, worse, held), '')),
    };
  },
  unfit: (row, o) => undecided(row, o, o.draws),
  loss({ scores: { score }, present }, { centring }) {
    const { chosen, rejected } = score!;
    const none = zeros(chosen.shape);
    return bradleyTerry({ chosen, rejected, present: present.chosen, soft: add(none, 1), margin: none }, centring);
  },
});
