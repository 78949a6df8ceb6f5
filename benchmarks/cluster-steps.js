// @ts-check
// The first steps of recipes/cut.yaml on SmolLM2-135M in one process and on workers of this machine, one after the other. Prints a table,
// and writes nothing.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median } from './median.js';
import { readOptions } from './options.js';

const USAGE = `node benchmarks/cluster-steps.js [options]; npx heed cluster install first, or HEED_PYTHON
  --steps N        steps of each run; default: 5
  --clusters LIST  where they run: alone or local:WORKERS, with :CORES the cores that the run may use (taskset, of Linux);
                   default: alone:1,alone,local:1:1,local:2,local:4
  --batch N        rows of a step, each a pass of its own; default: 8`;
const { values } = readOptions(USAGE, {
  steps: { type: 'string', default: '5' },
  clusters: { type: 'string', default: 'alone:1,alone,local:1:1,local:2,local:4' },
  // The more passes a step has, the less the workers wait for each other.
  batch: { type: 'string', default: '8' },
});
const heed = fileURLToPath(new URL('../packages/heed/bin/heed.js', import.meta.url));
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'heed-steps-'));

const row = (/** @type {string[]} */ ...cells) => console.log(`| ${cells.join(' | ')} |`);

/** "local:1:1" → what to give as cluster, and the cores. */
function read(/** @type {string} */ name) {
  const [kind = '', ...numbers] = name.split(':');
  const workers = kind === 'alone' ? undefined : numbers.shift();
  const [cores] = numbers.map(Number);
  return { cluster: workers === undefined ? 'null' : `local:${workers}`, cores };
}

/** Runs the steps; seconds and losses by step, and what the workers say that they worked for. */
async function measure(/** @type {string} */ name) {
  const { cluster, cores } = read(name);
  const dir = join(folder, name);
  const argv = [
    heed, 'train', 'recipes/cut.yaml', `train.steps=${values.steps}`, `train.batch=${values.batch}`, 'train.microBatch=1',
    'samples.prompts=0', `cluster=${cluster}`, `run.dir=${dir}`,
  ];
  const pinned = cores === undefined ? [] : ['taskset', '-c', `0-${cores - 1}`];
  const [command = '', ...args] = [...pinned, process.execPath, ...argv];
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (piece) => { said += piece; });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${name} ended with ${code}:\n${said.slice(-2000)}`);
  const rows = readFileSync(join(dir, 'metrics.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  const worked = /The workers worked for ([^;.]*)/.exec(said)?.[1] ?? '';
  // The first step compiles.
  return { name, seconds: rows.slice(1).map(({ seconds }) => seconds), losses: rows.map(({ loss }) => loss), worked };
}

try {
  const results = [];
  for (const name of values.clusters.split(',')) results.push(await measure(name));
  const [first] = results;
  row('where', 'seconds a step, from the second on', 'median', 'beside the first', 'largest difference of a loss', 'all steps, by worker');
  row(...Array(6).fill('---'));
  for (const { name, seconds, losses, worked } of results) {
    const middle = median([...seconds]);
    const apart = Math.max(...losses.map((loss, i) => Math.abs(loss - /** @type {number} */ (first?.losses[i]))));
    row(
      name, seconds.map((one) => one.toFixed(2)).join(', '), `${middle.toFixed(2)} s`,
      `${(median([...(first?.seconds ?? [])]) / middle).toFixed(2)} ×`, apart.toExponential(1), worked,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
