/** Rewards that ask a respondent, by way of the store of replies. */
import { createHash } from 'node:crypto';
import type { AskHooks, Failure, Respondent } from '../judge/respondent.js';
import type { Single } from '../label/material.js';
import { type LabelStore, openStore } from '../label/store.js';
import { cached } from '../label/cached.js';
import { addTotals, serverLines } from '../label/usage.js';
import { DEFAULT_STORE } from '../label/recipe.js';
import type { RewardTools } from './define.js';
import type { Rated, Reward, RewardHooks, RewardItem } from './reward.js';

/** The items as labelers take them; an item's index is its id. */
export const singlesOf = (items: readonly RewardItem[]): Single[] => items.map(({ prompt, response, row }, i) => (
  { source: row?.source ?? { file: 'response', line: i + 1 }, id: String(i), prompt, completion: response }
));

/**
 * A reward that asks a respondent. Each reply is in the store as soon as it is there, so a run that was killed asks what is missing.
 *
 * @param how What is asked, with all options: part of the reward's name.
 */
export const askThrough = (
  respondent: Respondent, tools: RewardTools, how: string, drawsLine: boolean,
  rate: (items: readonly RewardItem[], respondent: Respondent) => Promise<readonly (Rated | Failure)[]>,
): Reward => askAllThrough([respondent], tools, how, drawsLine, (items, [only]) => rate(items, only!));

/** The same with several respondents, whose replies are kept under the name of each. */
export function askAllThrough(
  respondents: readonly Respondent[], { store: at = DEFAULT_STORE, interrupt, log }: RewardTools, how: string, drawsLine: boolean,
  rate: (items: readonly RewardItem[], respondents: readonly Respondent[]) => Promise<readonly (Rated | Failure)[]>,
): Reward {
  let store: LabelStore | undefined;
  let asked: readonly ReturnType<typeof cached>[] | undefined;
  const names = respondents.map(({ name }) => name).join(' and ');
  return {
    name: `${how.split(' ')[0]} by ${names} ${createHash('sha256').update(how).digest('hex').slice(0, 12)}`,
    drawsLine,
    get asking() {
      return asked?.map(({ usage }) => usage).reduce(addTotals);
    },
    async rate(items, hooks = {}) {
      const open = (store ??= await openStore(at));
      asked ??= respondents.map((respondent) => cached(respondent, open));
      return rate(items, followed(asked, items.length, hooks, interrupt));
    },
    async rest() {
      for (const respondent of respondents) await respondent.rest?.();
    },
    async close() {
      for (const line of asked?.flatMap(({ usage }) => serverLines(usage)) ?? []) log?.(line);
      store?.close();
      await closeAll(respondents);
    },
  };
}

/** Closes everything, whatever becomes of one. @throws what the first one threw */
export async function closeAll(all: readonly { close(): Promise<void> }[]): Promise<void> {
  const closed = await Promise.allSettled(all.map((one) => one.close()));
  const refused = closed.find((one) => one.status === 'rejected');
  if (refused !== undefined) throw refused.reason;
}

/** The respondents with a caller's progress and stop. */
function followed(
  all: readonly Respondent[], total: number, { onProgress, signal }: RewardHooks, interrupt: RewardTools['interrupt'],
): Respondent[] {
  let replies = 0;
  const ask = async <R>(put: (hooks: AskHooks) => Promise<R>): Promise<R> => {
    const stop = new AbortController();
    if (interrupt?.requested === true) stop.abort();
    const signals = [stop.signal, signal, interrupt?.signal].filter((one) => one !== undefined);
    return put({
      signal: AbortSignal.any(signals),
      onReply() {
        replies++;
        // A response may be asked about twice: for a judgment, and whether it satisfies.
        onProgress?.(Math.min(total, Math.floor(replies / all.length)), total);
        if (interrupt?.requested === true) stop.abort();
      },
    });
  };
  return all.map((inner) => ({
    ...inner,
    choose: (questions) => ask((hooks) => inner.choose(questions, hooks)),
    write: (questions) => ask((hooks) => inner.write(questions, hooks)),
  }));
}
