// @ts-check
// node tools/same-numbers.js write FILE, then compare FILE: whether a change of the code changed any number.
//
// Every recipe is run for its first steps on the default model, with little data. `write` notes what came out; `compare` runs the
// recipes again and compares: the metrics of each step, the adapter and the rows of label jobs, to the last bit. Of answers and samples,
// whose form may change, it says where they differ.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

const USAGE = `usage: node tools/same-numbers.js write|compare FILE [options]
  --checkout DIR  whose recipes, data and command line are run; default: this checkout
  --model M       a model's folder or name, in the place of the recipes' own; a tiny one takes a second a recipe
  --only NAMES    some recipes by name, separated by commas. write: those are made anew, what FILE has of others stays
  --changed NAMES compare: metrics that were meant to change, separated by commas; all else is still compared
  -h, --help

compare ends with 1 where a number differs, and names the first of each recipe. It needs the machine that wrote FILE: sums of 32-bit
floats depend on the processor and on how many cores it has.`;

/** What a step took, and where it stands: no numbers of the training itself. */
const NO_RESULT = ['seconds', 'iteration', 'round'];

/** Files of a run folder that are results. What else lies there, answers and samples, may be written in another form. */
const RESULTS = /^(adapter|controller)\/|^(rows|failures)\.jsonl$/;

/** Settings for every training recipe: three steps of two rows. */
const TRAIN = ['train.batch=2', 'train.steps=3', 'train.checkpointEvery=0'];
/** Recipes whose rows the model writes: as many rows as the steps take, of few tokens. */
const WRITES_ROWS = [...TRAIN, 'data.limit=6', 'rows.maxNewTokens=32'];
const ALIGN = [
  ...TRAIN,
  'data.limit=10',
  'generate.maxNewTokens=32',
  'loop.iterations=2',
  'evaluate.limit=2',
  'evaluate.maxNewTokens=16',
];
const CONTROL = [
  ...['facts', 'stories', 'style'].flatMap((task) => [`tasks.${task}.data.limit=6`, `tasks.${task}.heldOut.limit=2`]),
  'generate={ maxNewTokens: 8, prompts: 4, samples: 2 }',
  'grid.samples=2',
  'learn.rounds=2',
  'evaluate.samples=1',
];
/** A tiny model writes nothing usable: all rows may fail. The reasons are compared too. */
const LABEL = ['data.limit=4', 'allowedFailures=1'];

/**
 * Settings of single recipes, beside those of their kind.
 *
 * @type {Record<string, (folderOf: (recipe: string) => string) => string[]>}
 */
const MORE = {
  'd2o': () => ['rows.samples=4', 'rows.every=2'],
  // The judge is the adapter that another recipe trains. After three steps it judges badly, so answers without a judgment are allowed.
  'cut-online-judge': (folderOf) => [
    `judge.local.adapter=${path.join(folderOf('judge-judgments'), 'adapter')}`,
    `store=${path.join(folderOf('cut-online-judge'), '..', 'replies.db')}`,
    'allowedFailures=1',
    'label.maxNewTokens=48',
  ],
  'label-judgments': () => ['label.maxNewTokens=48'],
  'label-revisions': () => ['label.rounds=1', 'label.maxNewTokens={critique: 32, revision: 64}'],
};
/** A recipe that needs the adapter of another one. @type {Record<string, string>} */
const NEEDS = { 'cut-online-judge': 'judge-judgments' };

/**
 * What a recipe's run gave.
 *
 * @typedef {{ command: string, steps: Record<string, unknown>[], files: Record<string, string> }} Result
 * @typedef {{ recipes: Record<string, Result> }} Numbers
 * @typedef {{ checkout: string, model: string | undefined }} Where
 */

/** @param {string} checkout */
function recipesOf(checkout) {
  const files = readdirSync(path.join(checkout, 'recipes')).filter((name) => name.endsWith('.yaml'));
  const names = files.map((name) => path.basename(name, '.yaml')).sort();
  // A recipe that needs another one's adapter comes after it.
  return names.sort((a, b) => Number(a in NEEDS) - Number(b in NEEDS));
}

/**
 * The verb that runs a recipe, and its settings.
 *
 * @param {string} checkout @param {string} name @param {(recipe: string) => string} folderOf
 */
