import { existsSync } from 'node:fs';
import { failed } from '../judge/respondent.js';
import { equalInGroup, k1, meanOf, sampleStd } from '../method/advantages.js';
import { atomicWrite } from '../run/files.js';
import { readKept } from '../run/json-file.js';
import { finePercent } from '../run/numbers.js';
import type { RatedAnswer } from './rollout-log.js';

const rewardsOf = (rated: readonly RatedAnswer[]): number[] =>
  rated.flatMap(({ result }) => (failed(result) ? [] : [result.value]));

/** Mean reward of the answers that got one; NaN where none did. */
export const meanReward = (rated: readonly RatedAnswer[]): number => meanOf(rewardsOf(rated));

const share = (flags: readonly boolean[]): number => flags.filter(Boolean).length / flags.length;

/** For each answer, whether all rewards of its group are equal. */
const zeroStd = (rated: readonly RatedAnswer[]): boolean[] =>
  equalInGroup(rated.map(({ rollout }) => rollout.reward), rated.map(({ rollout }) => rollout.group));

/**
 * The numbers of a round, by TRL's names: `reward`, `reward_std` (sample deviation over all answers), `rewards/<name>/mean|std`,
 * `frac_reward_zero_std`, `kl` (mean of log π/π_ref over tokens), `objective/kl` (its sum over an answer, mean over answers),
 * `completions/…` in tokens, `num_tokens` (prompts and answers since the run began).
 *
 * @param file Keeps the totals up to this round; `before` those up to the round before.
 */
export async function rolloutMetrics(rated: readonly RatedAnswer[], file: string, before: string): Promise<Record<string, number>> {
  const rewards = rewardsOf(rated);
  const lengths = rated.map(({ answer }) => answer.ids.length);
  const ended = rated.flatMap(({ answer: { finish, ids } }) => (finish === 'stop' ? [ids.length] : []));
  const earlier = existsSync(before) ? (await readKept<{ numTokens: number }>(before)).numTokens : 0;
  const numTokens = earlier + lengths.reduce((sum, n) => sum + n, 0) + rated.reduce((sum, { promptTokens }) => sum + promptTokens, 0);
  await atomicWrite(file, `${JSON.stringify({ numTokens })}\n`);
  return {
    reward: meanOf(rewards),
    reward_std: sampleStd(rewards),
    ...partsOf(rated),
    frac_reward_zero_std: share(zeroStd(rated)),
    ...klOf(rated),
    'completions/mean_length': meanOf(lengths),
    'completions/min_length': Math.min(...lengths),
    'completions/max_length': Math.max(...lengths),
    'completions/clipped_ratio': share(rated.map(({ answer }) => answer.finish === 'length')),
    // TRL has 0 where no answer ended.
    'completions/mean_terminated_length': ended.length === 0 ? 0 : meanOf(ended),
    'completions/min_terminated_length': ended.length === 0 ? 0 : Math.min(...ended),
    'completions/max_terminated_length': ended.length === 0 ? 0 : Math.max(...ended),
    num_tokens: numTokens,
  };
}

function partsOf(rated: readonly RatedAnswer[]): Record<string, number> {
  const names = [...new Set(rated.flatMap(({ rollout }) => Object.keys(rollout.parts ?? {})))];
  return Object.fromEntries(names.flatMap((name) => {
    const values = rated.flatMap(({ rollout }) => {
      const value = rollout.parts?.[name];
      return value === undefined || value === null ? [] : [value];
    });
    return [[`rewards/${name}/mean`, meanOf(values)], [`rewards/${name}/std`, sampleStd(values)]];
  }));
}

function klOf(rated: readonly RatedAnswer[]): Record<string, number> {
  if (rated.some(({ rollout: { logp, reference } }) => logp === undefined || reference === undefined)) return {};
  const each = rated.map(({ rollout: { logp, reference } }) => k1(logp!, reference!));
  return { kl: meanOf(each.flat()), 'objective/kl': meanOf(each.map((own) => own.reduce((sum, x) => sum + x, 0))) };
}

/** For people: "reward 0.512 ± 0.2 over 32 answers to 8 prompts, 31 tokens each; …". */
export function describeRollouts(rated: readonly RatedAnswer[]): string {
  const rewards = rewardsOf(rated);
  const prompts = new Set(rated.map(({ rollout }) => rollout.group)).size;
  const tokens = meanOf(rated.map(({ answer }) => answer.ids.length));
  const isEqual = zeroStd(rated);
  const equal = share(isEqual);
  // With rewards by token, or a critic, equal rewards may teach nevertheless.
  const idle = rated.every(({ credit }, i) => !isEqual[i] || credit.advantages.every((a) => a === 0));
  const cut = rated.filter(({ answer }) => answer.finish === 'length').length;
  return [
    rewards.length === 0 ? 'no reward' : `reward ${meanOf(rewards).toPrecision(3)} (deviation ${sampleStd(rewards).toPrecision(2)})`,
    `${rated.length} answers to ${prompts} prompts`,
    `${tokens.toFixed(0)} tokens each`,
    ...(cut === 0 ? [] : [`${cut} cut off`]),
    ...(rewards.length === rated.length ? [] : [`${rated.length - rewards.length} without a reward`]),
    ...(equal === 0 ? [] : [`${finePercent(equal)} in groups of equal rewards${idle ? ', which teach nothing' : ''}`]),
  ].join(', ');
}
