// @ts-check
// The quickstart's numbers, in the README and on CUT's page.
import { table } from '../claims/cells.js';
import { SEEDS, resultOf, writePage } from '../shared/results.js';

const percent = (/** @type {number} */ share) => `${Math.round(100 * share)}`;
const minus = (/** @type {string} */ text) => text.replaceAll('-', '−');

/** @param {string} name @param {any} measured */
function line(name, { satisfied, findings, medianWords, unfinished, distinct2, logprobPerToken }) {
  const { mean, low, high } = satisfied;
  return [
    name, `${percent(mean)} % [${percent(low)}, ${percent(high)}]`,
    `${findings.mean.toFixed(2)} [${findings.low.toFixed(2)}, ${findings.high.toFixed(2)}]`, `${medianWords}`, `${percent(unfinished)} %`,
    distinct2.toFixed(2), minus(logprobPerToken.toFixed(2)),
  ];
}

const HEAD = ['satisfy the judge', 'findings an answer', 'words', 'cut off', 'distinct-2', 'log p a token (base)'];
const OTHERS = { hindsight: 'hindsight', sft: 'SFT on the satisfactory answers' };

/** Seed 0, beside the methods that it was compared with. @param {any} first */
const firstText = ({ before, after, compared }) => table(['120 held-out prompts', ...HEAD], [
  line('base', before), line('CUT', after), ...Object.entries(compared).map(([name, measured]) => line(OTHERS[name], measured)),
]);

/** Every seed. @param {{ seed: number, result: any }[]} results */
const allText = (results) => table(['', 'seed', ...HEAD], results.flatMap(({ seed, result: { before, after, compared } }) =>
  [['base', before], ['**CUT**', after], ...Object.entries(compared).map(([name, measured]) => [OTHERS[name], measured])]
    .map(([name, measured]) => line(name, measured)).map(([name, ...cells]) => [name, `${seed}`, ...cells])));

/** What the README says of the other seeds and of the run itself. @param {{ seed: number, result: any }[]} results */
function sentence(results) {
  const others = results.slice(1);
  const share = ({ mean, low, high }) => `${percent(mean)} % [${percent(low)}, ${percent(high)}]`;
  const more = others.map(({ seed, result: { before, after } }) =>
    `with seed ${seed} from ${share(before.satisfied)} to ${share(after.satisfied)}`).join(' and ');
  const failed = results.flatMap(({ seed, result: { checks } }) =>
    checks.filter(({ holds }) => !holds).map(({ what }) => `seed ${seed}: ${what}`));
  const checks = failed.length === 0 ? 'All runs pass every check below.' : `These checks failed: ${failed.join('; ')}.`;
  return `The table shows seed 0. In brackets are 95 % intervals. The share that satisfies the judge rises ${more}. ${checks} `
    + `It took about ${(Math.max(...results.map(({ result }) => result.peakRssMb)) / 1000).toFixed(1)} GB of memory.`;
}

export function tables() {
  const results = SEEDS.flatMap((seed) => {
    const result = resultOf('quickstart', `${seed}`);
    return result === undefined ? [] : [{ seed, result }];
  });
  if (results.length === 0) return;
  writePage('../README.md', { 'quickstart runs': sentence(results), quickstart: firstText(results[0].result) });
  writePage('methods/cut.md', { quickstart: allText(results) });
}
