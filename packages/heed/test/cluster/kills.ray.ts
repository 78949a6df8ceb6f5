import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createRandom } from '../../src/run/random.js';
import { heed, tinyChat } from '../cli/support.js';
import { clusterStateOf } from '../../src/run/cluster-log.js';
import { readLog } from '../../src/run/metrics.js';
import { adapterBytes, log } from '../train/interrupted.js';
import { rowsFor } from '../support/rows.js';
import { scratchFolder } from '../support/scratch.js';

// Workers are killed at random moments of a training: its numbers are those of one that was left alone, to the last bit.
// HEED_TEST_KILLS=20 npm run test:ray kills more often.

const KILLS = Number(process.env['HEED_TEST_KILLS'] ?? 4);
const { folder, write } = scratchFolder();

const numberIn = (text: string, key: string): number => Number(new RegExp(`^${key}:\\s*(\\d+)`, 'm').exec(text)?.[1]);
const readProcess = (pid: number, file: string): string => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
};

/** The processes of workers that descend from this one. */
function workers(): number[] {
  const pids = readdirSync('/proc').map(Number).filter((pid) => pid > 1);
  const parents = new Map(pids.map((pid) => [pid, numberIn(readProcess(pid, 'status'), 'PPid')]));
  const isOurs = (pid: number): boolean => pid === process.pid || (parents.has(pid) && isOurs(parents.get(pid)!));
  return pids.filter((pid) => readProcess(pid, 'cmdline').startsWith('ray::Worker') && isOurs(pid));
}

const stepsIn = (dir: string): number => {
  const file = join(dir, 'metrics.jsonl');
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0;
};

/** Kills a worker at a random moment after each step that follows a kill: a step needs both, so the other one is whole again. */
async function killOften(dir: string, ended: () => boolean): Promise<number> {
  const random = createRandom('kills', Number(process.env['HEED_TEST_SEED'] ?? 0));
  let kills = 0;
  let after = 1;
  while (kills < KILLS && !ended()) {
    await pause(5);
    if (stepsIn(dir) < after) continue;
    await pause(120 * random.next());
    const alive = workers();
    if (alive.length < 2 || ended()) continue;
    process.kill(alive[Math.floor(alive.length * random.next())]!, 'SIGKILL');
    kills++;
    after = stepsIn(dir) + 2;
  }
  return kills;
}

it(`changes no number where workers are killed ${KILLS} times`, async () => {
  const { model } = await tinyChat(folder, { context: 512 });
  const rows = rowsFor({ name: 'dpo' });
  const recipe = write('recipe.yaml', JSON.stringify({
    model, data: write('rows.jsonl', rows.map((row) => `${JSON.stringify({ ...row, source: undefined })}\n`).join('')), method: 'dpo',
    samples: { prompts: 0 }, cluster: 'local:2', run: { dir: 'unused' },
    train: { steps: 4 + 3 * KILLS, batch: 6, microBatch: 2, learningRate: 1e-2, checkpointEvery: 0 },
  }));
  const [left, killed] = [join(folder, 'left'), join(folder, 'killed')];
  const whole = await heed(['train', recipe, `run.dir=${left}`]);
  expect(whole.code, whole.err).toBe(0);
  let ended = false;
  const running = heed(['train', recipe, `run.dir=${killed}`]).finally(() => { ended = true; });
  const kills = await killOften(killed, () => ended);
  const ran = await running;
  expect(ran.code, ran.err).toBe(0);
  expect(kills).toBe(KILLS);
  expect(log(killed)).toEqual(log(left));
  // Each kill is counted, with the time that it cost.
  const { lost } = clusterStateOf(await readLog(join(killed, 'cluster.jsonl')))!;
  expect(lost.workersLost).toBe(KILLS);
  expect(lost.waitedSeconds).toBeGreaterThan(0);
  const { cluster } = JSON.parse(readFileSync(join(killed, 'summary.json'), 'utf8')) as { cluster: Record<string, unknown> };
  expect(cluster).toMatchObject({ workers: 2, workersLost: KILLS });
  expect(ran.err.match(/^Worker \d of the cluster was lost\.$/gm)).toHaveLength(KILLS);
  expect(adapterBytes(killed).equals(adapterBytes(left))).toBe(true);
}, 900_000);

it('ends with its workers where all of them are killed while a judge answers', async () => {
  const { model } = await tinyChat(folder, { context: 2048 });
  const pairs = Array.from({ length: 400 }, (_, i) => JSON.stringify({ prompt: `q${i}`, chosen: `a${i}`, rejected: `b${i}` }));
  const recipe = write('label.yaml', JSON.stringify({
    data: write('pairs.jsonl', pairs.join('\n')), judge: { local: { model } }, label: { name: 'preferences' }, cluster: 'local:2',
    store: join(folder, 'labels.db'), run: { dir: join(folder, 'label') },
  }));
  const store = join(folder, 'labels.db');
  let ended = false;
  const running = heed(['label', recipe]).finally(() => { ended = true; });
  while (!ended && !existsSync(store)) await pause(5);
  while (!ended && workers().length < 2) await pause(5);
  await pause(1000);
  for (const pid of workers()) process.kill(pid, 'SIGKILL');
  const ran = await running;
  expect(ran.err).toContain('No worker of the cluster is left that holds the state of the training.');
  expect(ran.code).toBe(2);
  // What runs on would keep the process alive.
  expect(workers()).toEqual([]);
  const resumed = await heed(['label', recipe]);
  expect(resumed.code, resumed.err).toBe(0);
  const rows = readFileSync(join(folder, 'label', 'rows.jsonl'), 'utf8').trim().split('\n');
  const prompts = rows.map((row) => JSON.stringify((JSON.parse(row) as { prompt: unknown }).prompt));
  expect(new Set(prompts).size).toBe(400);
  expect(rows).toHaveLength(400);
}, 180_000);
