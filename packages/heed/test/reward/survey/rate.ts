import { type Failure, failed } from '../../../src/judge/respondent.js';
import { type RewardInput, openReward } from '../../../src/reward/open.js';
import type { Rated, RewardItem } from '../../../src/reward/reward.js';
import type { Message } from '../../../src/text/template.js';

/** An item as `heed align` makes it: a chat or one question, the response, and the row's other columns. */
export const item = (prompt: string | readonly Message[], response: string, extra: Record<string, unknown> = {}, line = 1): RewardItem => {
  const messages = typeof prompt === 'string' ? [{ role: 'user' as const, content: prompt }] : [...prompt];
  return { prompt: messages, response, row: { source: { file: 'prompts.jsonl', line }, prompt: messages, extra } };
};

/** What a reward of a recipe says of some items. */
export async function rate(spec: RewardInput, items: readonly RewardItem[]): Promise<readonly (Rated | Failure)[]> {
  const reward = await openReward(spec);
  try {
    return await reward.rate(items);
  } finally {
    await reward.close();
  }
}

/** The same where every item must get a rating. @throws where one does not */
export async function rated(spec: RewardInput, items: readonly RewardItem[]): Promise<readonly Rated[]> {
  const results = await rate(spec, items);
  const failure = results.find(failed);
  if (failure !== undefined) throw new Error(failure.detail);
  return results as readonly Rated[];
}
