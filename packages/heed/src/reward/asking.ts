/** Rewards that ask a respondent, by way of the store of replies. */
import { createHash } from 'node:crypto';
import type { AskHooks, Failure, Respondent } from '../judge/respondent.js';
import type { Single } from '../label/material.js';
import { type LabelStore, openStore } from '../label/store.js';
import { cached } from '../label/cached.js';
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
export function askThrough(
  respondent: Respondent, { store: at = DEFAULT_STORE, interrupt }: RewardTools, how: string, drawsLine: boolean,
  rate: (items: readonly RewardItem[], respondent: Respondent) => Promise<readonly (Rated | Failure)[]>,
): Reward {
  let store: LabelStore | undefined;
  let asked: ReturnType<typeof cached> | undefined;
  return {
    name: `${how.split(' ')[0]} by ${respondent.name} ${createHash('sha256').update(how).digest('hex').slice(0, 12)}`,
    drawsLine,
    get asking() {
      return asked?.usage;
    },
    async rate(items, hooks = {}) {
      asked ??= cached(respondent, (store ??= await openStore(at)));
      return rate(items, followed(asked, items.length, hooks, interrupt));
    },
    rest: async () => respondent.rest?.(),
    async close() {
      try {
        store?.close();
      } finally {
        await respondent.close();
      }
    },
  };
}

/** The respondent with a caller's progress and stop. */
function followed(inner: Respondent, total: number, { onProgress, signal }: RewardHooks, interrupt: RewardTools['interrupt']): Respondent {
  let done = 0;
  const ask = async <R>(put: (hooks: AskHooks) => Promise<R>): Promise<R> => {
    const stop = new AbortController();
    if (interrupt?.requested === true) stop.abort();
    const signals = [stop.signal, signal, interrupt?.signal].filter((one) => one !== undefined);
    return put({
      signal: AbortSignal.any(signals),
      onReply() {
        // A response may be asked about twice: for a judgment, and whether it satisfies.
        done = Math.min(total, done + 1);
        onProgress?.(done, total);
        if (interrupt?.requested === true) stop.abort();
      },
    });
  };
  return {
    ...inner,
    choose: (questions) => ask((hooks) => inner.choose(questions, hooks)),
    write: (questions) => ask((hooks) => inner.write(questions, hooks)),
  };
}
