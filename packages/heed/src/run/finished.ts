/** A run that was finished before. */
import type { RunFolder } from './folder.js';
import type { Summary } from './job.js';
import { readKept } from './json-file.js';

/** What a run cost: of one that had finished, the work was done by an earlier process. */
const COSTS = ['seconds', 'trainingSeconds', 'tokens', 'peakRssMb', 'cluster', 'asking'] as const;

/**
 * Writes the summary of a run that has ended. A run that had ended before, and was only checked and measured again, keeps what it cost.
 *
 * @param end The last step, or the last round, as `resumedFrom` counts them: a run that went on from there had nothing left to learn.
 * @returns what was written
 */
export async function writeSummary<T extends Summary>(run: RunFolder, end: number, summary: T): Promise<T> {
  const before = run.finished && summary.resumedFrom === end ? await readKept<Partial<T>>(run.path('summary.json')) : undefined;
  const written = { ...summary, ...(before && Object.fromEntries(COSTS.map((key) => [key, before[key as keyof T]]))) };
  await run.writeSummary(written);
  return written;
}
