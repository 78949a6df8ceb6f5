// @ts-check
// The results of the controller as a table of docs/controller.md, with a sentence that the numbers write.
import { number, table } from '../claims/cells.js';
import { resultsOf, writePage } from '../shared/results.js';
import { CELLS, PLAN, inWords } from './plan.js';

const HEAD = [
  'prompts', 'seed', 'best fixed temperature, top-k', 'its reward', 'the controller\'s', 'paired change', 'best fixed of all 12',
  'change against it', 'headroom', 'agreement', 'minutes',
];

/** The comparison with a fixed temperature and top-k, where the result has it. */
function fixedOf({ againstCell, best, before, after, change }) {
  if (againstCell !== undefined) return againstCell;
  return best in CELLS ? { cell: best, fixed: before.value.mean, controller: after.value.mean, change: change.value } : undefined;
}

function line(result) {
  const { task, seed, best, change, headroom: { headroom }, policy: { agreement }, seconds } = result;
  const fixed = fixedOf(result);
  return [
    task, `${seed}`,
    ...(fixed === undefined
      ? ['–', '–', '–', '–']
      : [inWords(fixed.cell), fixed.fixed.toFixed(3), fixed.controller.toFixed(3), number(fixed.change, 3)]),
    best in CELLS ? 'the same' : `\`${best}\``, number(change.value, 3),
    headroom.toFixed(3), agreement.toFixed(2), (seconds / 60).toFixed(0),
  ];
}

/** How often an interval lies above 0, below it, or around it, in a sentence. */
function verdict(changes, what) {
  const above = changes.filter(({ low }) => low > 0).length;
  const below = changes.filter(({ high }) => high < 0).length;
  const runs = changes.length;
  const worse = below === 0 ? '' : ` In ${below} it does worse.`;
  const all = runs === 1 ? 'the one run' : `all ${runs} runs`;
  if (above === runs) return `The controller beats ${what} in ${all}: the interval lies above 0.`;
  const others = 'in the others the interval does not lie above 0';
  if (above > 0) return `The controller beats ${what} in ${above} of ${runs} runs; ${others}.${worse}`;
  const where = runs === 1 ? 'In the one run the interval does not lie' : `In none of ${runs} runs does the interval lie`;
  return `**The controller does not beat ${what}.** ${where} above 0.${worse}`;
}

function measured() {
  const results = Object.fromEntries(Object.keys(PLAN).map((kind) => [kind, resultsOf('controller', kind)]));
  const all = Object.values(results).flat();
  if (all.length === 0) return 'Not run yet.';
  const sentences = Object.entries(results).flatMap(([kind, of]) => {
    if (of.length === 0) return [];
    const cells = of.flatMap((result) => fixedOf(result)?.change ?? []);
    return [`On ${PLAN[kind].about}: ${[
      ...(PLAN[kind].cells ? [verdict(cells, 'the best fixed temperature and top-k')] : []),
      verdict(of.map(({ change }) => change.value), 'the best fixed action, masks included'),
    ].join(' ')}`];
  });
  return [table(HEAD, all.map(line)), '', ...sentences.map((sentence) => `* ${sentence}`)].join('\n');
}

export function tables() {
  writePage('controller.md', { measured: measured() });
}
