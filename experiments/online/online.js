// @ts-check
// Learning online on the real model: each loop before and after, over seeds.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../shared/data.js';
import { MODEL, heed, quote } from '../shared/heed.js';
import { SEEDS } from '../shared/results.js';
import { rewardModel } from './reward-model.js';
import { COMMON, PLAN, PRINCIPLES } from './plan.js';

export { tables } from './tables.js';

export const about = 'each loop of learning online, before and after, over seeds';

export const names = Object.keys(PLAN).flatMap((name) => SEEDS.map((seed) => `${name}/${seed}`));

/** Every fifth round's line of the curve, and the last. */
const shownRounds = (rounds) => rounds.filter(({ round }, i) => round % 5 === 1 || i === rounds.length - 1);

/** A reward model as a section of a recipe; one that reads principles is held to all of the style. */
const rewardOf = (adapter, kind) =>
  `{ rewardModel: { adapter: ${adapter}${kind === 'principles' ? `, principles: ${PRINCIPLES}` : ''} } }`;

/** Optimizer steps of a run, how long they took, and what they said of costs. */
function metricsOf(dir) {
  const lines = readFileSync(join(dir, 'metrics.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  const seconds = lines.map((line) => line.seconds).filter(Number.isFinite).sort((a, b) => a - b);
  // Costs and their multipliers stand in the metrics alone.
  const costs = lines.map((line) => Object.fromEntries(Object.entries(line).filter(([name]) => /^(?:costs|lambda)\//.test(name))));
  return {
    steps: lines.length, medianSecondsOfStep: seconds[Math.floor(seconds.length / 2)],
    ...(costs.some((line) => Object.keys(line).length > 0) ? { costs } : {}),
  };
}

/** @param {string} name @param {import('../run.js').Settings} settings */
export async function run(name, { work, dev, set }) {
  if (dev && set.length === 0) throw new UsageError('--dev tries settings: name some, key=value.');
  const [loop, seed] = name.split('/');
  const { recipe, teacher, set: own, rewardModel: kind, asks } = PLAN[loop];
  const dir = join(work, `${name.replace('/', '-s')}${dev ? '-dev' : ''}`);
  const taught = kind && await rewardModel(work, kind);
  // Folders of this machine: they are no part of the command that the result names.
  const local = [
    ...(taught === undefined ? [] : [`reward=${rewardOf(taught.adapter, kind)}`]),
    ...(asks ? [`store=${join(work, 'labels.db')}`] : []),
  ];
  const asked = [...COMMON, ...own, `train.seed=${seed}`, ...set];
  const done = existsSync(join(dir, 'summary.json'));
  const begun = existsSync(join(dir, 'recipe.yaml'));
  const args = ['align', `recipes/${recipe}.yaml`, ...asked, ...local, `run.dir=${dir}`];
  if (!done) await heed([...args, ...(begun ? ['--resume'] : [])]);
  const summary = JSON.parse(readFileSync(join(dir, 'summary.json'), 'utf8'));
  const { before, after, change, rounds, alarms, seconds, peakRssMb } = summary;
  const result = {
    loop, seed: Number(seed), teacher, model: MODEL,
    command: `heed align recipes/${recipe}.yaml ${asked.map(quote).join(' ')}`,
    ...(taught ? { rewardModel: taught.measures } : {}),
    samples: rounds.reduce((n, round) => n + (round.answers ?? 0), 0),
    before, after, change, rounds, alarms, seconds, peakRssMb, ...metricsOf(dir),
  };
  const lines = [
    `satisfied ${before.satisfied.mean.toFixed(3)} → ${after.satisfied.mean.toFixed(3)}, `
      + `change ${change.satisfied.mean.toFixed(3)} [${change.satisfied.low.toFixed(3)}, ${change.satisfied.high.toFixed(3)}]`,
    ...shownRounds(rounds).map(({ round, reward, kl }) => `round ${round}: reward ${reward?.toFixed(3)}, KL ${kl?.toFixed(2)}`),
  ];
  return { result, lines, shown: change.satisfied.low > 0 };
}
