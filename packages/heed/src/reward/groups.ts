import type { RewardItem } from './reward.js';

/** Indices of the samples of each prompt: items with the same row and the same prompt. */
export function groupsOf(items: readonly RewardItem[]): number[][] {
  const groups = new Map<string, number[]>();
  items.forEach(({ prompt, row }, i) => {
    const key = JSON.stringify([row?.source.file, row?.source.line, prompt]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [i]);
    else group.push(i);
  });
  return [...groups.values()];
}
