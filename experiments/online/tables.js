// @ts-check
// The results as a table of docs/loops/README.md, a line for each loop and a number for each seed; each loop's own page has its curve.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { change, table } from '../claims/cells.js';
import { ROOT } from '../shared/heed.js';
import { resultsOf, writePage } from '../shared/results.js';
import { curve } from './curve.js';
import { LIMIT, PLAN } from './plan.js';

const percent = (x) => `${(100 * x).toFixed(0)}`;
const each = (results, write) => results.map(write).join(' · ');

const HEAD = [
  'loop', 'teacher', 'learnt from', 'minutes', 'seeds', 'before', 'after', 'paired change, points', 'cut off after', 'KL, nats an answer',
  'signs of a hack',
];

/** What a run learnt from, of the answers that it drew. */
const learntFrom = ({ loop, rounds }) => (PLAN[loop].rowsOf ?? 1) * rounds.reduce((n, { trainedOn }) => n + trainedOn, 0);

/** Signs that changed, each once; results before these were kept have none. */
const signs = ({ alarms }) => {
  if (alarms === undefined) return '–';
  return alarms.length === 0 ? 'none' : [...new Set(alarms.map(({ sign }) => `\`${sign}\``))].join(', ');
};

function line(loop, results) {
  const { teacher, row, page } = PLAN[loop];
  return [
    `[${loop}](../${page})`, teacher,
    `${each(results, learntFrom)} ${row}`,
    each(results, ({ seconds }) => (seconds / 60).toFixed(0)),
    each(results, ({ seed }) => seed),
    `${percent(results[0].before.satisfied.mean)} %`,
    each(results, ({ after }) => `${percent(after.satisfied.mean)} %`),
    each(results, (result) => change(result.change.satisfied)),
    each(results, ({ after }) => `${percent(after.unfinished)} %`),
    each(results, ({ rounds }) => rounds.at(-1).kl?.toFixed(1) ?? '–'),
    each(results, signs),
  ];
}

/** Where the reward of a round's answers is known, a line for each seed. */
function curvesOf(results) {
  return results.map(({ seed, rounds }) => ({
    seed, points: rounds.filter(({ reward }) => Number.isFinite(reward)).map(({ round, reward }) => ({ round, reward })),
  })).filter(({ points }) => points.length > 1);
}

/** Whether the cost of the constrained loop ended under its limit. */
function costText(results) {
  return results.flatMap(({ seed, costs }) => {
    if (costs === undefined) return [];
    const { 'costs/words/mean': before } = costs[0];
    const { 'costs/words/window': after, 'lambda/words': lambda } = costs.at(-1);
    return [
      `Seed ${seed}: the mean cost went from ${before.toFixed(2)} in the first round to ${after.toFixed(2)} over the newest 128 answers, `
      + `${after <= LIMIT ? 'within' : '**above**'} its limit ${LIMIT}; the multiplier ended at ${lambda.toFixed(2)}.`,
    ];
  });
}

/** What a loop's own page says. */
function pageText(loop, results) {
  if (results.length === 0) return 'Not run yet.';
  const up = PLAN[loop].page.split('/').slice(1).map(() => '../').join('');
  const { before } = results[0];
  const runs = curvesOf(results);
  const picture = [];
  if (runs.length > 0) {
    mkdirSync(join(ROOT, 'docs/evidence'), { recursive: true });
    writeFileSync(join(ROOT, `docs/evidence/online-${loop}.svg`), `${curve(runs, `Mean reward of each round's answers, ${loop}`)}\n`);
    picture.push(`![Mean reward of each round's answers, ${loop}](${up}evidence/online-${loop}.svg)`, '');
  }
  const seeds = results.map(({ seed, after, change: { satisfied } }) =>
    `${percent(after.satisfied.mean)} % with seed ${seed} (${change(satisfied)} points)`).join(', ');
  const shown = runs.length > 0
    ? "The curve is the mean reward of each round's answers, a line for each seed."
    : 'No reward rates the answers of a round, so there is no curve.';
  return [
    ...picture,
    `${shown} Of 64 held-out answers ${percent(before.satisfied.mean)} % kept all rules before \`${loop}\`, and after it `
      + `${seeds}. [All loops at equal samples](${up}loops/README.md#at-equal-samples).`,
    ...costText(results).map((sentence) => `\n${sentence}`),
  ].join('\n');
}

export function tables() {
  const found = Object.keys(PLAN).map((loop) => ({ loop, results: resultsOf('online', loop) }));
  const run = found.filter(({ results }) => results.length > 0);
  writePage('loops/README.md', { 'equal-samples': table(HEAD, run.map(({ loop, results }) => line(loop, results))) });
  for (const { loop, results } of found) writePage(PLAN[loop].page, { [`online-${loop}`]: pageText(loop, results) });
}
