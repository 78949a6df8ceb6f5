// @ts-check
// The experiments: what the methods, judges and reward models do on real data. README.md here says what there is.
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import * as claims from './claims/claims.js';
import * as controller from './controller/controller.js';
import * as detectors from './detectors/detectors.js';
import * as evidence from './evidence/evidence.js';
import * as judges from './judges/judges.js';
import * as judgments from './judgments/judgments.js';
import * as online from './online/online.js';
import * as quickstart from './quickstart/quickstart.js';
import * as rlaif from './rlaif/rlaif.js';
import * as survey from './survey/survey.js';
import { UsageError } from './shared/data.js';
import { fileOf, resultOf, writeResult } from './shared/results.js';

/**
 * What the runner asks of a kind of experiment.
 *
 * @typedef {object} Settings
 * @property {string} work A folder for what is made on the way. It is kept, so that a stopped experiment goes on.
 * @property {boolean} dev Other rows are held out, for choosing settings, and nothing is written.
 * @property {string[]} set Settings to try, key=value.
 * @property {string} python An interpreter with experiments/judges/requirements.txt.
 * @property {boolean} untaught Judges of pairs are asked untaught alone.
 *
 * @typedef {object} Kind
 * @property {string} about
 * @property {readonly string[]} names
 * @property {(name: string, settings: Settings) => Promise<{ result: object, lines: string[], shown?: boolean }>} run
 * @property {(() => void)} [tables] Writes the results into the docs.
 */

/** @type {Record<string, Kind>} */
const KINDS = { claims, controller, detectors, evidence, judges, judgments, online, quickstart, rlaif, survey };

const USAGE = `usage: node experiments/run.js KIND [options] [name …] [key=value …]

${Object.entries(KINDS)
  .map(([kind, { about, names }]) => `  ${kind.padEnd(10)} ${about}\n${wrapped(names)}`)
  .join('\n')}

Without names, those are run that have no result yet. Results go to experiments/KIND/NAME.json.

  --dev          hold out other rows and print the result: for choosing settings. key=value beside it overrides the plan
  --tables       run nothing: write the results that there are into the tables of docs/
  --untaught     judges: ask the untaught judges of pairs alone; with --dev
  --python PATH  judges: an interpreter with experiments/judges/requirements.txt; default: python3
  -h, --help

HEED_DATA is the folder of the research sets; HEED_WORK the folder for what is made on the way,
default: one in the system's temporary folder.`;

/** @param {readonly string[]} names */
function wrapped(names) {
  const rows = [''];
  for (const name of names) {
    if (rows[rows.length - 1].length + name.length > 90) rows.push('');
    rows[rows.length - 1] += ` ${name}`;
  }
  return rows.map((row) => `            ${row}`).join('\n');
}

function parse() {
  const {
    values,
    positionals: [kind, ...given],
  } = parseArgs({
    allowPositionals: true,
    options: {
      dev: { type: 'boolean', default: false },
      tables: { type: 'boolean', default: false },
      untaught: { type: 'boolean', default: false },
      python: { type: 'string', default: 'python3' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  if (kind === undefined || !(kind in KINDS))
    throw new UsageError(`Name a kind of experiment: ${Object.keys(KINDS).join(', ')}. --help lists their names.`);
  const set = given.filter((word) => word.includes('='));
  const named = given.filter((word) => !word.includes('='));
  const { names } = KINDS[kind];
  const unknown = named.filter((name) => !names.includes(name));
  if (unknown.length > 0)
    throw new UsageError(`There is no experiment ${unknown.join(', ')} of ${kind}; there is ${names.join(', ')}.`);
  if (!values.dev && (set.length > 0 || values.untaught)) {
    throw new UsageError(
      `${values.untaught ? '--untaught' : set.join(' ')}: settings are tried with --dev. What is to be a result goes into the plan.`,
    );
  }
  return { kind, named: named.length > 0 ? named : names.filter((name) => resultOf(kind, name) === undefined), set, ...values };
}

async function main() {
  const given = parse();
  if (given === undefined) return console.log(USAGE);
  const { kind, named, dev, set, python, untaught } = given;
  const { run, tables } = KINDS[kind];
  if (given.tables) {
    if (tables === undefined) throw new UsageError(`The results of ${kind} stand in no table.`);
    return tables();
  }
  if (named.length === 0) console.log(`All experiments of ${kind} have results. Name one to run it again.`);
  const work = join(process.env.HEED_WORK ?? join(tmpdir(), 'heed-experiments'), kind);
  let failed = 0;
  for (const name of named) {
    try {
      const { result, lines, shown = true } = await run(name, { work, dev, set, python, untaught });
      console.log([`${name}${dev ? ' (dev)' : ''}`, ...lines].join('\n  '));
      if (dev) console.log(JSON.stringify(result, null, 2));
      else {
        writeResult(kind, name, result);
        console.log(`  written: ${fileOf(kind, name)}`);
      }
      if (!shown) failed++;
    } catch (error) {
      if (error instanceof UsageError) throw error;
      console.error(`${name}: ${error instanceof Error ? error.message : error}`);
      failed++;
    }
  }
  if (failed > 0) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  console.error(
    error instanceof UsageError || /** @type {any} */ (error).code?.startsWith('ERR_PARSE_ARGS')
      ? /** @type {Error} */ (error).message
      : error,
  );
  process.exitCode = 2;
}
