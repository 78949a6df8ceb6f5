// @ts-check
// What the experiments share: the research data, splits by prompt, the CLI, intervals and the files of results.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createRandom } from '@heed/heed';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const MODEL = 'SmolLM2-135M-Instruct';

const from = process.env.HEED_DATA;
if (from === undefined) {
  console.error('Say where the research data are: HEED_DATA=<folder> npm run rlaif. They are not part of Heed; docs/rlaif.md lists the files.');
  process.exit(2);
}
/** What an experiment makes on its way; kept, so that a stopped one goes on. */
export const WORK = process.env.HEED_RLAIF_WORK ?? join(tmpdir(), 'heed-rlaif');
mkdirSync(WORK, { recursive: true });

export const read = (name) => lines(join(from, name));
export const lines = (file) => readFileSync(file, 'utf8').split('\n').filter((line) => line !== '').map((line) => JSON.parse(line));
export const hash = (text) => createHash('sha256').update(text).digest().readUInt32BE();
/** Rows in an order that depends on their content alone. */
export const mixed = (rows) => [...rows].sort((a, b) => hash(JSON.stringify(a)) - hash(JSON.stringify(b)));
/** One of a list, by the words that it is for. */
export const pick = (list, words) => list[hash(words) % list.length];
/** The share of the unit interval that a prompt falls on: below `test` it is held out, and so on. */
export const place = (prompt) => hash(`split ${prompt}`) / 2 ** 32;
export const words = (text) => text.trim().split(/\s+/).length;

export function write(name, rows) {
  const file = join(WORK, name);
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return file;
}

/** Runs the CLI, as a user would; gives the object that --json prints. */
export async function heed(...args) {
  const all = [...args, '--json'];
  const out = await new Promise((done, fail) => {
    const child = spawn(process.execPath, [join(ROOT, 'packages/heed/bin/heed.js'), ...all], { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (chunk) => (text += chunk));
    child.on('close', (code) => (code === 0 ? done(text) : fail(new Error(`heed ${all.join(' ')} ended with ${code}`))));
  });
  return JSON.parse(out.trim().split('\n').at(-1));
}

/** Trains what is not trained yet with just these rows and settings; gives the adapter's folder. */
export async function train(name, recipe, data, set) {
  const dir = join(WORK, name);
  const [adapter, mark] = [join(dir, 'adapter'), join(dir, 'trained')];
  const asked = `${recipe} ${set.join(' ')} ${createHash('sha256').update(readFileSync(data)).digest('hex')}`;
  if (existsSync(adapter) && existsSync(mark) && readFileSync(mark, 'utf8') === asked) return adapter;
  await heed('train', `recipes/${recipe}.yaml`, `data=${data}`, ...set, 'train.checkpointEvery=0', `run.dir=${dir}`, '--overwrite');
  writeFileSync(mark, asked);
  return adapter;
}

/** The command that `train` runs, for people: folders of one machine left out. */
export const command = (recipe, data, set) => `heed train recipes/${recipe}.yaml data=${data} ${set.map((word) => (/[\s{}[\]]/.test(word) ? `'${word}'` : word)).join(' ')}`;

const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

/**
 * A statistic of rows with its 95 % percentile bootstrap interval; rows of one group (a prompt) are drawn together, since they are not independent.
 *
 * @param groups [[row, …], …]
 * @param statistic of a list of rows
 */
export function estimate(groups, statistic, resamples = 4000) {
  const random = createRandom(0, 'rlaif');
  const all = Array.from({ length: resamples }, () => statistic(Array.from(groups, () => groups[random.int(groups.length)]).flat())).filter(Number.isFinite).sort((a, b) => a - b);
  const at = (q) => all[Math.min(all.length - 1, Math.floor(q * all.length))];
  return { mean: statistic(groups.flat()), low: at(0.025), high: at(0.975), n: groups.reduce((n, group) => n + group.length, 0), groups: groups.length };
}

/** `estimate` of a mean. */
export const estimateMean = (groups, value) => estimate(groups, (rows) => mean(rows.map(value)));

export function grouped(rows, key) {
  const groups = new Map();
  for (const row of rows) groups.set(key(row), [...(groups.get(key(row)) ?? []), row]);
  return [...groups.values()];
}

export const text = ({ mean: m, low, high }, digits = 3) => `${m.toFixed(digits)} [${low.toFixed(digits)}, ${high.toFixed(digits)}]`;

export function save(name, result) {
  const machine = `${cpus()[0].model.trim()}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`;
  const heedVersion = JSON.parse(readFileSync(join(ROOT, 'packages/heed/package.json'), 'utf8')).version;
  writeFileSync(join(ROOT, 'experiments/rlaif', `${name}.json`), `${JSON.stringify({ experiment: name, evidence: `HEED_DATA=<folder> npm run rlaif -- ${name}`, model: MODEL, ...result, machine, heed: heedVersion }, null, 2)}\n`);
}
