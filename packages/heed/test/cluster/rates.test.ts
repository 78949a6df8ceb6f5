import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Asking, openLink } from '../../src/cluster/link.js';
import { type Rates, openRates } from '../../src/cluster/rates.js';
import { openTeam } from '../../src/cluster/team.js';
import { clusterStateOf, describeCluster, describeWorkers } from '../../src/run/cluster-log.js';
import { type RunFolder, openRun } from '../../src/run/folder.js';
import { readLog } from '../../src/run/metrics.js';
import { writeReport } from '../../src/run/report/write.js';
import { tinyChat } from '../cli/support.js';
import { scratchFolder } from '../support/scratch.js';
import { passes } from '../train/support.js';
import { type GatewayDouble, gatewayDouble } from './gateway-double.js';
import { manyPasses } from './support.js';

// What the workers of a gateway in TypeScript do and lose, whose clocks stand still but for what the tests say.

const { folder } = scratchFolder();
let model: string;
let gateway: GatewayDouble;
beforeAll(async () => {
  ({ model } = await tinyChat(folder, { context: 512 }));
  gateway = await gatewayDouble(2);
});
afterAll(() => gateway.close());

const eventsIn = (dir: string): object[] => readFileSync(join(dir, 'cluster.jsonl'), 'utf8').trim().split('\n').map((line) => {
  const { time, ...event } = JSON.parse(line) as { time: string };
  expect(new Date(time).toISOString()).toBe(time);
  return event;
});

describe('the workers of a run', () => {
  it('are counted with their rates, and with what was lost: while it is, in a log, in the summary and in the report', async () => {
    const { b, parts } = await manyPasses(model, { name: 'dpo' });
    const run: RunFolder = await openRun(join(folder, 'run'), { recipe: 'model: m\n', resume: false });
    const { standing } = gateway;
    let clock = 0;
    const said: string[] = [];
    const shown: string[] = [];
    const link = await openLink('127.0.0.1', gateway.port, 'secret');
    const rates: Rates = await openRates(link, { run, say: (line) => said.push(line), now: () => clock });
    const team = openTeam({
      link, errors: () => Promise.resolve(''), attempt: (worker) => rates.attempt(worker), close: () => Promise.resolve(),
    });
    expect(rates.describe()).toBe('2 of 2 workers');
    // Of the five passes worker 0 does three, each in 2 s, and worker 1 two, each in 4 s. All other work takes 0.25 s.
    let firstTry = true;
    const passOf = ({ request }: Asking): number | undefined => (request.kind === 'run' ? request.on : undefined);
    gateway.finished = (asking) => {
      const one = passOf(asking);
      if (one === undefined) {
        for (const worker of [0, 1]) if (asking.to === 'all' || asking.to === worker) standing.seconds[worker]! += 0.25;
        return;
      }
      standing.seconds[one]! += one === 0 ? 2 : 4;
      if (standing.alive[one]) return;
      standing.alive[one] = true;
      standing.lostSeconds[one]! += 4.5;
    };
    gateway.intercept = (asking) => {
      shown.push(rates.describe());
      if (passOf(asking) !== 1 || !firstTry) return undefined;
      // The first pass of worker 1 is its last: what was done until then took 7 s.
      firstTry = false;
      clock += 7000;
      standing.losses[1]!++;
      standing.alive[1] = false;
      return { lost: 'worker' };
    };
    await passes(team, b, [parts]);
    expect(rates.describe()).toBe('2 of 2 workers: 0.50, 0.25 passes/s · a worker was lost once (waited 4.5 s), 1 repeat (7.0 s)');
    expect(shown.some((line) => /^1 of 2 workers: 0\.50, – passes\/s · a worker was lost once, 1 repeat \(7\.0 s\)$/.test(line))).toBe(true);
    expect(said).toEqual([
      'Worker 1 of the cluster was lost.', 'Work of 7.0 s was lost with a worker of the cluster, and is done again.',
      'Worker 1 works again. It was waited for 4.5 s.',
    ]);
    expect(eventsIn(run.dir)).toEqual([
      { event: 'opened', workers: 2, threads: 1 }, { event: 'lost', worker: 1 }, { event: 'repeated', seconds: 7 },
      { event: 'restarted', worker: 1, seconds: 4.5 },
    ]);
    const { passes: done, workSeconds, ...lost } = rates.summary();
    expect(lost).toEqual({ workers: 2, workersLost: 1, waitedSeconds: 4.5, repeats: 1, repeatedSeconds: 7 });
    expect(workSeconds).toEqual(standing.seconds);
    // What worker 0 did of the first try went for nothing, and was done none the less.
    expect(done[0]).toBeGreaterThanOrEqual(3);
    expect(done[1]).toBe(2);
    clock += 30_000;
    await team.read({ buffer: await team.allocate('float32', 1), offset: 0, shape: [1] });
    expect(eventsIn(run.dir).at(-1)).toEqual({ event: 'rates', passesPerSecond: [0.5, 0.25] });
    rates.close();
    await team.close();
    await run.writeSummary({ job: 'train' });
    await run.close();
    const report = readFileSync(await writeReport(run.dir), 'utf8');
    expect(report).toContain('<dt>cluster</dt><dd>2 workers; a worker was lost once (waited 4.5 s), 1 repeat (7.0 s)</dd>');
  });

  it('of a run that goes on are new, and what was lost before counts on', async () => {
    const run = await openRun(join(folder, 'run'), { recipe: 'model: m\n', resume: true });
    const another = await gatewayDouble(2);
    const link = await openLink('127.0.0.1', another.port, 'secret');
    const rates = await openRates(link, { run });
    expect(rates.describe()).toBe('2 of 2 workers · a worker was lost once (waited 4.5 s), 1 repeat (7.0 s)');
    expect(rates.summary()).toMatchObject({ passes: [0, 0], workSeconds: [0, 0], workersLost: 1, repeatedSeconds: 7 });
    link.close();
    rates.close();
    await another.close();
    await run.close();
    const fresh = await openRun(join(folder, 'run'), { recipe: 'model: m\n', resume: false, overwrite: true });
    expect(clusterStateOf(await readLog(fresh.path('cluster.jsonl')))).toBeUndefined();
    await fresh.close();
  });
});

describe('workers in words', () => {
  it('are one pool where there are many', () => {
    const many = { workers: 5, alive: 4, passesPerSecond: [10, 20, null, 30.5, 60] };
    expect(describeWorkers(many)).toBe('4 of 5 workers: 121 passes/s together');
    expect(describeWorkers({ workers: 1, alive: 1, passesPerSecond: [null] })).toBe('1 of 1 worker');
  });

  it('are those of the newest process', () => {
    const time = '2026-11-30T12:00:00.000Z';
    const state = clusterStateOf([
      { time, event: 'opened', workers: 4, threads: 2 }, { time, event: 'lost', worker: 3 }, { time, event: 'of a later version' },
      { time, event: 'opened', workers: 2, threads: 2 }, { time, event: 'lost', worker: 0 },
      { time, event: 'repeated', worker: 0, seconds: 1.25 },
    ])!;
    expect([state.workers, state.alive]).toEqual([2, 1]);
    expect(describeCluster(state)).toBe('2 workers; a worker was lost 2 times, 1 repeat (1.3 s)');
  });
});
