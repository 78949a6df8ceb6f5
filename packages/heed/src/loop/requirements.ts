import { type PromptRow, rowDefinition } from '../data/rows.js';
import { UserError } from '../errors.js';
import type { BoundMethod } from '../method/method.js';
import type { Reward } from '../reward/reward.js';
import { pretendSamples } from './pretend.js';
import type { RowMaker } from './row-maker.js';
import { type Maker, ROWS_OF, makerOf } from './rows-of.js';
import type { AlignRowsOptions } from './rows-recipe.js';

/**
 * Refuses, before anything is generated, a method whose rows cannot be made from rated answers as the recipe has them.
 *
 * @param prompts What is answered.
 * @param maker What writes parts of the rows (`rows:` of the recipe), where there is one.
 * @param rows `rows:` of the recipe.
 * @returns how the method's rows are made of the answers to a prompt
 * @throws UserError naming what is missing and the way out
 */
export function requireRowsFromAnswers(
  method: BoundMethod,
  prompts: readonly PromptRow[],
  samples: number,
  reward: Pick<Reward, 'drawsLine'>,
  maker: RowMaker | undefined,
  rows?: AlignRowsOptions | null,
): Maker {
  const made = makerOf(method.row, rows);
  if (made === undefined) {
    const kinds = Object.keys(ROWS_OF).join(', ');
    throw new UserError(
      `method: ${method.name} learns from "${rowDefinition(method.row).kind}" rows, which cannot be made from rated answers; `
        + `rows of these kinds can: ${kinds}.`,
      ['Take a method that learns from one of these kinds (docs/methods/README.md), or train on a file: heed train.'],
    );
  }
  if (samples < made.samples) {
    throw new UserError(
      `method: ${method.name} learns from ${made.samples} or more answers to one prompt, but generate.samples is ${samples}.`,
      [`Set generate.samples to ${made.samples} or more.`],
    );
  }
  if (made.lacks !== undefined && maker === undefined) {
    throw new UserError(`method: ${method.name} learns from what the model writes after a judgment, and this recipe does not ask for it.`, [
      `Add rows: { make: ${made.lacks} }.`,
    ]);
  }
  if (made.needsLine === true && !reward.drawsLine) {
    throw new UserError(`method: ${method.name} learns from good and bad answers, but the reward draws no line between them.`, [
      'Give the reward a threshold, or take a method that learns from numbers or pairs, such as hindsight-reward or dpo.',
    ]);
  }
  // Rewards far enough apart for every pair.
  const good = 1 + (rows?.make === 'pairs' ? rows.minGap : 0);
  const some = prompts.flatMap((prompt) => [pretendSamples(prompt, samples, 1, good), pretendSamples(prompt, samples, 0, good)])
    .flatMap((all) => made.rows(all, { int: () => 0 }))
    .map((row) => maker?.pretend(row, 'Perhaps so.') ?? row);
  const reasons = some.map((row) => (method.uses(row) ? method.unfit(row) : 'the method leaves such rows out'));
  if (reasons.every((reason) => reason !== undefined)) {
    const answers = `${samples} ${samples === 1 ? 'answer' : 'answers'}`;
    throw new UserError(
      `method: ${method.name} could not learn from a single row made of ${answers} to a prompt: ${reasons[0]}.`,
      [
        "Draw more answers (generate.samples), let the model write what is missing (rows:, rows.samples), or set the method's options for "
          + 'what there is.',
      ],
    );
  }
  const together = method.unfitTogether(some.filter((_, i) => reasons[i] === undefined));
  if (together === undefined) return made;
  throw new UserError(`method: ${method.name} could not learn from answers to these prompts, whatever they are: ${together}.`);
}
