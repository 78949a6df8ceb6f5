// @ts-check
// Detectors that are trained on a part of a labelled research set, beside a classifier of words of the same rows, on another part.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { auroc, createRandom, fitTextClassifier, openReward, readyClassifier } from '@heed/heed';
import { groupsOf } from '../shared/data.js';
import { MODEL, heed, quote } from '../shared/heed.js';
import { SETS, split } from './sets.js';

export { tables } from './tables.js';

export const about = 'detectors trained on labelled research sets, beside a classifier of words';
export const names = Object.keys(SETS);

const RESAMPLES = 2000;

/**
 * The area under the ROC curve of two scores and their difference, with 95 % intervals over resampled groups.
 *
 * @param {import('./sets.js').Row[]} rows @param {readonly boolean[]} yes @param {Record<'detector' | 'words', number[]>} scores
 */
function areas(rows, yes, { detector, words }) {
  const groups = [...groupsOf(rows.map(({ group }, i) => ({ group, i })), ({ group }) => group).values()];
  const random = createRandom(0, 'groups');
  const of = (scores, places) => auroc(places.map((i) => scores[i]), places.map((i) => yes[i]));
  const drawn = Array.from({ length: RESAMPLES }, () => {
    const places = groups.flatMap(() => groups[random.int(groups.length)].map(({ i }) => i));
    return [of(detector, places), of(words, places)];
    // A resample of one class has no area.
  }).filter(([area]) => area !== undefined);
  const estimate = (number) => {
    const values = drawn.map(number).sort((a, b) => a - b);
    const [low, high] = [values[Math.floor(0.025 * values.length)], values[Math.ceil(0.975 * values.length) - 1]];
    return { mean: number([auroc(detector, yes), auroc(words, yes)]), low, high };
  };
  return {
    detector: estimate(([mine]) => mine), words: estimate(([, theirs]) => theirs), change: estimate(([mine, theirs]) => mine - theirs),
  };
}

/** The probability of the label that is looked for, of each row. */
async function asked(adapter, { labels, reads }, rows) {
  const reward = await openReward({ detector: { want: labels[1], adapter, labels: [...labels], reads, model: MODEL } });
  try {
    const rated = await reward.rate(rows.map(({ prompt = '', text }) => ({ prompt: [{ role: 'user', content: prompt }], response: text })));
    return rated.map((one) => {
      if ('failure' in one) throw new Error(`A held-out row got no rating: ${one.failure} ${one.detail}`);
      return one.value;
    });
  } finally {
    await reward.close();
  }
}

/** @param {string} name @param {import('../run.js').Settings} settings */
export async function run(name, { work, dev, set }) {
  const of = SETS[name];
  const { train, heldOut } = split(name, dev);
  const dir = join(work, `${name}${dev ? '-dev' : ''}`);
  mkdirSync(work, { recursive: true });
  const file = join(work, `${name}.jsonl`);
  writeFileSync(file, train.map(({ prompt, text, label }) => `${JSON.stringify({ prompt, text, label })}\n`).join(''));
  const settings = [`method.labels=[${of.labels.map((label) => JSON.stringify(label)).join(',')}]`, ...set];
  if (!existsSync(join(dir, 'summary.json'))) {
    await heed(['train', `recipes/${of.recipe}.yaml`, `data={ path: ${file}, junk: skip }`, ...settings, `run.dir=${dir}`, '--overwrite']);
  }
  const { rows, steps, seconds, peakRssMb } = JSON.parse(readFileSync(join(dir, 'summary.json'), 'utf8'));
  const yes = heldOut.map(({ label }) => label === of.labels[1]);
  const classify = readyClassifier(fitTextClassifier(train));
  const found = areas(heldOut, yes, {
    detector: await asked(join(dir, 'adapter'), of, heldOut),
    words: heldOut.map(({ text }) => classify(text)[of.labels[1]]),
  });
  const result = {
    about: of.about, source: of.source, model: MODEL, command: `heed train recipes/${of.recipe}.yaml ${settings.map(quote).join(' ')}`,
    trained: rows, steps, heldOut: heldOut.length, positive: yes.filter(Boolean).length,
    ...found, length: auroc(heldOut.map(({ text }) => text.length), yes), seconds, peakRssMb,
  };
  const shown = ({ mean, low, high }) => `${mean.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
  const lines = [
    `AUC: detector ${shown(found.detector)}, words ${shown(found.words)}`,
    `detector − words: ${shown(found.change)}`,
  ];
  return { result, lines, shown: found.change.low > 0 };
}
