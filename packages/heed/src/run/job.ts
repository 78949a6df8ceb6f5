import type { ClusterSummary } from './cluster-log.js';
import type { Progress } from './progress.js';
import type { Shared } from './shared.js';
import type { Estimate } from './statistics.js';

/** How a job reports to its caller. */
export interface Hooks {
  /** Default: shows nothing. */
  readonly progress?: Progress;
  /** Set `requested` to have the job stop where `--resume` goes on; `signal` aborts requests to a server that are under way. */
  readonly interrupt?: { readonly requested: boolean; readonly signal?: AbortSignal };
  /** Takes a line for people: what was loaded, chosen, skipped, cut or measured. */
  say?(line: string): void;
  /** Results that this run has in common with others, as the runs of a sweep do. Default: the run finds all by itself. */
  readonly shared?: Shared;
}

/** The largest resident size so far, in MiB, of whatever can tell its memory: an engine. */
export const peakRssMb = async (engine: { memory(): Promise<{ readonly peakRss: number }> }): Promise<number> =>
  Math.round((await engine.memory()).peakRss / 2 ** 20);

/** A measurement: a plain number, or a mean with its 95 % interval. */
export type Measured = number | Estimate;

/** What `summary.json` of every job holds; each job adds keys of its own. */
export interface Summary {
  readonly job: 'train' | 'align' | 'label' | 'evaluate' | 'control';
  /** The model as the recipe names it. */
  readonly model: string;
  /** Rows that the job used. */
  readonly rows: number;
  /** Rows that the job left out; each was listed with its reason. */
  readonly skipped: number;
  /** Measured on held-out rows before the job changed anything, by name. */
  readonly before?: Readonly<Record<string, Measured>>;
  /** The same measurements afterwards. */
  readonly after?: Readonly<Record<string, Measured>>;
  /** The paired change, after less before, of those measurements that have one value for each held-out row. */
  readonly change?: Readonly<Record<string, Estimate>>;
  /** Wall time of this process in the job. */
  readonly seconds: number;
  /** Largest resident size of the process, in MiB. */
  readonly peakRssMb: number;
  /** The optimizer step after which a resumed job went on. */
  readonly resumedFrom?: number;
  /** What the workers did, and what was lost with them. Absent without `cluster`. */
  readonly cluster?: ClusterSummary;
}
