import type { z } from 'zod';
import { UserError } from '../errors.js';
import { describeIssues } from '../run/recipe-problems.js';
import { type RewardDefinition, type RewardTools } from './define.js';
import { REWARDS } from './index.js';
import { RewardOptions, RewardsOptions, type RewardKind } from './options.js';
import { type RewardPart, combineRewards } from './combined.js';
import type { Reward } from './reward.js';
import { readWeights, withWeights } from './weights-file.js';

/** Rewards by name, as a recipe or a program names them: what has a default may be left out. */
export type RewardsInput = z.input<typeof RewardsOptions>;

/** Several rewards by name. `weights`: a file of `heed fit-rewards`, which says how much each counts. */
export interface SeveralInput {
  readonly rewards: RewardsInput;
  readonly weights?: string;
}

/** A reward as a recipe or a program names it, or the weighted sum of several. What has a default may be left out. */
export type RewardInput = z.input<typeof RewardOptions> | SeveralInput;

/**
 * Opens the reward that a recipe names. Close it when all is rated.
 *
 * @param spec `rules:FILE`, `./FILE.ts#NAME`, a section with one kind of reward (`REWARDS`), or `{ rewards }`.
 * @throws UserError where the text names no reward, an option is wrong, or the reward cannot be opened
 */
export async function openReward(spec: RewardInput, tools: RewardTools = {}): Promise<Reward> {
  if (namesSeveral(spec)) return openRewards(spec.rewards, tools, spec.weights);
  const { definition, options } = chosen(spec);
  return definition.open(options, tools);
}

/**
 * Opens several rewards as one, whose value is their weighted sum (`combineRewards`).
 *
 * @param map Rewards by name: `{ style: 'rules:FILE', short: { fn: './r.ts#short', weight: 0.5 } }`.
 * @param weights A file of `heed fit-rewards`. Default: each reward counts by its `weight` alone.
 * @throws UserError where an entry is wrong, a reward cannot be opened, or the file is of other rewards; those that were open are closed
 */
export async function openRewards(map: RewardsInput, tools: RewardTools = {}, weights?: string): Promise<Reward> {
  const fitted = weights === undefined ? undefined : await readWeights(weights);
  const parts = await openParts(map, tools);
  try {
    return combineRewards(fitted === undefined ? parts : withWeights(weights!, fitted, parts));
  } catch (error) {
    for (const { reward } of parts) await reward.close();
    throw error;
  }
}

/** Opens each of several rewards. @throws UserError as `openRewards` does */
export async function openParts(map: RewardsInput, tools: RewardTools = {}): Promise<RewardPart[]> {
  const parts: RewardPart[] = [];
  try {
    for (const [name, { weight, spec }] of entriesOf(map)) parts.push({ name, weight, reward: await openReward(spec, tools) });
    return parts;
  } catch (error) {
    for (const { reward } of parts) await reward.close();
    throw error;
  }
}

/** `reward:`, or `rewards:`, as people read it. @throws UserError where it names none */
export function describeReward(spec: RewardInput): string {
  if (namesSeveral(spec)) {
    const sum = entriesOf(spec.rewards).map(([name, { weight, spec: one }]) => `${weight} × ${name} (${describeReward(one)})`).join(' + ');
    return spec.weights === undefined ? sum : `${sum}, with the weights of ${spec.weights}`;
  }
  const { definition, options } = chosen(spec);
  return definition.describe?.(options) ?? definition.name;
}

type One = z.input<typeof RewardOptions>;

const namesSeveral = (spec: RewardInput): spec is SeveralInput => typeof spec === 'object' && 'rewards' in spec;

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
