import { type DeviceName, type Engine, deviceByDefault } from '@heed/tensor';
import { UserError } from '../errors.js';
import { openDeviceEngine, openRunEngine } from '../model/device.js';
import { clusterOf } from '../run/cluster.js';
import type { RunFolder } from '../run/folder.js';
import type { Progress } from '../run/progress.js';
import { type Rates, openRates } from './rates.js';
import { startLocal } from './local.js';
import { startRemote } from './remote.js';
import { openTeam } from './team.js';
import { openWeights } from './weights.js';

/** How a cluster is opened. */
export interface OpenEngineOptions {
  /** What computes. Default: what HEED_DEVICE says, else the CPU. */
  readonly device?: DeviceName;
  /** A run that keeps what it runs on. */
  readonly run?: RunFolder;
  /** Shows the workers beside all that it shows. */
  readonly progress?: Progress;
  /** Takes a line for people. */
  say?(line: string): void;
}

/** An engine with what its workers do. */
export interface OpenedEngine extends Engine {
  /** Absent without a cluster. */
  readonly rates?: Pick<Rates, 'summary'>;
}

/**
 * The engine that a job works with: of this process, or with `cluster` that of its workers.
 *
 * @param cluster `local:N` or `ray://HOST`; undefined or null: this process alone.
 * @throws UserError where the workers cannot be started or reached
 */
export async function openEngine(cluster: string | null | undefined, options: OpenEngineOptions = {}): Promise<OpenedEngine> {
  const { device, run, progress, say } = options;
  if (cluster === undefined || cluster === null)
    return run === undefined ? openDeviceEngine({ device, say }) : openRunEngine(run, { device, say });
  const asked = device ?? deviceByDefault();
  if (asked !== 'cpu' && asked !== 'auto') {
    const name = device === undefined ? 'HEED_DEVICE' : 'device';
    throw new UserError(`${name} is ${asked}, and the workers of a cluster run on CPUs.`, ['Leave one of the two out.']);
  }
  const where = clusterOf(cluster);
  const running = where.kind === 'local' ? await startLocal(where.workers) : await startRemote(where, say);
  const { link } = running;
  const rates = await openRates(link, { run, say }).catch(async (error: unknown) => {
    link.close();
    await running.close();
    throw error;
  });
  progress?.beside?.(() => rates.describe());
  const { workers, threads } = link;
  say?.(`cluster ${cluster}: ${workers} ${workers === 1 ? 'worker' : 'workers'}, ${threads} ${threads === 1 ? 'thread' : 'threads'} each`);
  const engine = openTeam({
    ...running,
    weights: where.kind === 'local' ? undefined : openWeights(link, (line) => say?.(line)),
    attempt: (worker) => rates.attempt(worker),
    async close() {
      progress?.beside?.(undefined);
      rates.close();
      await running.close();
      say?.(rates.describeWork());
    },
  });
  return Object.assign(engine, { rates });
}
