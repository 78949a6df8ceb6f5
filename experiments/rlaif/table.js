// @ts-check
// node experiments/rlaif/table.js: writes the results of the experiments into the tables of docs/rlaif.md, each between its two marks.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import '../no-arguments.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const page = join(ROOT, 'docs/rlaif.md');
const share = ({ mean, low, high }) => `${(100 * mean).toFixed(0)} % [${(100 * low).toFixed(0)}, ${(100 * high).toFixed(0)}]`;
const number = (digits) => ({ mean, low, high }) => `${mean.toFixed(digits)} [${low.toFixed(digits)}, ${high.toFixed(digits)}]`;
const table = (head, rows) => [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

const TABLES = {
  'principles': ({ by }) => table(['principle', 'pairs', 'right under it', 'right under its negation', 'preference turns', 'right both times'],
    Object.entries(by).map(([name, of]) => [name, of.flips.n, share(of.accuracy), share(of.accuracyNegated), share(of.flips), share(of.follows)])),
  'hacks': hackTable,
  'hacks-taught': hackTable,
  'soft-labels': ({ by, difference, always }) => table(['', 'soft labels', 'hard labels', 'soft − hard', 'always ½'], [
    ['agreement', share(by.soft.accuracy), share(by.hard.accuracy), share(difference.accuracy), '50 %'],
    ...[['Brier', 'brier', number(3)(always.brier)], ['log loss', 'logLoss', always.logLoss.toFixed(3)], ['ECE, ten bins', 'ece', '–']].map(([name, key, half]) => [name, number(3)(by.soft[key]), number(3)(by.hard[key]), number(3)(difference[key]), half]),
    ['distance of the probability from ½', number(3)(by.soft.confidence), number(3)(by.hard.confidence), '', '0'],
  ]),
  'same-size': ({ by }) => table(['prefers the true answer', 'held-out pairs'], [
    ['the taught judge, by its ratings', share(by.judge)], ['the reward model, taught by the judge\'s ratings alone', share(by.rewardModel)], ['DPO\'s own reward, log π − log π of the base', share(by.dpoReward)],
    ['the base: the true answer is likelier', share(by.trueIsLikelierBefore)], ['after DPO', share(by.trueIsLikelierAfter)], ['log p(true) − log p(false), change by DPO', number(2)(by.dpoMargin)],
  ]),
};

function hackTable({ by }) {
  return table(['hack, principle', 'ahead without it', 'with it', 'with its negation', 'change', 'principle − negation', 'hack wins without → with'],
    Object.entries(by).map(([name, of]) => [name, ...['without', 'with', 'negated', 'change', 'againstNegation'].map((key) => number(2)(of[key])), `${share(of.hackWinsWithout)} → ${share(of.hackWinsWith)}`]));
}

let text = readFileSync(page, 'utf8');
for (const [name, make] of Object.entries(TABLES)) {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${page} has no marks ${begin} … ${end}.`);
  const file = join(ROOT, 'experiments/rlaif', `${name}.json`);
  const made = existsSync(file) ? make(JSON.parse(readFileSync(file, 'utf8'))) : 'Not run yet.';
  text = `${text.slice(0, from + begin.length)}\n${made}\n${text.slice(to)}`;
}
writeFileSync(page, text);
