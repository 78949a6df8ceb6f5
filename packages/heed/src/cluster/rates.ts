import {
  type ClusterEvent, type ClusterSummary, CLUSTER_LOG, type LostTime, NOTHING_LOST, afterEvent, clusterStateOf, describeLost,
  describeWorkers,
} from '../run/cluster-log.js';
import type { RunFolder } from '../run/folder.js';
import { type Log, openLog } from '../run/metrics.js';
import type { Asking, Link, Standing } from './link.js';

/** Work that may have to be done again. */
export interface Attempt {
  /** It was in vain, and is done again. */
  repeat(): void;
}

/** Counts what the workers of a cluster do, and what is lost with them. */
export interface Rates {
  /** Begins work. `worker`: the one that does it alone. */
  attempt(worker?: number): Attempt;
  /** Workers that are alive, their rates, and what was lost, for a progress line. */
  describe(): string;
  /** What each worker did, and what was lost, for the end. */
  describeWork(): string;
  summary(): ClusterSummary;
  close(): void;
}

export interface RatesOptions {
  /** Takes what was counted, in `cluster.jsonl`. Default: nothing is kept. */
  readonly run?: RunFolder;
  /** Takes a line for people where something is lost. */
  say?(line: string): void;
  /** Milliseconds, from any origin. */
  readonly now?: () => number;
}

/** A rate is that of so many passes, the newest. */
const WINDOW = 32;
/** Milliseconds between two lines with rates in the log. */
const LOGGED_MS = 30_000;

/**
 * Follows the answers over a connection (`onAnswer`). A pass is a run of a program by one worker; what all of them run alike is none.
 *
 * @throws UserError where the log of the run cannot be read or written
 */
export async function openRates(link: Link, { run, say, now = () => performance.now() }: RatesOptions = {}): Promise<Rates> {
  const log: Log<ClusterEvent> | undefined = run && openLog(run.path(CLUSTER_LOG));
  let lost = clusterStateOf((await log?.rows()) ?? [])?.lost ?? NOTHING_LOST;
  let before: Standing = link.standing;
  /** Seconds of each worker up to its last answer. */
  const counted = [...before.seconds];
  let logged = now();
  const passes = Array.from({ length: link.workers }, () => 0);
  const newest = passes.map((): number[] => []);

  type Unstamped<T> = T extends unknown ? Omit<T, 'time'> : never;
  const note = (event: Unstamped<ClusterEvent>): void => {
    log?.append({ time: new Date().toISOString(), ...event });
    lost = afterEvent(lost, event);
  };
  const rates = (): (number | null)[] => newest.map((seconds) => {
    const sum = seconds.reduce((a, b) => a + b, 0);
    return sum > 0 ? Number((seconds.length / sum).toPrecision(4)) : null;
  });
  const waited = (): number => link.standing.lostSeconds.reduce((a, b) => a + b, 0);

  function see(asking: Asking, done: boolean): void {
    const is = link.standing;
    for (let worker = 0; worker < link.workers; worker++) {
      for (let times = before.losses[worker]!; times < is.losses[worker]!; times++) {
        note({ event: 'lost', worker });
        newest[worker]!.length = 0;
        say?.(`Worker ${worker} of the cluster was lost.`);
      }
      const seconds = rounded(is.lostSeconds[worker]! - before.lostSeconds[worker]!);
      if (seconds > 0) {
        note({ event: 'restarted', worker, seconds });
        say?.(`Worker ${worker} works again. It was waited for ${seconds.toFixed(1)} s.`);
      }
    }
    const { to } = asking;
    if (done && to !== 'all' && isPass(asking)) {
      passes[to]!++;
      newest[to]!.push(is.seconds[to]! - counted[to]!);
      if (newest[to]!.length > WINDOW) newest[to]!.shift();
    }
    // Another worker's answer may tell of a pass before its own does.
    for (let worker = 0; worker < link.workers; worker++) if (to === 'all' || to === worker) counted[worker] = is.seconds[worker]!;
    before = is;
    if (now() - logged < LOGGED_MS) return;
    logged = now();
    note({ event: 'rates', passesPerSecond: rates() });
  }

  note({ event: 'opened', workers: link.workers, threads: link.threads });
  link.onAnswer = see;
  return {
    attempt(worker) {
      const [began, waitedBefore] = [now(), waited()];
      return {
        repeat() {
          // Waiting is counted by itself.
          const seconds = rounded(Math.max(0, (now() - began) / 1000 - (waited() - waitedBefore)));
          note({ event: 'repeated', worker, seconds });
          say?.(`Work of ${seconds.toFixed(1)} s was lost with a worker of the cluster, and is done again.`);
        },
      };
    },
    describe() {
      const alive = link.standing.alive.filter(Boolean).length;
      const said = describeWorkers({ workers: link.workers, alive, passesPerSecond: rates() });
      return [said, describeLost(lost)].filter((part) => part !== '').join(' · ');
    },
    describeWork() {
      const said = `The workers worked for ${link.standing.seconds.map((one) => `${one.toFixed(0)} s`).join(', ')}`;
      return `${[said, describeLost(lost)].filter((part) => part !== '').join('; ')}.`;
    },
    summary: () => ({ workers: link.workers, passes: [...passes], workSeconds: link.standing.seconds.map(rounded), ...roundedLoss(lost) }),
    close() {
      link.onAnswer = undefined;
      log?.close();
    },
  };
}

/** Whether one worker runs a program by itself: a share of the team's work, or work of its own, in one of its lives. */
const isPass = ({ request, life }: Asking): boolean => request.kind === 'run' && (request.on !== undefined || life !== undefined);

/** To a millisecond. */
const rounded = (seconds: number): number => Math.round(1000 * seconds) / 1000;
const roundedLoss = (lost: LostTime): LostTime =>
  ({ ...lost, waitedSeconds: rounded(lost.waitedSeconds), repeatedSeconds: rounded(lost.repeatedSeconds) });
