import { z } from 'zod';
import { UserError } from '../errors.js';
import type { JudgeOptions } from '../judge/options.js';
import type { JudgmentsOptions } from '../label/judgments.js';
import { namesExport } from '../run/user-module.js';
import { REWARDS } from './index.js';

type Kinds = typeof REWARDS;
export type RewardKind = keyof Kinds;

const KINDS = Object.keys(REWARDS) as RewardKind[];

const shape = Object.fromEntries(Object.entries(REWARDS).map(([name, { options }]) => [name, options.optional()])) as unknown as {
  readonly [Kind in RewardKind]: z.ZodOptional<Kinds[Kind]['options']>;
};

const ONE_KIND = `expected exactly one of ${KINDS.join(', ')}`;
const hasOneKind = (section: Partial<Record<RewardKind, unknown>>): boolean =>
  KINDS.filter((kind) => section[kind] !== undefined).length === 1;

/** `reward:` as a section with one of the kinds in it. */
export const RewardSection = z.strictObject(shape).refine(hasOneKind, ONE_KIND);
export type RewardSection = z.infer<typeof RewardSection>;

const isShort = (text: string): boolean => /^rules:./.test(text) || namesExport(text);
const Short = z.string().refine(isShort, `expected rules:FILE, ./FILE.ts#NAME, or a section: ${KINDS.join(', ')}`);

/** `reward:` of a recipe: `rules:FILE`, `./FILE.ts#NAME`, or a section. */
export const RewardOptions = z.union([Short, RewardSection]);
export type RewardOptions = z.infer<typeof RewardOptions>;

/** What a reward of several is called: metrics and overrides have the name in their keys. */
const NAME = /^[A-Za-z][\w-]*$/;

/** `rewards:` of a recipe: rewards by names of the user's own. A section takes a `weight` in the sum beside its kind. */
export const RewardsOptions = z
  .record(z.string(), z.union([Short, z.strictObject({
    ...shape,
    /** Default: 1. A negative weight punishes; with 0 the reward is only logged. */
    weight: z.number().default(1),
  }).refine(hasOneKind, ONE_KIND)]))
  .superRefine((rewards, context) => {
    const names = Object.keys(rewards);
    if (names.length === 0) context.addIssue({ code: 'custom', message: 'expected one reward or more: { style: { rules: FILE } }' });
    for (const name of names.filter((one) => !NAME.test(one))) {
      context.addIssue({ code: 'custom', path: [name], message: 'expected a name of letters, digits, _ and -, with a letter first' });
    }
  });
export type RewardsOptions = z.infer<typeof RewardsOptions>;

/** The kind of a reward: `rules`, `fn`, or the key of its section. */
export function rewardKindOf(reward: RewardOptions | RewardsOptions[string]): RewardKind {
  if (typeof reward !== 'string') return KINDS.find((kind) => reward[kind] !== undefined)!;
  return reward.startsWith('rules:') ? 'rules' : 'fn';
}

/** Whether a higher value may be worse: what a function counts, say. Of most kinds a higher value is better, whatever the options. */
export function mayBeCost(reward: RewardOptions): boolean {
  const kind = rewardKindOf(reward);
  const definition: { readonly mayBeCost?: (options: never) => boolean } = REWARDS[kind];
  // A short form says no option, and the kinds that have one ask for none here.
  const options = typeof reward === 'string' ? reward : reward[kind];
  return definition.mayBeCost?.(options as never) ?? false;
}

/**
 * The reward that `judge:` and `label:` of a recipe describe together: rules and reward models are rewards themselves; a respondent is
 * asked for judgments, as `label` says.
 *
 * @throws UserError where a respondent is named and `label` is missing
 */
export function rewardOfJudge(judge: JudgeOptions, label?: JudgmentsOptions): RewardOptions {
  if (label !== undefined) {
    const respondent = typeof judge === 'string' ? judge : without(judge, 'rules', 'rewardModel');
    return { judgments: { ...without(label, 'name'), judge: respondent } };
  }
  if (typeof judge === 'string') return judge;
  if (judge.rules !== undefined) return { rules: judge.rules };
  if (judge.rewardModel !== undefined) return { rewardModel: judge.rewardModel };
  throw new UserError('judge: answers questions, and nothing says what to ask.', [
    'Write label: judgments, or take a judge of whole responses: rules:FILE or rewardModel.',
  ]);
}

function without<T extends object, Key extends keyof T>(value: T, ...keys: readonly Key[]): Omit<T, Key> {
  const rest = { ...value };
  for (const key of keys) delete rest[key];
  return rest;
}
