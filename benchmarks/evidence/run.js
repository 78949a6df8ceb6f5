// npm run evidence -- [name …]: each method on the real model and real data, judged on held-out rows. Writes benchmarks/evidence/<name>.json.
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dataFile } from './data.js';
import { PLAN } from './plan.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const from = process.env.HEED_DATA;
if (from === undefined) {
  console.error('Say where the research data are: HEED_DATA=<folder> npm run evidence. They are not part of Heed; benchmarks/evidence/README.md lists where each comes from.');
  process.exit(2);
}
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in PLAN));
if (unknown.length > 0) {
  console.error(`No evidence is planned for ${unknown.join(', ')}; there is ${Object.keys(PLAN).join(', ')}.`);
  process.exit(2);
}

const work = join(tmpdir(), `heed-evidence-${process.pid}`);
let failed = 0;
for (const name of wanted.length > 0 ? wanted : Object.keys(PLAN)) {
  const { data, metric, better, recipe = name, set } = PLAN[name];
  const given = [`recipes/${recipe}.yaml`, ...set];
  const { code, out } = await run([
    join(ROOT, 'packages/heed/bin/heed.js'), 'train', ...given, `data=${dataFile(data, { from, to: join(work, 'data') })}`, `run.dir=${join(work, name)}`, '--overwrite', '--json',
  ]);
  if (code !== 0) {
    failed++;
    console.log(`${name}: heed train ended with ${code}`);
    continue;
  }
  const { eval: held, steps, rows, peakRssMb } = JSON.parse(out.trim().split('\n').at(-1));
  const by = held.change[metric];
  const shown = better === 'lower' ? by.high < 0 : by.low > 0;
  if (!shown) failed++;
  const result = {
    method: recipe, ...(name === recipe ? {} : { variant: name.slice(recipe.length + 1) }),
    command: `heed train ${given.map(quote).join(' ')} data=${data}`,
    evidence: `HEED_DATA=<folder> npm run evidence -- ${name}`, data, seed: 0,
    metric, better, before: held.before[metric], after: held.after[metric], change: by, shown,
    heldOut: held.rows, trainedOn: rows, steps, all: { before: held.before, after: held.after, change: held.change },
    peakRssMb,
    machine: `${cpus()[0].model.trim()}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`, heed: JSON.parse(readFileSync(join(ROOT, 'packages/heed/package.json'), 'utf8')).version,
  };
  writeFileSync(join(ROOT, 'benchmarks/evidence', `${name.replace('/', '-')}.json`), `${JSON.stringify(result, null, 2)}\n`);
  console.log(`${name}: ${metric} ${held.before[metric].toFixed(4)} → ${held.after[metric].toFixed(4)}, change ${by.mean.toFixed(4)} [${by.low.toFixed(4)}, ${by.high.toFixed(4)}] ${shown ? 'shown' : 'NOT SHOWN'}`);
}
process.exit(failed > 0 ? 1 : 0);

function quote(word) {
  return /[\s{}[\]]/.test(word) ? `'${word}'` : word;
}

function run(args) {
  return new Promise((done) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.on('data', (chunk) => (out += chunk));
    child.on('close', (code) => done({ code, out }));
  });
}
