import type { z } from 'zod';
import { UserError } from '../errors.js';
import { describeIssues } from '../run/recipe-problems.js';
import { type RewardDefinition, type RewardTools } from './define.js';
import { REWARDS } from './index.js';
import { RewardOptions, type RewardKind } from './options.js';
import type { Reward } from './reward.js';

/** A reward as a recipe or a program names it: what has a default may be left out. */
export type RewardInput = z.input<typeof RewardOptions>;

/**
 * Opens the reward that a recipe names. Close it when all is rated.
 *
 * @param spec `rules:FILE`, `./FILE.ts#NAME`, or a section with one of rules, rewardModel, scores, judgments, fn.
 * @throws UserError where the text names no reward, an option is wrong, or the reward cannot be opened
 */
export async function openReward(spec: RewardInput, tools: RewardTools = {}): Promise<Reward> {
  const { definition, options } = chosen(spec);
  return definition.open(options, tools);
}

/** `reward:` as people read it. @throws UserError where it names none */
export function describeReward(spec: RewardInput): string {
  const { definition, options } = chosen(spec);
  return definition.describe?.(options) ?? definition.name;
}

/** The kind that a spec names, and its options with their defaults. */
function chosen(spec: RewardInput): { readonly definition: RewardDefinition<unknown>; readonly options: unknown } {
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
