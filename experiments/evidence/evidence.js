// @ts-check
// Each method on the real model and real data, judged on held-out rows.
import { join } from 'node:path';
import { MODEL, heed, quote } from '../shared/heed.js';
import { answersUnder } from './answers.js';
import { dataFiles, heldPairs } from './data.js';
import { PLAN } from './plan.js';

export { tables } from './tables.js';
export const about = 'each method trained on real data: its loss and its own metric on held-out rows';
export const names = Object.keys(PLAN);

/** @typedef {{ before: number, after: number, change: import('@heed/heed').Estimate }} Moved */

/** @param {string} name @param {import('../run.js').Settings} settings */
export async function run(name, { work, dev, set: tried }) {
  const { data, own, recipe = name, set, answers: asked } = PLAN[name];
  const runs = join(work, dev ? 'dev' : 'runs');
  const folder = join(runs, name.replace('/', '-'));
  const to = `${folder}-data`;
  const files = dataFiles(data, { to, runs, dev });
  const words = [`recipes/${recipe}.yaml`, ...set, ...tried];
  const { result: trained, said } = await heed([
    'train',
    ...words,
    `data.path=${join(to, files.train)}`,
    `data.eval=${join(to, files.held)}`,
    `run.dir=${folder}`,
    '--overwrite',
  ]);
  const { before, after, change, heldOut, steps, rows, trainingSeconds: seconds, skipped, peakRssMb } = trained;
  const held = { before, after, change, rows: heldOut };
  /** @type {Record<string, Moved> | undefined} */
  const answers = asked ? await answersUnder(join(folder, 'adapter'), heldPairs({ dev }), runs) : undefined;
  /** @param {string} metric @returns {Moved} */
  const movedBy = (metric) => {
    const ofAnswers = metric.startsWith('answers.') ? answers?.[metric.slice('answers.'.length)] : undefined;
    return ofAnswers ?? { before: held.before[metric], after: held.after[metric], change: held.change[metric] };
  };
  const judged = [{ metric: 'loss', better: 'lower' }, ...own].map(({ metric, better }) => {
    const { before, after, change } = movedBy(metric);
    return { metric, better, before, after, change, shown: better === 'lower' ? change.high < 0 : change.low > 0 };
  });
  const shown = judged.every((one) => one.shown);
  const noted = said.split('\n').filter((line) => / texts for \d+ rows| rows to learn from/.test(line));
  const result = {
    method: recipe,
    ...(name === recipe ? {} : { variant: name.slice(recipe.length + 1) }),
    command: `heed train ${words.map(quote).join(' ')} data.path=${files.train} data.eval=${files.held}`,
    evidence: `HEED_DATA=<folder> npm run evidence -- ${name}`,
    model: MODEL,
    data,
    seed: 0,
    shown,
    judged,
    heldOut: held.rows,
    trainedOn: rows,
    skipped,
    steps,
    seconds: Math.round(seconds),
    all: { before: held.before, after: held.after, change: held.change },
    ...(answers === undefined ? {} : { answers }),
    ...(noted.length === 0 ? {} : { said: noted }),
    peakRssMb,
  };
  const lines = [
    `${rows} rows, ${steps} steps, ${Math.round(seconds)} s, ${held.rows} held out`,
    ...judged.map((one) => `${lineOf(one.metric, one)} ${one.shown ? 'shown' : 'NOT SHOWN'}`),
    ...Object.entries(answers ?? {}).map(([metric, one]) => `answers: ${lineOf(metric, one)}`),
  ];
  return { result, lines, shown };
}

/** @param {string} metric @param {Moved} moved */
function lineOf(metric, { before, after, change }) {
  return `${metric} ${before.toFixed(4)} → ${after.toFixed(4)}, change ${change.mean.toFixed(4)} [${change.low.toFixed(4)}, `
    + `${change.high.toFixed(4)}]`;
}
