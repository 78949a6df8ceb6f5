import { hashUnit, promptKey } from '../data/hash.js';
import type { ChoiceRow, PrincipledRow } from '../data/rows.js';
import { comparisonPrompt } from '../text/principled.js';
import { type ChoiceOptions, choiceLoss, choiceSequences, choiceTargets } from './choice.js';
import { defineMethod } from './method.js';
import { optionsWith } from './options.js';
import { type PrincipleOptions, draw, principleOptions, scalesNothing, undecided } from './principles.js';

const options = optionsWith(principleOptions, { ignored: { scale: scalesNothing } });

/** How the letters are read; one token each, so that `choice`'s other settings would change nothing worth an option. */
const LETTERS: ChoiceOptions = { normalise: 'sum', endOfTurn: true };
const TARGETS = [1, 0];

/**
 * A comparison of two responses under drawn principles as a question with the answers "A" and "B": what `choice` learns from. Which
 * response is shown as A is drawn too. Undefined where no principle that was drawn tells the responses apart.
 *
 * @param among All rows, for `scale: variance`.
 */
export function asChoice(row: PrincipledRow, o: PrincipleOptions, among: readonly PrincipledRow[] = [row]): ChoiceRow | undefined {
  const decided = draw(row, o, among, 0);
  if (decided === undefined) return undefined;
  const { better, worse, held } = decided;
  const betterFirst = hashUnit(o.seed, JSON.stringify([promptKey(row.prompt), [...row.responses].sort(), 'first'])) < 0.5;
  const { source, id } = row;
  return {
    source,
    ...(id === undefined ? {} : { id }),
    prompt: comparisonPrompt(row.prompt, betterFirst ? [better, worse] : [worse, better], held),
    // The right letter first: targets are then the same of every row, and do not depend on the other rows as the decision may.
    choices: betterFirst ? ['A', 'B'] : ['B', 'A'],
    targets: TARGETS,
  };
}

/**
 * SALMON's reward model as a comparison that is decoded: the model reads two responses and drawn principles and answers "A" or "B".
 * Pairs are decided as by `principle-reward-model`. The loss and metrics are those of `choice`, with targets of 1 and 0:
 *
 *   L = −log [ p(better letter) / (p("A") + p("B")) ]        mean over rows
 *
 * The official code learns a scalar instead (see `principle-reward-model`). A comparison needs no head: the trained model is a judge.
 * Unit: row.
 */
export const principleChoice = defineMethod({
  name: 'principle-choice',
  paper: 'Sun et al., SALMON: Self-Alignment with Instructable Reward Models, ICLR 2024, arXiv 2310.05910 (as a decoded comparison)',
  row: 'principled',
  options,
  names: ['answers'],
  lists: ['answers'],
  columns: ['target'],
  listColumns: ['target'],
  sequences(row, text, o, { rows }) {
    const question = asChoice(row, o, rows);
    return question === undefined ? {} : choiceSequences(question, text, LETTERS);
  },
  columnsOf: () => choiceTargets({ targets: TARGETS }),
  unfit: (row, o) => undecided(row, o, 1),
  loss: (scored) => choiceLoss(scored, LETTERS),
});
