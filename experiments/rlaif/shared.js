// @ts-check
// What these experiments share: splits by prompt, training that is done once, and intervals.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom } from '@heed/heed';
import { groupsOf, hash } from '../shared/data.js';
import { heed, quote } from '../shared/heed.js';

/** One of a list, by the words that it is for. */
export const pick = (list, words) => list[hash(words) % list.length];
/** The share of the unit interval that a prompt falls on: below `test` it is held out, and so on. */
export const place = (prompt) => hash(`split ${prompt}`) / 2 ** 32;
export const grouped = (rows, key) => [...groupsOf(rows, key).values()];

/** Writes rows into the work folder; their file. @param {string} work @param {string} name @param {readonly object[]} rows */
export function write(work, name, rows) {
  mkdirSync(work, { recursive: true });
  const file = join(work, name);
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return file;
}

/**
 * Trains what is not trained yet with just these rows and settings.
 *
 * @param {string} work @param {string} name @param {string} recipe @param {string} data The rows' file. @param {readonly string[]} set
 * @returns The adapter's folder.
 */
export async function train(work, name, recipe, data, set) {
  const dir = join(work, name);
  const [adapter, mark] = [join(dir, 'adapter'), join(dir, 'trained')];
  const asked = `${recipe} ${set.join(' ')} ${createHash('sha256').update(readFileSync(data)).digest('hex')}`;
  if (existsSync(adapter) && existsSync(mark) && readFileSync(mark, 'utf8') === asked) return adapter;
  await heed(['train', `recipes/${recipe}.yaml`, `data=${data}`, ...set, 'train.checkpointEvery=0', `run.dir=${dir}`, '--overwrite']);
  writeFileSync(mark, asked);
  return adapter;
}

/** The command that `train` runs, for people: folders of one machine left out. */
export const command = (recipe, data, set) => `heed train recipes/${recipe}.yaml data=${data} ${set.map(quote).join(' ')}`;

const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

/**
 * A statistic of rows with its 95 % percentile bootstrap interval; rows of one group (a prompt) are drawn together, since they are not
 * independent.
 *
 * @param groups [[row, …], …]
 * @param statistic of a list of rows
 */
export function estimate(groups, statistic, resamples = 4000) {
  const random = createRandom(0, 'rlaif');
  const all = Array.from({ length: resamples }, () => statistic(Array.from(groups, () => groups[random.int(groups.length)]).flat()))
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  const at = (q) => all[Math.min(all.length - 1, Math.floor(q * all.length))];
  return {
    mean: statistic(groups.flat()),
    low: at(0.025),
    high: at(0.975),
    n: groups.reduce((n, group) => n + group.length, 0),
    groups: groups.length,
  };
}

/** `estimate` of a mean. */
export const estimateMean = (groups, value) => estimate(groups, (rows) => mean(rows.map(value)));

export const text = ({ mean: m, low, high }, digits = 3) => `${m.toFixed(digits)} [${low.toFixed(digits)}, ${high.toFixed(digits)}]`;