function jobOf(checkout, name, folderOf) {
  const more = MORE[name]?.(folderOf) ?? [];
  const text = readFileSync(path.join(checkout, 'recipes', `${name}.yaml`), 'utf8');
  if (/^actions:/m.test(text)) return { verb: 'control', set: [...CONTROL, ...more] };
  if (!/^method:/m.test(text)) return { verb: 'label', set: [...LABEL, `store=${folderOf(name)}.db`, ...more] };
  if (/^judge:/m.test(text)) return { verb: 'align', set: [...ALIGN, ...more] };
  return { verb: 'train', set: [...(/^rows:/m.test(text) ? WRITES_ROWS : TRAIN), ...more] };
}

/**
 * Runs one recipe.
 *
 * @param {Where} where @param {string} name @param {(recipe: string) => string} folderOf
 * @returns {Promise<Result>}
 */
async function run({ checkout, model }, name, folderOf) {
  const job = jobOf(checkout, name, folderOf);
  const folder = folderOf(name);
  const { verb } = job;
  const set = [...job.set, ...modelOf(verb, name, model)];
  const words = [verb, `recipes/${name}.yaml`, ...set, `run.dir=${folder}`];
  const said = await heed(checkout, words);
  if (said.code !== 0)
    throw new Error(`heed ${words.join(' ')} ended with ${said.code}:\n${said.err.split('\n').slice(-12).join('\n')}`);
  const metrics = path.join(folder, 'metrics.jsonl');
  const logged = existsSync(metrics) ? lines(metrics) : [];
  const steps = logged.map((step) => Object.fromEntries(Object.entries(step).filter(([key]) => !NO_RESULT.includes(key))));
  return { command: `heed ${[verb, name, ...set].join(' ').replaceAll(path.dirname(folder), '…')}`, steps, files: digests(folder) };
}

/** The setting of another model than the recipe's. @param {string} verb @param {string} name @param {string | undefined} model */
function modelOf(verb, name, model) {
  if (model === undefined) return [];
  if (verb === 'label') return [`judge.local.model=${model}`];
  return [`model=${model}`, ...(name in NEEDS ? [`judge.local.model=${model}`] : [])];
}

/** @param {string} checkout @param {string[]} words @returns {Promise<{ code: number | null, err: string }>} */
function heed(checkout, words) {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, ['packages/heed/bin/heed.js', ...words], {
      cwd: checkout,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let err = '';
    child.stderr.on('data', (chunk) => (err += chunk));
    child.on('error', fail);
    child.on('close', (code) => done({ code, err }));
  });
}

/** @param {string} file @returns {Record<string, unknown>[]} */
const lines = (file) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

/** Hashes of what a run made: the adapter, the rows and answers it worked with, its samples. @param {string} folder */
function digests(folder) {
  const wanted = (/** @type {string} */ name) =>
    /^adapter\/.*\.safetensors$|^controller\/|^work\/.*\.(json|jsonl)$|^(samples|rows|failures)\.jsonl$/.test(name);
  const names = readdirSync(folder, { recursive: true }).map((name) => String(name).replaceAll(path.sep, '/'));
  return Object.fromEntries(
    names
      .filter((name) => wanted(name) && statSync(path.join(folder, name)).isFile())
      .sort()
      .map((name) => [
        name,
        createHash('sha256')
          .update(readFileSync(path.join(folder, name)))
          .digest('hex'),
      ]),
  );
}

/**
 * Where two runs of a recipe differ first, in words; undefined where they are the same.
 *
 * @param {Result} was @param {Result} is @param {readonly string[]} changed Metrics that may differ.
 */
function difference(was, is, changed) {
  if (was.command !== is.command) return `written with other settings, so write it anew with the old code: ${was.command}`;
  for (const [i, before] of was.steps.entries()) {
    const after = is.steps[i];
    if (after === undefined) return `step ${i + 1} is missing: there were ${was.steps.length} steps, now ${is.steps.length}`;
    for (const [name, value] of Object.entries(before)) {
      if (changed.includes(name)) continue;
      const now = JSON.stringify(after[name]);
      if (now !== JSON.stringify(value)) return `step ${i + 1}, ${name}: ${JSON.stringify(value)} is now ${now ?? 'not there'}`;
    }
  }
  if (is.steps.length > was.steps.length) return `there were ${was.steps.length} steps, now ${is.steps.length}`;
  for (const [name, hash] of Object.entries(was.files).filter(([name]) => RESULTS.test(name))) {
    if (is.files[name] === undefined) return `${name} is not there`;
    if (is.files[name] !== hash) return `${name} has other bytes`;
  }
  return undefined;
}

