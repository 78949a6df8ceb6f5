import { type DeviceName, type Engine, deviceByDefault } from '@heed/tensor';
import { UserError } from '../errors.js';
import { openDeviceEngine, openRunEngine } from '../model/device.js';
import { clusterOf } from '../run/cluster.js';
import type { RunFolder } from '../run/folder.js';
import type { Link } from './link.js';
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
  /** Takes a line for people. */
  say?(line: string): void;
}

/**
 * The engine that a job works with: of this process, or with `cluster` that of its workers.
 *
 * @param cluster `local:N` or `ray://HOST`; undefined or null: this process alone.
 * @throws UserError where the workers cannot be started or reached
 */
export async function openEngine(cluster: string | null | undefined, { device, run, say }: OpenEngineOptions = {}): Promise<Engine> {
  if (cluster === undefined || cluster === null)
    return run === undefined ? openDeviceEngine({ device, say }) : openRunEngine(run, { device, say });
  const asked = device ?? deviceByDefault();
  if (asked !== 'cpu' && asked !== 'auto') {
    const name = device === undefined ? 'HEED_DEVICE' : 'device';
    throw new UserError(`${name} is ${asked}, and the workers of a cluster run on CPUs.`, ['Leave one of the two out.']);
  }
  const where = clusterOf(cluster);
  const running = where.kind === 'local' ? await startLocal(where.workers) : await startRemote(where);
  const { link } = running;
  const { workers, threads } = link;
  say?.(`cluster ${cluster}: ${workers} ${workers === 1 ? 'worker' : 'workers'}, ${threads} ${threads === 1 ? 'thread' : 'threads'} each`);
  return openTeam({
    ...running,
    weights: where.kind === 'local' ? undefined : openWeights(link, (line) => say?.(line)),
    onLost: () => say?.('A worker of the cluster was lost: what it did is done again.'),
    async close() {
      await running.close();
      say?.(describeWork(link));
    },
  });
}

/** Says for people what the workers did. */
function describeWork({ standing: { seconds, losses, lostSeconds } }: Link): string {
  const lost = losses.reduce((a, b) => a + b, 0);
  const words = lost === 0 ? '' : `; lost ${lost} ${lost === 1 ? 'time' : 'times'}, waited for ${lostSeconds.toFixed(0)} s`;
  return `The workers worked for ${seconds.map((one) => `${one.toFixed(0)} s`).join(', ')}${words}.`;
}
