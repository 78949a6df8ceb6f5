/** Options of the verbs that have answers rated: by what. */
import type { Command } from 'commander';

import { UserError } from '../errors.js';
import type { RewardInput } from '../reward/open.js';

export interface RewardFlags {
  readonly reward?: string;
  readonly rewards?: string;
  readonly weights?: string;
  readonly judge?: string;
  readonly store?: string;
}

/** Adds --reward, --rewards, --weights, --judge and --store. */
export const rewardFlags = (command: Command): Command => command
    .option('--reward <reward>', 'what rates: rules:FILE, ./FILE.ts#NAME, or a section, such as "{ rewardModel: { adapter: FOLDER } }"')
    .option('--rewards <sections>', 'several by name, summed: "{ style: { rules: FILE }, short: { fn: ./FILE.ts#NAME, weight: 0.5 } }"')
    .option('--weights <file>', 'how much each of --rewards counts: a file that heed fit-rewards wrote')
    .option('--judge <judge>', 'the same, or a judge that gives marks: "{ local: {} }", "{ endpoint: { url: URL, model: NAME } }"')
    .option('--store <store>', 'where the replies of a model that is asked are kept (default: runs/labels.db)');

/** The reward that the flags name, opened by nothing yet; undefined where they name none. @throws UserError where they name two */
export async function rewardOf(flags: Omit<RewardFlags, 'store'>): Promise<RewardInput | undefined> {
  const [first, second] = (['reward', 'rewards', 'judge'] as const).filter((name) => flags[name] !== undefined);
  if (second !== undefined) throw new UserError(`--${first} and --${second} name the same thing.`, ['Leave one of them out.']);
  if (flags.weights !== undefined && first !== 'rewards') {
    throw new UserError('--weights are those of several rewards, and there are no --rewards.', ['Leave --weights out.']);
  }
  if (first === undefined) return undefined;
  const given = flags[first]!;
  const [{ parseYamlValue }, { describeReward }] = await Promise.all([
    import('../run/recipe-yaml.js'), import('../reward/open.js'),
  ]);
  const value = given.trimStart().startsWith('{') ? parseYamlValue(given, `--${first}`) : given;
  const one = first === 'judge' ? await marksOf(value) : value;
  const spec = (first === 'rewards' ? { rewards: value, weights: flags.weights } : one) as RewardInput;
  // A reward that does not exist is found out about before a model is loaded.
  describeReward(spec);
  return spec;
}

/** A judge that is asked, as the reward of its marks; anything else as it is. What is asked stands in the heading of the result. */
async function marksOf(value: unknown): Promise<unknown> {
  const { JUDGES } = await import('../judge/index.js');
  const keys = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  return keys.length === 1 && Object.hasOwn(JUDGES, keys[0]!) ? { scores: { judge: value } } : value;
}

/** @throws UserError where no reward was named */
export function requireReward(spec: RewardInput | undefined): RewardInput {
  if (spec === undefined) throw new UserError('Nothing says what rates the answers.', ['Name a reward: --reward rules:FILE']);
  return spec;
}
