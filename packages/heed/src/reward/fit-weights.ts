/** How much each of several rewards counts, fitted to files of what people preferred: what `heed fit-rewards` does. */
import { listProblems } from '../data/problem.js';
import type { Hooks } from '../run/job.js';
import { silentProgress } from '../run/progress.js';
import { fuseRewards } from './fusion.js';
import { readEvidence } from './inferred/evidence.js';
import { type RewardsInput, openParts } from './open.js';
import type { FittedWeights } from './weights-file.js';

export interface FitWeightsOptions {
  /** Files of comparisons, demonstrations and votes. */
  readonly files: readonly string[];
  /** The rewards by name. */
  readonly rewards: RewardsInput;
  /** Standard deviation of each weight before any evidence. */
  readonly prior: number;
  /** Where the replies of a model that is asked are kept. Default: that of `openReward`. */
  readonly store?: string | undefined;
}

/**
 * Reads the files, opens the rewards, has them rate every response, and fits their weights. What is left out is said with its reason.
 *
 * @throws UserError where a file or a reward cannot be used, and as `fuseRewards` does
 */
export async function fitWeights(
  { files, rewards, prior, store }: FitWeightsOptions, { progress = silentProgress, say = () => undefined }: Hooks = {},
): Promise<FittedWeights> {
  const { rows, skipped } = await readEvidence(files);
  if (skipped.length > 0) say(`left out:\n${listProblems(skipped)}`);
  const parts = await openParts(rewards, { log: say, store });
  try {
    progress.start('rating', rows.flatMap(({ responses }) => responses).length, { unit: 'responses' });
    const { weights, leftOut } = await fuseRewards(rows, parts, prior, { onProgress: (done) => progress.update(done) });
    progress.stop();
    if (leftOut.length > 0) {
      say(`left out, because a reward failed:\n${listProblems(leftOut.map(({ row: { source }, reward, failure }) => (
        { source, column: reward, reason: `${failure.failure}: ${failure.detail}` }
      )))}`);
    }
    return weights;
  } finally {
    progress.stop();
    for (const { reward } of parts) await reward.close();
  }
}
