// @ts-check
// npm run evidence -- [--dev] [name …] [key=value …]: each method on the real model and real data, judged on held-out rows.
// Writes experiments/evidence/<name>.json; without names, of those that are not there yet. --dev holds out other rows and only prints: for choosing settings.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { answersUnder } from './answers.js';
import { dataFiles, heldPairs } from './data.js';
import { PLAN } from './plan.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const from = process.env.HEED_DATA;
if (from === undefined) {
  console.error('Say where the research data are: HEED_DATA=<folder> npm run evidence. They are not part of Heed; experiments/evidence/README.md lists where each comes from.');
  process.exit(2);
}
const given = process.argv.slice(2);
const dev = given.includes('--dev');
const tried = given.filter((word) => word.includes('='));
const named = given.filter((word) => word !== '--dev' && !word.includes('='));
const unknown = named.filter((name) => !(name in PLAN));
if (unknown.length > 0) {
  console.error(`No evidence is planned for ${unknown.join(', ')}; there is ${Object.keys(PLAN).join(', ')}.`);
  process.exit(2);
}
if (tried.length > 0 && !dev) {
  console.error(`${tried.join(' ')}: settings are tried with --dev; what is to be evidence goes into plan.js.`);
  process.exit(2);
}

const fileOf = (name) => join(ROOT, 'experiments/evidence', `${name.replace('/', '-')}.json`);
const runs = join(tmpdir(), 'heed-evidence', dev ? 'dev' : 'runs');
let failed = 0;
for (const name of named.length > 0 ? named : Object.keys(PLAN).filter((one) => !existsSync(fileOf(one)))) {
  const { data, own, recipe = name, set, answers: asked } = PLAN[name];
  const folder = join(runs, name.replace('/', '-'));
  const to = `${folder}-data`;
  const files = dataFiles(data, { from, to, runs, dev });
  const words = [`recipes/${recipe}.yaml`, ...set, ...tried];
  const { code, out, said } = await heed([
    'train', ...words, `data.path=${join(to, files.train)}`, `data.eval=${join(to, files.held)}`, `run.dir=${folder}`, '--overwrite', '--json',
  ]);
  if (code !== 0) {
    failed++;
    console.log(`${name}: heed train ended with ${code}`);
    continue;
  }
  const { eval: held, steps, rows, seconds, skipped, peakRssMb } = JSON.parse(out.trim().split('\n').at(-1));
  const answers = asked ? await answersUnder(join(folder, 'adapter'), heldPairs(from, { dev }), runs) : undefined;
  const judged = [{ metric: 'loss', better: 'lower' }, ...own].map(({ metric, better }) => {
    const { before, after, change } = metric.startsWith('answers.') ? answers[metric.slice('answers.'.length)] : { before: held.before[metric], after: held.after[metric], change: held.change[metric] };
    return { metric, better, before, after, change, shown: better === 'lower' ? change.high < 0 : change.low > 0 };
  });
  const shown = judged.every((one) => one.shown);
  if (!shown) failed++;
  const result = {
    method: recipe, ...(name === recipe ? {} : { variant: name.slice(recipe.length + 1) }),
    command: `heed train ${words.map(quote).join(' ')} data.path=${files.train} data.eval=${files.held}`,
    evidence: `HEED_DATA=<folder> npm run evidence -- ${name}`, data, seed: 0,
    shown, judged, heldOut: held.rows, trainedOn: rows, skipped, steps, seconds: Math.round(seconds),
    all: { before: held.before, after: held.after, change: held.change },
    ...(answers === undefined ? {} : { answers }),
    ...(said.length === 0 ? {} : { said }),
    peakRssMb,
    machine: `${cpus()[0].model.trim()}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`, heed: JSON.parse(readFileSync(join(ROOT, 'packages/heed/package.json'), 'utf8')).version,
  };
  if (!dev) writeFileSync(fileOf(name), `${JSON.stringify(result, null, 2)}\n`);
  const line = (/** @type {any} */ { metric, before, after, change, shown: yes }) => `${metric} ${before.toFixed(4)} → ${after.toFixed(4)}, change ${change.mean.toFixed(4)} [${change.low.toFixed(4)}, ${change.high.toFixed(4)}]${yes === undefined ? '' : yes ? ' shown' : ' NOT SHOWN'}`;
  console.log([`${name}${dev ? ' (dev)' : ''}: ${rows} rows, ${steps} steps, ${Math.round(seconds)} s, ${held.rows} held out`, ...judged.map(line),
    ...Object.entries(answers ?? {}).map(([metric, one]) => `answers: ${line({ metric, ...one })}`)].join('\n  '));
}
process.exit(failed > 0 ? 1 : 0);

function quote(word) {
  return /[\s{}[\]]/.test(word) ? `'${word}'` : word;
}

/** Runs the command line; what it says of rows that were made or left out is kept. */
function heed(args) {
  return new Promise((done) => {
    const child = spawn(process.execPath, [join(ROOT, 'packages/heed/bin/heed.js'), ...args], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk) => (out += chunk));
    child.stderr.on('data', (chunk) => {
      err += chunk;
      process.stderr.write(chunk);
    });
    child.on('close', (code) => done({ code, out, said: err.split('\n').filter((line) => / texts for \d+ rows| rows to learn from/.test(line)) }));
  });
}
