// @ts-check
// The results as tables of docs/rlaif.md, each between its two marks.
import { resultOf, writePage } from '../shared/results.js';

const share = ({ mean, low, high }) => `${(100 * mean).toFixed(0)} % [${(100 * low).toFixed(0)}, ${(100 * high).toFixed(0)}]`;
const number =
  (digits) =>
  ({ mean, low, high }) =>
    `${mean.toFixed(digits)} [${low.toFixed(digits)}, ${high.toFixed(digits)}]`;
const table = (head, rows) => [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

const TABLES = {
  'principles': ({ by }) =>
    table(
      ['principle', 'pairs', 'right under it', 'right under its negation', 'preference turns', 'right both times'],
      Object.entries(by).map(([name, of]) => [
        name,
        of.flips.n,
        share(of.accuracy),
        share(of.accuracyNegated),
        share(of.flips),
        share(of.follows),
      ]),
    ),
  'hacks': hackTable,
  'hacks-taught': hackTable,
  'added': ({ heldOut, by }) =>
    table(
      ['questions', 'Complete', 'Complete and Humble', 'Complete and the negation of Humble', 'change by Humble'],
      [[heldOut, ...['without', 'with', 'negated'].map((key) => share(by[key])), share(by.change)]],
    ),
  'soft-labels': ({ by, difference, always }) =>
    table(
      ['', 'soft labels', 'hard labels', 'soft − hard', 'always ½'],
      [
        ['agreement', share(by.soft.accuracy), share(by.hard.accuracy), share(difference.accuracy), '50 %'],
        ...[
          ['Brier', 'brier', number(3)(always.brier)],
          ['log loss', 'logLoss', always.logLoss.toFixed(3)],
          ['ECE, ten bins', 'ece', '–'],
        ].map(([name, key, half]) => [name, number(3)(by.soft[key]), number(3)(by.hard[key]), number(3)(difference[key]), half]),
        ['distance of the probability from ½', number(3)(by.soft.confidence), number(3)(by.hard.confidence), '', '0'],
      ],
    ),
  'same-size': ({ by }) =>
    table(
      ['prefers the true answer', 'held-out pairs'],
      [
        ['the taught judge, by its ratings', share(by.judge)],
        ["the reward model, taught by the judge's ratings alone", share(by.rewardModel)],
        ["DPO's own reward, log π − log π of the base", share(by.dpoReward)],
        ['the base: the true answer is likelier', share(by.trueIsLikelierBefore)],
        ['after DPO', share(by.trueIsLikelierAfter)],
        ['log p(true) − log p(false), change by DPO', number(2)(by.dpoMargin)],
      ],
    ),
};

function hackTable({ by }) {
  return table(
    [
      'hack, principle',
      'ahead without it',
      'with it',
      'with its negation',
      'change',
      'principle − negation',
      'hack wins without → with',
    ],
    Object.entries(by).map(([name, of]) => [
      name,
      ...['without', 'with', 'negated', 'change', 'againstNegation'].map((key) => number(2)(of[key])),
      `${share(of.hackWinsWithout)} → ${share(of.hackWinsWith)}`,
    ]),
  );
}

export function tables() {
  writePage(
    'rlaif.md',
    Object.fromEntries(
      Object.entries(TABLES).map(([name, make]) => {
        const result = resultOf('rlaif', name);
        return [name, result === undefined ? 'Not run yet.' : make(result)];
      }),
    ),
  );
}
