/** `cluster.jsonl` of a run: the workers that it had, their rates, and what was lost with them. */
import { z } from 'zod';

import type { LogRow } from './metrics.js';

/** Where a run on a cluster keeps what its workers did. */
export const CLUSTER_LOG = 'cluster.jsonl';

const time = z.iso.datetime();
const index = z.int().nonnegative();
const seconds = z.number().nonnegative();

/**
 * One line. `opened`: a process began with so many workers. `lost`: a worker ended. `restarted`: it works again, and was waited for so
 * long. `repeated`: work of so many seconds was gone, and is done again; `worker`: work that this one did alone. `rates`: passes through
 * the model, or through a part of it, that each worker did in a second of its own work; null: none yet.
 */
const ClusterEvent = z.discriminatedUnion('event', [
  z.object({ time, event: z.literal('opened'), workers: index, threads: index }),
  z.object({ time, event: z.literal('lost'), worker: index }),
  z.object({ time, event: z.literal('restarted'), worker: index, seconds }),
  z.object({ time, event: z.literal('repeated'), worker: index.optional(), seconds }),
  z.object({ time, event: z.literal('rates'), passesPerSecond: z.array(z.number().nullable()) }),
]);
export type ClusterEvent = z.infer<typeof ClusterEvent>;

/** What a run lost on its cluster, in all processes that worked on it. */
export interface LostTime {
  /** How often a worker was lost. */
  readonly workersLost: number;
  /** Seconds that lost workers were waited for. */
  readonly waitedSeconds: number;
  /** How often work was done again. */
  readonly repeats: number;
  /** Seconds of the work that was gone, without those that workers were waited for in it. */
  readonly repeatedSeconds: number;
}

/**
 * What `summary.json` of a run on a cluster says of it: `workers`, `passes` and `workSeconds` are those of the last process, the rest is of
 * the whole run.
 */
export interface ClusterSummary extends LostTime {
  readonly workers: number;
  /** Passes that each worker did. */
  readonly passes: readonly number[];
  /** Seconds that each worker worked, with compiling and the optimizer. */
  readonly workSeconds: readonly number[];
}

/** What a run's workers did, as its log says. */
export interface ClusterState {
  /** Workers of the newest process. */
  readonly workers: number;
  /** Those of them that work. */
  readonly alive: number;
  readonly passesPerSecond: readonly (number | null)[];
  readonly lost: LostTime;
}

export const NOTHING_LOST: LostTime = { workersLost: 0, waitedSeconds: 0, repeats: 0, repeatedSeconds: 0 };

/** The sums after another event. */
export function afterEvent(lost: LostTime, { event, ...line }: Pick<ClusterEvent, 'event'> & { readonly seconds?: number }): LostTime {
  const { seconds: more = 0 } = line;
  if (event === 'lost') return { ...lost, workersLost: lost.workersLost + 1 };
  if (event === 'restarted') return { ...lost, waitedSeconds: lost.waitedSeconds + more };
  if (event !== 'repeated') return lost;
  return { ...lost, repeats: lost.repeats + 1, repeatedSeconds: lost.repeatedSeconds + more };
}

/** What the lines of a log come to; undefined where no process had workers. Lines of another form are for other readers. */
export function clusterStateOf(rows: readonly LogRow[]): ClusterState | undefined {
  let state: ClusterState | undefined;
  for (const row of rows) {
    const { success, data } = ClusterEvent.safeParse(row);
    if (!success) continue;
    if (data.event === 'opened') {
      state = { workers: data.workers, alive: data.workers, passesPerSecond: [], lost: state?.lost ?? NOTHING_LOST };
      continue;
    }
    if (state === undefined) continue;
    const steps = { lost: -1, restarted: 1, repeated: 0, rates: 0 };
    state = {
      ...state, alive: state.alive + steps[data.event], lost: afterEvent(state.lost, data),
      ...(data.event === 'rates' ? { passesPerSecond: data.passesPerSecond } : {}),
    };
  }
  return state;
}

const countOf = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`;

/** More workers than these are shown as one pool. */
const SHOWN = 4;

const perSecond = (rate: number): string => (rate >= 100 ? rate.toFixed(0) : rate.toPrecision(2));

/** `2 of 2 workers: 0.24, 0.23 passes/s`; of more than four workers their sum. */
export function describeWorkers({ workers, alive, passesPerSecond }: Omit<ClusterState, 'lost'>): string {
  const known = passesPerSecond.filter((one) => one !== null);
  const of = `${alive} of ${countOf(workers, 'worker')}`;
  if (known.length === 0) return of;
  if (workers > SHOWN) return `${of}: ${perSecond(known.reduce((a, b) => a + b, 0))} passes/s together`;
  return `${of}: ${passesPerSecond.map((one) => (one === null ? '–' : perSecond(one))).join(', ')} passes/s`;
}

/** `a worker was lost once (waited 6.2 s), 1 repeat (3.1 s)`; '' where nothing was lost. */
export function describeLost({ workersLost, waitedSeconds, repeats, repeatedSeconds }: LostTime): string {
  if (workersLost === 0 && repeats === 0) return '';
  const waited = waitedSeconds === 0 ? '' : ` (waited ${waitedSeconds.toFixed(1)} s)`;
  const repeated = repeats === 0 ? '' : `, ${countOf(repeats, 'repeat')} (${repeatedSeconds.toFixed(1)} s)`;
  return `a worker was lost ${workersLost === 1 ? 'once' : `${workersLost} times`}${waited}${repeated}`;
}

/** Workers and what was lost in one line. `now`: what is said of workers that are at work. Default: how many there were. */
export const describeCluster = ({ workers, lost }: Pick<ClusterState, 'workers' | 'lost'>, now = countOf(workers, 'worker')): string =>
  `${now}; ${describeLost(lost) || 'nothing lost'}`;
