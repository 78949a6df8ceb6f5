import { existsSync } from 'node:fs';
import { type Failure, failed, reasonsOf } from '../judge/respondent.js';
import { describeWaiting, waitingFor } from '../judge/human.js';
import { UserError } from '../errors.js';
import type { Rated, Reward, RewardItem } from '../reward/reward.js';
import { atomicWrite } from '../run/files.js';
import type { Hooks } from '../run/job.js';
import { readKept } from '../run/json-file.js';
import { finePercent } from '../run/numbers.js';
import { silentProgress } from '../run/progress.js';
import { Interrupted } from '../run/signals.js';
import { Waiting } from '../run/waiting.js';

/** A file of ratings: the name of the reward, and its result for each answer. */
interface Kept {
  readonly reward: string;
  readonly results: readonly (Rated | Failure)[];
}

/**
 * Rates a round's answers and keeps the results in `file`, where a resume reads them. So a round learns from the same answers after a
 * resume: an answer without a rating, because a server was down, stays without one.
 *
 * @param allowed The share of answers that may go without a rating, for whatever reason.
 * @param what What the answers are given, in a word. Default: a rating.
 * @throws Interrupted where a stop was asked for; the replies of a judge so far are cached
 * @throws UserError where more answers get no rating, or the file holds the ratings of another reward
 */
export async function rateAnswers(
  file: string,
  items: readonly RewardItem[],
  reward: Reward,
  allowed: number,
  { progress = silentProgress, interrupt }: Hooks,
  what = 'rating',
): Promise<readonly (Rated | Failure)[]> {
  if (existsSync(file)) {
    const kept = await readKept<Kept>(file);
    if (kept.reward === reward.name) return kept.results;
    throw new UserError(`The reward is ${reward.name} now; the ratings in ${file} are by ${kept.reward}.`, [
      'Restore the reward, or start again with --overwrite.',
    ]);
  }
  progress.start('rating', items.length, { unit: 'answers' });
  const results = await reward.rate(items, { onProgress: (done) => progress.update(done), signal: interrupt?.signal });
  // The reward is needed again in the next round; until then the trainer works.
  await reward.rest?.();
  progress.stop();
  if (interrupt?.requested === true) throw new Interrupted('Stopped while rating; go on with --resume.');
  await requireEnough(results.filter(failed), results.length, allowed, what);
  await atomicWrite(file, `${JSON.stringify({ reward: reward.name, results } satisfies Kept)}\n`);
  return results;
}

/** Why something that was asked for is not there. */
export interface Missing { readonly failure: string; readonly detail: string; readonly files?: readonly string[] }

/**
 * @param what The answers got no such thing, in a word.
 * @throws UserError where more than the allowed share of answers failed
 * @throws Waiting where that is because people have not answered yet
 */
export async function requireEnough(failures: readonly Missing[], answers: number, allowed: number, what: string): Promise<void> {
  if (failures.length <= allowed * answers) return;
  const waiting = await waitingFor(failures);
  if (waiting !== undefined) throw new Waiting(`${describeWaiting(waiting)} with --resume.`);
  throw new UserError(
    `${failures.length} of ${answers} answers got no ${what} `
      + `(${finePercent(failures.length / answers)}; allowedFailures is ${finePercent(allowed)}): ${counted(failures)}.`,
    [
      ...distinct(failures).slice(0, 5),
      ...(failures.every(({ failure }) => failure === 'not-applicable')
        ? []
        : ['With --resume only the questions that a server left open are asked again.']),
      'If so many may fail: --resume allowedFailures=SHARE.',
    ],
  );
}

/** The failures in words, each once, with how often it came. */
function distinct(failures: readonly Missing[]): string[] {
  const times = new Map<string, number>();
  for (const { failure, detail } of failures) times.set(`${failure}: ${detail}`, (times.get(`${failure}: ${detail}`) ?? 0) + 1);
  return [...times].map(([words, n]) => (n === 1 ? words : `${words} (${n} times)`));
}

/** Failures for people: "timeout 3, refused 1". */
export const counted = (failures: readonly Pick<Missing, 'failure'>[]): string =>
  Object.entries(reasonsOf(failures)).map(([reason, n]) => `${reason} ${n}`).join(', ');
