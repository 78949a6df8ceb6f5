/** Lines of the list of runs that were made before. */
import type { RunLine } from './api.js';
import type { SummaryFile } from './measured.js';

/** What of a line changes only with the files of the run. */
export type Written = Omit<RunLine, 'run' | 'status' | 'reason' | 'started' | 'seconds'> & {
  readonly summary: SummaryFile | undefined;
  /** Seconds that the steps took together. */
  readonly trained: number;
};

/** Lines that were made, by folder, with the times of the files that they were made of. */
export type LineCache = Map<string, { readonly key: string; readonly written: Written }>;
