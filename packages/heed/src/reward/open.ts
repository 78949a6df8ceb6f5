import type { z } from 'zod';
import { UserError } from '../errors.js';
import { describeIssues } from '../run/recipe-problems.js';
import { type RewardDefinition, type RewardTools } from './define.js';
import { REWARDS } from './index.js';
import { RewardOptions, RewardsOptions, type RewardKind } from './options.js';
import { combineRewards } from './combined.js';
import type { Reward } from './reward.js';

/** Rewards by name, as a recipe or a program names them: what has a default may be left out. */
export type RewardsInput = z.input<typeof RewardsOptions>;

/** A reward as a recipe or a program names it, or the weighted sum of several. What has a default may be left out. */
export type RewardInput = z.input<typeof RewardOptions> | { readonly rewards: RewardsInput };

/**
 * Opens the reward that a recipe names. Close it when all is rated.
 *
 * @param spec `rules:FILE`, `./FILE.ts#NAME`, a section with one kind of reward (`REWARDS`), or `{ rewards }`.
 * @throws UserError where the text names no reward, an option is wrong, or the reward cannot be opened
 */
export async function openReward(spec: RewardInput, tools: RewardTools = {}): Promise<Reward> {
  if (namesSeveral(spec)) return openRewards(spec.rewards, tools);
  const { definition, options } = chosen(spec);
  return definition.open(options, tools);
}

/**
 * Opens several rewards as one, whose value is their weighted sum (`combineRewards`).
 *
 * @param map Rewards by name: `{ style: 'rules:FILE', short: { fn: './r.ts#short', weight: 0.5 } }`.
 * @throws UserError where an entry is wrong, or a reward cannot be opened; those that were open are closed
 */
export async function openRewards(map: RewardsInput, tools: RewardTools = {}): Promise<Reward> {
  const parts: { name: string; weight: number; reward: Reward }[] = [];
  try {
    for (const [name, { weight, spec }] of entriesOf(map)) parts.push({ name, weight, reward: await openReward(spec, tools) });
    return combineRewards(parts);
  } catch (error) {
    for (const { reward } of parts) await reward.close();
    throw error;
  }
}

/** `reward:`, or `rewards:`, as people read it. @throws UserError where it names none */
export function describeReward(spec: RewardInput): string {
  if (namesSeveral(spec)) {
    return entriesOf(spec.rewards).map(([name, { weight, spec: one }]) => `${weight} × ${name} (${describeReward(one)})`).join(' + ');
  }
  const { definition, options } = chosen(spec);
  return definition.describe?.(options) ?? definition.name;
}

type One = z.input<typeof RewardOptions>;

const namesSeveral = (spec: RewardInput): spec is { readonly rewards: RewardsInput } => typeof spec === 'object' && 'rewards' in spec;

/** Each reward of several with its weight. @throws UserError where an entry names no reward or has wrong options */
function entriesOf(map: RewardsInput): [name: string, entry: { readonly weight: number; readonly spec: One }][] {
  const parsed = RewardsOptions.safeParse(map, { reportInput: true });
  if (!parsed.success) throw new UserError(describeIssues(parsed.error.issues, RewardsOptions, map, () => 'rewards').join('\n'));
  return Object.entries(parsed.data).map(([name, entry]) => {
    if (typeof entry === 'string') return [name, { weight: 1, spec: entry }];
    const { weight, ...spec } = entry;
    return [name, { weight, spec }];
  });
}

/** The kind that a spec names, and its options with their defaults. */
function chosen(spec: One): { readonly definition: RewardDefinition<unknown>; readonly options: unknown } {
  const parsed = RewardOptions.safeParse(spec, { reportInput: true });
  if (!parsed.success) {
    if (typeof spec !== 'string') throw new UserError(describeIssues(parsed.error.issues, RewardOptions, spec, () => 'reward').join('\n'));
    throw new UserError(`"${spec}" names no reward.`, [
      'Write rules:FILE, where FILE is a YAML file of rules, such as rules:examples/house-style/house-style.rules.yaml,',
      'or ./FILE.ts#NAME, a function or a reward that a module of yours exports.',
    ]);
  }
  const section = typeof parsed.data === 'string' ? sectionOf(parsed.data) : parsed.data;
  const [kind, options] = Object.entries(section).find(([, value]) => value !== undefined) as [RewardKind, unknown];
  return { definition: REWARDS[kind], options };
}

const sectionOf = (text: string): Partial<Record<RewardKind, unknown>> =>
  (text.startsWith('rules:') ? { rules: text.slice('rules:'.length) } : { fn: text });
