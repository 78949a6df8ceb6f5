// @ts-check
// node tools/same-numbers.js write FILE, then compare FILE: whether a change of the code changed any number.
//
// Every recipe is run for its first steps on the default model, with little data. `write` notes what came out; `compare` runs the
// recipes again and compares: the metrics of each step, the adapter, the rows of label jobs and the items of benchmarks, to the last bit.
// Of answers and samples, whose form may change, it says where they differ.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { jobOf, recipesOf, teacherFolder } from './recipe-jobs.js';

const USAGE = `usage: node tools/same-numbers.js write|compare FILE [options]
  --checkout DIR  whose recipes, data and command line are run; default: this checkout
  --model M       a model's folder or name, in the place of the recipes' own; a tiny one takes a second a recipe. Two
                  recipes, constitutional and cut-online-judge, need one that writes sentences: it is their judge, too
  --only NAMES    some recipes by name, separated by commas. write: those are made anew, what FILE has of others stays
  --changed NAMES compare: metrics that were meant to change, separated by commas; all else is still compared
  -h, --help

compare ends with 1 where a number differs, and names the first of each recipe. It needs the machine that wrote FILE: sums of 32-bit
floats depend on the processor and on how many cores it has.`;

/** What a step took, and where it stands: no numbers of the training itself. */
const NO_RESULT = ['seconds', 'iteration', 'round'];

/** Files of a run folder that are results. What else lies there, answers and samples, may be written in another form. */
const RESULTS = /^(adapter|controller)\/|^(rows|failures|items)\.jsonl$/;

/**
 * What a recipe's run gave.
 *
 * @typedef {{ command: string, steps: Record<string, unknown>[], files: Record<string, string> }} Result
 * @typedef {{ recipes: Record<string, Result> }} Numbers
 * @typedef {{ checkout: string, model: string | undefined }} Where
 * @typedef {import('./recipe-jobs.js').Job} Job
 */

/**
 * Runs a job.
 *
 * @param {string} checkout @param {Job} job @param {string} folder @returns {Promise<Result>}
 */
async function run(checkout, { verb, recipe, set, before }, folder) {
  const commands = [...(before ? [before] : []), [verb, `recipes/${recipe}.yaml`, ...set, `run.dir=${folder}`]];
  for (const words of commands) {
    const said = await heed(checkout, words);
    if (said.code !== 0)
      throw new Error(`heed ${words.join(' ')} ended with ${said.code}:\n${said.err.split('\n').slice(-12).join('\n')}`);
  }
  const metrics = path.join(folder, 'metrics.jsonl');
  const logged = existsSync(metrics) ? lines(metrics) : [];
  const steps = logged.map((step) => Object.fromEntries(Object.entries(step).filter(([key]) => !NO_RESULT.includes(key))));
  return { command: `heed ${[verb, recipe, ...set].join(' ').replaceAll(path.dirname(folder), '…')}`, steps, files: digests(folder) };
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
    /^adapter\/.*\.safetensors$|^controller\/|^work\/.*\.(json|jsonl)$|^(samples|rows|failures|items)\.jsonl$/.test(name);
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
  try {
    for (const name of names) {
      const folder = path.join(root, name);
      const job = jobOf(where, name, folder);
      const result = await Promise.resolve(job.teacher && run(where.checkout, job.teacher, teacherFolder(folder)))
        .then(() => run(where.checkout, job, folder))
        .catch((/** @type {Error} */ error) => error);
      onResult(name, result);
      for (const each of [folder, teacherFolder(folder)]) rmSync(each, { recursive: true, force: true });
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
