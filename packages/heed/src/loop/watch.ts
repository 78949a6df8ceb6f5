import { existsSync } from 'node:fs';
import { z } from 'zod';
import type { Reward } from '../reward/reward.js';
import { atomicWrite } from '../run/files.js';
import type { RunFolder } from '../run/folder.js';
import type { Hooks } from '../run/job.js';
import { type Alarm, type Signs, type WatchedAnswer, alarmsOf, describeAlarm, exploded, signsOf } from './alarms.js';
import { readKept } from '../run/json-file.js';

/** `watch:` of a recipe. */
export const WatchOptions = z.strictObject({
  /**
   * `true`: the run ends before it learns from a round that raises an alarm, and goes back to the policy of the round before. `false`: it
   * says alarms and goes on. Default: it says alarms, and ends like this only where the KL divergence explodes.
   */
  stop: z.boolean().optional(),
});
export type WatchOptions = z.infer<typeof WatchOptions>;

interface Looked {
  readonly report: Readonly<Record<string, number>>;
  readonly stop: boolean;
}

/** The watch of one run. */
export interface Watch {
  /** Whether it may end a run whose KL divergence from the base is measured, or is not. */
  mayStop(measured: boolean): boolean;
  /** Whether it wants to know the KL divergence from the base where the method does not: an alarm ends the run. */
  readonly wantsKl: boolean;
  /**
   * Looks at a round's rated answers, says its alarms, and keeps its signs in `work/round-<k>/signs.json`, where a resume finds them.
   *
   * @param other An alarm that something else raised and said, which ends the run as those of the watch do.
   * @returns The numbers of the round for its report, and whether the run is to end: without learning from the round, and with the policy
   * of the round before.
   */
  look(k: number, answers: readonly WatchedAnswer[], other?: Alarm): Promise<Looked>;
  /** The alarms of all rounds so far, of earlier processes of the run, too. */
  alarms(): readonly Alarm[];
}

/** Opens the watch of a run. A round without a rated answer has no signs, and the next round is compared with those that have. */
export function openWatch(
  { stop }: WatchOptions, { weights }: Pick<Reward, 'weights'>, run: Pick<RunFolder, 'path'>, { say = () => undefined }: Hooks,
): Watch {
  const seen = new Map<number, Signs>();
  const fileOf = (k: number): string => run.path('work', `round-${k}`, 'signs.json');

  const upTo = (k: number): Signs[] => [...seen].filter(([round]) => round <= k).sort(([a], [b]) => a - b).map(([, signs]) => signs);
  const raisedIn = (k: number): Alarm[] => alarmsOf(upTo(k), weights).map((alarm) => ({ ...alarm, round: k }));

  return {
    mayStop: (measured) => stop === true || (stop === undefined && measured),
    wantsKl: stop === true,
    async look(k, answers, other) {
      for (let before = 1; before < k; before++) {
        if (seen.has(before) || !existsSync(fileOf(before))) continue;
        seen.set(before, await readKept<Signs>(fileOf(before)));
      }
      if (answers.length === 0) return { report: {}, stop: false };
      const signs = signsOf(answers);
      await atomicWrite(fileOf(k), `${JSON.stringify(signs)}\n`);
      seen.set(k, signs);
      const alarms = raisedIn(k);
      for (const alarm of alarms) say(`${describeAlarm(alarm)}.`);
      const ends = stop === true ? alarms.length > 0 || other !== undefined : stop === undefined && exploded(signs);
      if (ends) say(`round ${k} is not learnt from, and the run ends here (watch.stop).`);
      return { report: reportOf(signs), stop: ends };
    },
    alarms: () => [...seen.keys()].sort((a, b) => a - b).flatMap(raisedIn),
  };
}

/** The means of a round's signs under the names of alarms. `reward` is the round's own. */
const reportOf = ({ words, distinct2, repetition, selfPraise, kl, parts }: Signs): Record<string, number> => ({
  words: words.mean, distinct2, repetition: repetition.mean, selfPraise: selfPraise.mean,
  ...(kl === undefined ? {} : { kl: kl.mean }),
  ...Object.fromEntries(Object.entries(parts).map(([name, { mean }]) => [`rewards/${name}`, mean])),
});