/** What else is not the same and need not be, for people. @param {Result} was @param {Result} is */
function unmatched(was, is) {
  const added = new Set(is.steps.flatMap((step, i) => Object.keys(step).filter((name) => !(name in (was.steps[i] ?? {})))));
  const others = Object.entries(was.files).filter(([name, hash]) => !RESULTS.test(name) && is.files[name] !== hash);
  return [
    ...[...added].map((name) => `new metric ${name}`),
    ...others.map(([name]) => `${is.files[name] === undefined ? 'no longer there' : 'other bytes'}: ${name}`),
  ].join(', ');
}

/**
 * Runs recipes one after the other and hands each result on as it comes.
 *
 * @param {Where} where @param {string[]} names
 * @param {(name: string, result: Result | Error) => void} onResult
 */
async function runAll(where, names, onResult) {
  const root = mkdtempSync(path.join(tmpdir(), 'same-numbers-'));
  const folderOf = (/** @type {string} */ name) => path.join(root, name);
  const needed = new Set(names.map((name) => NEEDS[name]).filter((name) => name !== undefined));
  try {
    for (const name of [...[...needed].filter((one) => !names.includes(one)), ...names]) {
      const result = await run(where, name, folderOf).catch((/** @type {Error} */ error) => error);
      if (names.includes(name)) onResult(name, result);
      if (!needed.has(name)) rmSync(folderOf(name), { recursive: true, force: true });
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

async function main() {
  const {
    values,
    positionals: [verb, file, ...rest],
  } = parseArgs({
    allowPositionals: true,
    options: {
      checkout: { type: 'string' },
      model: { type: 'string' },
      only: { type: 'string' },
      changed: { type: 'string', default: '' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return void console.log(USAGE);
  if ((verb !== 'write' && verb !== 'compare') || file === undefined || rest.length > 0) throw new Error(USAGE);
  const checkout = path.resolve(values.checkout ?? path.join(import.meta.dirname, '..'));
  const all = recipesOf(checkout);
  const names = values.only === undefined ? all : all.filter((name) => values.only?.split(',').includes(name));
  const unknown = values.only?.split(',').find((name) => !all.includes(name));
  if (unknown !== undefined) throw new Error(`--only ${unknown}: there is no such recipe in ${checkout}. There are ${all.join(', ')}.`);
  /** @type {Numbers} */
  const known = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { recipes: {} };
  if (verb === 'compare' && Object.keys(known.recipes).length === 0) {
    throw new Error(`${file} has no numbers: write them first, with the code as it was.`);
  }

  const changed = values.changed.split(',');
  let differ = 0;
  await runAll({ checkout, model: values.model }, names, (name, result) => {
    if (result instanceof Error) {
      differ++;
      console.log(`FAILED   ${name}: ${result.message}`);
    } else if (verb === 'write') {
      known.recipes[name] = result;
      writeFileSync(file, `${JSON.stringify(known, null, 2)}\n`);
      console.log(`written  ${name}: ${result.steps.length} steps, ${Object.keys(result.files).length} files`);
    } else differ += report(name, known.recipes[name], result, changed);
  });
  if (verb === 'compare' && values.only === undefined) {
    for (const name of Object.keys(known.recipes).filter((one) => !all.includes(one))) {
      differ++;
      console.log(`DIFFERS  ${name}: there is no such recipe any more`);
    }
  }
  console.log(`${names.length} recipes, ${differ} ${verb === 'write' ? 'failed' : 'differ or failed'}`);
  if (differ > 0) process.exitCode = 1;
}

/**
 * Prints how a recipe compares; 1 where it differs.
 *
 * @param {string} name @param {Result | undefined} was @param {Result} is @param {readonly string[]} changed
 */
function report(name, was, is, changed) {
  if (was === undefined) {
    console.log(`new      ${name}: nothing to compare with`);
    return 0;
  }
  const found = difference(was, is, changed);
  const note = unmatched(was, is);
  console.log((found === undefined ? `equal    ${name}` : `DIFFERS  ${name}: ${found}`) + (note === '' ? '' : ` (${note})`));
  return found === undefined ? 0 : 1;
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
