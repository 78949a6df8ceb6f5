// @ts-check
// node tools/test-ray.js: the tests that need Ray. Makes the Python environment in the cache where it is not there, then runs the
// worker's own tests (mypy, pytest) and those of Heed's engine over workers. Where there is no Python, no package index, or Ray does not
// start, it says so and ends with 0. The last line counts.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { testPython } from './ray-python.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const WORKERS = path.join(ROOT, 'workers', 'ray');
/** The Python of the tests' environment; undefined where it cannot be made. */
async function environment() {
  try {
    return await testPython((line) => console.log(line));
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'UserError') throw error;
    console.log(`skipped: ${error.message}`);
    return undefined;
  }
}

/** Whether Ray starts here at all: some containers do not let it. */
function starts(/** @type {string} */ python) {
  const program = "import ray; ray.init(num_cpus=1, include_dashboard=False, _node_ip_address='127.0.0.1', logging_level='ERROR')";
  const { status, stderr } = spawnSync(python, ['-c', program], { encoding: 'utf8', timeout: 120_000 });
  if (status !== 0) console.log(`skipped: Ray does not start: ${stderr.trim().split('\n').at(-1)}`);
  return status === 0;
}

const python = await environment();
if (python === undefined || !starts(python)) {
  console.log('0 passed, 0 failed (no Python with Ray on this machine)');
  process.exit(0);
}
const counts = { passed: 0, failed: 0 };

/** Runs a check and adds up what its last lines count. */
function check(
  /** @type {string} */ program, /** @type {string[]} */ args, /** @type {string} */ cwd, /** @type {RegExp | undefined} */ line,
) {
  console.log(`== ${path.basename(program)} ${args.join(' ')}`);
  const env = { ...process.env, HEED_PYTHON: python, PYTHONPATH: WORKERS, PYTHONDONTWRITEBYTECODE: '1' };
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, env, encoding: 'utf8', maxBuffer: 1 << 28 });
  process.stdout.write(stdout + stderr);
  const said = line === undefined ? '' : (stdout.replaceAll(/\x1b\[[\d;]*m/g, '').split('\n').filter((one) => line.test(one)).at(-1) ?? '');
  const count = (/** @type {string} */ what) => Number(new RegExp(`(\\d+) ${what}`).exec(said)?.[1] ?? 0);
  counts.passed += line === undefined && status === 0 ? 1 : count('passed');
  counts.failed += status === 0 ? 0 : Math.max(1, count('failed'));
}

check(python, ['-m', 'mypy', '--strict', 'heed_worker'], WORKERS, undefined);
check(python, ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', 'tests'], WORKERS, /\d+ (passed|failed).* in /);
check(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', '--config', 'vitest.ray.config.ts'], ROOT, /^ +Tests +/);
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exit(counts.failed === 0 ? 0 : 1);
