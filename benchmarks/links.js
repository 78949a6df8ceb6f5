// @ts-check
// A Ray cluster of several nodes on this machine, each in a network namespace of its own behind a link that `tc` slows down. Measures how
// long the nodes take to sum a gradient over such links, beside what the curve of docs/scale.md says. Prints a table, and writes nothing.
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { testPython } from '../tools/ray-python.js';
import { readOptions } from './options.js';

const USAGE = `node benchmarks/links.js [options]; Linux, as root, with ip and tc, and the Python of npm run test:ray
  --nodes N        nodes of the cluster; default: 2
  --mbit LIST      megabits a second that a link lets through; default: 1000,300,100`;
const { values } = readOptions(USAGE, { nodes: { type: 'string', default: '2' }, mbit: { type: 'string', default: '1000,300,100' } });
const nodes = Number(values.nodes);
const run = (/** @type {string} */ line) => execFileSync('sh', ['-c', line], { stdio: ['ignore', 'pipe', 'inherit'] }).toString();
const row = (/** @type {string[]} */ ...cells) => console.log(`| ${cells.join(' | ')} |`);
const ms = (/** @type {number} */ value) => `${value.toFixed(0)} ms`;
const megabytes = (/** @type {number} */ bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
const space = (/** @type {number} */ i) => `heed-node-${i}`;
const address = (/** @type {number} */ i) => `10.211.7.${i + 1}`;
const [port, dashboard] = [26379, 28265];

/** Namespaces that meet at a bridge in one of their own: nothing of this machine's network is touched. */
function connect() {
  run('ip netns add heed-bridge && ip -n heed-bridge link add name hub0 type bridge && ip -n heed-bridge link set dev hub0 up');
  for (let i = 0; i < nodes; i++) {
    run(`ip netns add ${space(i)} && ip -n ${space(i)} link set lo up`);
    run(`ip -n ${space(i)} link add name eth0 type veth peer name port${i} netns heed-bridge`);
    run(`ip -n ${space(i)} addr add ${address(i)}/24 dev eth0 && ip -n ${space(i)} link set dev eth0 up`);
    run(`ip -n heed-bridge link set dev port${i} master hub0 up`);
  }
}

/** Every node sends and receives so many bits a second at most. The burst is what passes in 10 ms, and one packet at least. */
function slow(/** @type {number} */ mbit) {
  const shape = `root tbf rate ${mbit}mbit burst ${Math.max(70_000, Math.round(mbit * 1250))} latency 20ms`;
  for (let i = 0; i < nodes; i++) {
    run(`ip netns exec ${space(i)} tc qdisc replace dev eth0 ${shape}`);
    run(`ip netns exec heed-bridge tc qdisc replace dev port${i} ${shape}`);
  }
}

function leave() {
  for (const name of ['heed-bridge', ...Array.from({ length: nodes }, (_, i) => space(i))]) {
    try {
      run(`ip netns del ${name}`);
    } catch {
      // It was never made.
    }
  }
}

const folder = mkdtempSync(join(tmpdir(), 'heed-'));
/** Where Ray has its files, on every node. Each node has a disk of its own there, as other machines would. */
const temporary = join(folder, 'ray');
const bin = dirname(await testPython((line) => console.error(line)));
const env = {
  ...process.env, RAY_AUTH_MODE: 'token', RAY_AUTH_TOKEN: randomBytes(32).toString('hex'), PATH: `${bin}:${process.env['PATH']}`,
  RAY_USAGE_STATS_ENABLED: '0',
};
/** @type {import('node:child_process').ChildProcess[]} */
const started = [];

function startNode(/** @type {number} */ i) {
  const head = [
    '--head', `--port=${port}`, '--include-dashboard=true', `--dashboard-host=${address(0)}`, `--dashboard-port=${dashboard}`,
    `--temp-dir=${temporary}`,
  ];
  const args = [
    'start', '--block', `--node-ip-address=${address(i)}`, '--num-cpus=1', '--object-store-memory=300000000', '--disable-usage-stats',
    ...(i === 0 ? head : [`--address=${address(0)}:${port}`]),
  ];
  const own = join(folder, String(i));
  mkdirSync(own);
  const line = `mount --bind ${own} ${temporary} && exec "$@"`;
  const command = ['netns', 'exec', space(i), 'sh', '-c', line, 'node', join(bin, 'ray'), ...args];
  started.push(spawn('ip', command, { detached: true, stdio: 'ignore', env }));
}

/** Milliseconds that all nodes take to sum one number, and the gradient, up: measured from within the first node. */
async function measure() {
  const script = fileURLToPath(new URL('scale.js', import.meta.url));
  const args = ['netns', 'exec', space(0), process.execPath, script, '--cluster', `ray://${address(0)}:${dashboard}`, '--json'];
  const child = spawn('ip', args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (piece) => { said += piece; });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`The measurement ended with ${code}.`);
  return JSON.parse(said);
}

try {
  mkdirSync(temporary);
  connect();
  for (let i = 0; i < nodes; i++) {
    startNode(i);
    await pause(i === 0 ? 15_000 : 10_000);
  }
  const free = await measure();
  if (free.workers !== nodes) throw new Error(`Ray has ${free.workers} workers, not ${nodes}.`);
  row('link', 'received for a sum', 'one number summed', 'gradient summed', 'by the curve', 'measured / curve');
  row(...Array(6).fill('---'));
  row('not slowed', megabytes(free.crossed), ms(free.sumOne), ms(free.sum), '(what the curve is given)', '');
  for (const mbit of values.mbit.split(',').map(Number)) {
    slow(mbit);
    const { sumOne, sum, crossed } = await measure();
    const expected = free.sum + 1000 * ((2 * free.bytes * (nodes - 1)) / nodes / (mbit * 125_000));
    row(`${mbit} Mbit/s`, megabytes(crossed), ...[sumOne, sum, expected].map(ms), (sum / expected).toFixed(2));
  }
} finally {
  // --block ends what it started.
  for (const child of started) if (child.exitCode === null) process.kill(/** @type {number} */ (child.pid), 'SIGTERM');
  await Promise.all(started.map((child) => (child.exitCode === null ? once(child, 'exit') : undefined)));
  leave();
  rmSync(folder, { recursive: true, force: true });
}
