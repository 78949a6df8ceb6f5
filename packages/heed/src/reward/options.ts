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

/** `reward:` as a section with one of the kinds in it. */
export const RewardSection = z.strictObject(shape)
  .refine((section) => KINDS.filter((kind) => section[kind] !== undefined).length === 1, `expected exactly one of ${KINDS.join(', ')}`);
export type RewardSection = z.infer<typeof RewardSection>;

const isShort = (text: string): boolean => /^rules:./.test(text) || namesExport(text);

/** `reward:` of a recipe: `rules:FILE`, `./FILE.ts#NAME`, or a section. */
export const RewardOptions = z.union([
  z.string().refine(isShort, `expected rules:FILE, ./FILE.ts#NAME, or a section: ${KINDS.join(', ')}`),
  RewardSection,
]);
export type RewardOptions = z.infer<typeof RewardOptions>;

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
