import type { DeviceName, Engine } from '@heed/tensor';
import { UserError } from '../errors.js';
import { startLocal } from './local.js';
import { openDeviceEngine, openRunEngine } from '../model/device.js';
import { clusterOf } from '../run/cluster.js';
import type { RunFolder } from '../run/folder.js';
import { openTeam } from './team.js';

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
 * @param cluster `local:N`; undefined or null: this process alone.
 * @throws UserError where the workers cannot be started or reached
 */
export async function openEngine(cluster: string | null | undefined, { device, run, say }: OpenEngineOptions = {}): Promise<Engine> {
  if (cluster === undefined || cluster === null)
    return run === undefined ? openDeviceEngine({ device, say }) : openRunEngine(run, { device, say });
  const asked = device ?? process.env['HEED_DEVICE'] ?? 'cpu';
  if (asked !== 'cpu' && asked !== 'auto') {
    const name = device === undefined ? 'HEED_DEVICE' : 'device';
    throw new UserError(`${name} is ${asked}, and the workers of a cluster run on CPUs.`, ['Leave one of the two out.']);
  }
  const running = await startLocal(clusterOf(cluster).workers);
  const { link, threads } = running;
  say?.(`cluster ${cluster}: ${link.workers} workers, ${threads} ${threads === 1 ? 'thread' : 'threads'} each`);
  return openTeam({
    link, threads, errors: running.errors, close: running.close,
    onLost: () => say?.('A worker of the cluster was lost: the step is taken again.'),
  });
}
