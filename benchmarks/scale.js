// @ts-check
// Measures what workers cost on this machine, and computes from it how a training step scales from 1 to 1,000 workers. Prints tables, and
// writes nothing.
import { readFileSync } from 'node:fs';
import { view } from '@heed/tensor';
import { openEngine } from '../packages/heed/dist/cluster/open.js';
import { median } from './median.js';
import { readOptions } from './options.js';

/** LoRA r=16 on all linears of SmolLM2-135M: numbers of the gradient. */
const PARAMETERS = 4_884_480;
const BYTES = 4 * PARAMETERS;
const REPEATS = 7;

const USAGE = `node benchmarks/scale.js [options]; npx heed cluster install first, or HEED_PYTHON
  --workers LIST   numbers of workers on this machine, measured one after the other; default: 1,2
  --cluster C      a cluster that is already running, such as ray://HOST, in place of workers of this machine
  --json           print what was measured as one line, without the tables`;
const { values } = readOptions(USAGE, {
  workers: { type: 'string', default: '1,2' }, cluster: { type: 'string' }, json: { type: 'boolean', default: false },
});

/** Bytes that this machine, or network namespace, has received from others. */
const received = () => readFileSync('/proc/net/dev', 'utf8').split('\n').slice(2)
  .map((line) => line.trim().split(/[:\s]+/)).filter(([name]) => name !== '' && name !== 'lo')
  .reduce((all, [, bytes]) => all + Number(bytes), 0);

/** Milliseconds of some work, the median of several times. */
async function milliseconds(/** @type {() => Promise<unknown>} */ work) {
  const times = [];
  await work();
  for (let i = 0; i < REPEATS; i++) {
    const from = performance.now();
    await work();
    times.push(performance.now() - from);
  }
  return median(times);
}

/** What the workers of a cluster take for what is done beside the passes. */
async function measure(/** @type {string} */ cluster) {
  const from = performance.now();
  const engine = await openEngine(cluster);
  const workers = engine.team?.size ?? 1;
  const start = (performance.now() - from) / 1000;
  try {
    const whole = view(await engine.upload(new Float32Array(PARAMETERS).fill(1e-6)));
    const one = view(whole.buffer, [1]);
    const numbers = new Float32Array(PARAMETERS);
    const summed = () => engine.team?.sum(whole, workers) ?? Promise.resolve();
    let crossed;
    if (values.json) {
      const before = received();
      await summed();
      crossed = received() - before;
    }
    return {
      workers, start, bytes: BYTES,
      roundTrip: await milliseconds(() => engine.read(one)),
      onAll: await milliseconds(() => engine.write(one, new Float32Array(1))),
      sumOne: await milliseconds(() => engine.team?.sum(one, workers) ?? Promise.resolve()),
      sum: await milliseconds(summed), crossed,
      read: await milliseconds(() => engine.read(whole)),
      write: await milliseconds(() => engine.write(whole, numbers)),
    };
  } finally {
    await engine.close();
  }
}

/**
 * Seconds of a step on paper. The passes are shared out. Each worker gets a piece of all gradients, adds them up, and gets all sums.
 *
 * @typedef {object} Constants
 * @property {number} passes seconds of a step's passes on one worker
 * @property {number} bandwidth bytes a second into a machine
 * @property {number} adding bytes a second that a machine copies and adds up
 * @property {number} each seconds that the calls of a sum take for each worker
 */
function stepSeconds(/** @type {Constants} */ { passes, bandwidth, adding, each }, /** @type {number} */ n) {
  return passes / n + (2 * BYTES * (n - 1)) / n / bandwidth + (n === 1 ? 0 : BYTES / adding + n * each);
}

const ms = (/** @type {number} */ value) => `${value.toFixed(1)} ms`;
const table = (/** @type {string[][]} */ [head, ...rows]) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

const measured = [];
const clusters = values.cluster === undefined ? values.workers.split(',').map((workers) => `local:${workers}`) : [values.cluster];
for (const cluster of clusters) measured.push(await measure(cluster));
if (values.json) {
  console.log(JSON.stringify(measured[0]));
  process.exit(0);
}
console.log(table([
  ['workers', 'start', 'one number read', 'written on all', 'summed', `${(BYTES / 1e6).toFixed(1)} MB summed`, 'read', 'written'],
  ...measured.map((row) => [
    String(row.workers), `${row.start.toFixed(1)} s`, ...[row.roundTrip, row.onAll, row.sumOne, row.sum, row.read, row.write].map(ms),
  ]),
]));

const last = measured.at(-1);
if (last !== undefined && last.workers > 1) {
  // On one machine nothing crosses a network: a sum is copying and adding, by workers that share the cores.
  const adding = (last.workers * BYTES) / ((last.sum - last.sumOne) / 1000);
  const each = last.sumOne / 1000 / last.workers;
  console.log(`\nadding ${(adding / 1e9).toFixed(2)} GB/s, ${ms(each * 1000)} for each worker\n`);
  const cases = [['9 s', 9, 1.25e9], ['9 s', 9, 1.25e8], ['600 s', 600, 1.25e9], ['600 s', 600, 1.25e8]]
    .map(([name, passes, bandwidth]) => ({ name: `${name}, ${(8 * Number(bandwidth)) / 1e9} Gbit/s`, passes, bandwidth, adding, each }));
  console.log(table([
    ['workers', ...cases.map(({ name }) => name)],
    ...[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000].map((n) => [String(n), ...cases.map((constants) => {
      const seconds = stepSeconds(/** @type {Constants} */ (constants), n);
      return `${seconds.toPrecision(3)} s (${(stepSeconds(/** @type {Constants} */ (constants), 1) / seconds).toPrecision(3)} ×)`;
    })]),
  ]));
}
