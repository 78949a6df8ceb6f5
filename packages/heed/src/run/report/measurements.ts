/** How measurements of a summary are written: their names, their unit, and which direction is good. */
import type { Estimate } from '../statistics.js';
import { number, percent, words } from './format.js';

interface Measurement {
  readonly title: string;
  /** Absent where neither direction is good by itself, such as the length of an answer. */
  readonly better?: 'higher' | 'lower';
  /** A share of 1, shown in percent. */
  readonly share?: boolean;
}

/** Any other name is shown as it is, without a good direction. */
const KNOWN: Readonly<Record<string, Measurement>> = {
  satisfied: { title: 'good enough answers', better: 'higher', share: true },
  value: { title: 'reward of an answer', better: 'higher' },
  findings: { title: 'findings in an answer', better: 'lower' },
  unfinished: { title: 'answers cut off at the length limit', better: 'lower', share: true },
  medianWords: { title: 'words in an answer (median)' },
  distinct2: { title: 'different word pairs among all (distinct-2)' },
  repetition: { title: 'repeated word triples', better: 'lower', share: true },
  selfPraise: { title: 'answers that praise themselves', better: 'lower', share: true },
  logprobPerToken: { title: 'log-probability of a token under the base model' },
  loss: { title: 'loss', better: 'lower' },
  nll: { title: 'surprise at a token (nll)', better: 'lower' },
  nll_satisfied: { title: 'surprise at a token of good answers (nll)', better: 'lower' },
  nll_judged: { title: 'surprise at a token of bad answers under their judgment (nll)', better: 'lower' },
  l1: { title: 'loss of bad answers without their judgment (L1)', better: 'lower' },
  inappropriate: { title: 'tokens of bad answers that the judgment marks', share: true },
  rows_with_inappropriate: { title: 'bad answers with a marked token', share: true },
  accuracy: { title: 'accuracy', better: 'higher', share: true },
  rewards_chosen: { title: 'reward of the better response' },
  rewards_rejected: { title: 'reward of the worse response' },
  rewards_margin: { title: 'reward of the better response less that of the worse', better: 'higher' },
  logp_chosen: { title: 'log-probability of the better response' },
  logp_rejected: { title: 'log-probability of the worse response' },
  brier: { title: 'distance of the probabilities from the labels (Brier)', better: 'lower' },
  confidence: { title: 'confidence in the likeliest answer', share: true },
  answer_mass: { title: 'probability of the given answers together', better: 'higher', share: true },
  reward: { title: 'reward', better: 'higher' },
  reward_std: { title: 'spread of the rewards' },
  frac_reward_zero_std: { title: 'prompts whose answers all have one reward', better: 'lower', share: true },
  kl: { title: 'distance from the reference (KL)' },
  entropy: { title: 'openness of the next token (entropy)' },
  'completions/mean_length': { title: 'tokens of an answer' },
  'completions/clipped_ratio': { title: 'answers cut off at the length limit', better: 'lower', share: true },
  grad_norm: { title: 'size of the gradient' },
  lr: { title: 'learning rate' },
};

/** What is known of a measurement by its name. */
export function measurementOf(name: string): Measurement {
  if (Object.hasOwn(KNOWN, name)) return KNOWN[name]!;
  const [, label] = /^recall_(.+)$/.exec(name) ?? [];
  if (label === undefined) return { title: words(name) };
  return { title: `rows of ${label} that are found (recall)`, better: 'higher', share: true };
}

/** The good direction, for people; undefined where neither direction is good by itself. */
export const directionOf = ({ better }: { readonly better?: Measurement['better'] | undefined }): string | undefined =>
  better && `${better} is better`;

/** A mean with its interval, as `summary.json` holds it. */
export type Interval = Pick<Estimate, 'mean' | 'low' | 'high'> & Partial<Pick<Estimate, 'n'>>;

/** Whether a value of a summary is an object with named parts. */
export const isSection = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What a section of a recipe is called: the word itself, or its `name`; undefined where it has neither. */
export function nameOf(section: unknown): string | undefined {
  if (typeof section === 'string') return section;
  return isSection(section) && typeof section['name'] === 'string' ? section['name'] : undefined;
}

/** Whether a value of a summary is a mean with its interval. */
export const isInterval = (value: unknown): value is Interval =>
  isSection(value) && ['mean', 'low', 'high'].every((key) => typeof value[key] === 'number');

/** The number, or the mean of the interval; undefined where a value is neither. */
export function middle(value: unknown): number | undefined {
  if (isInterval(value)) return value.mean;
  return typeof value === 'number' ? value : undefined;
}

/** The models compute in float32, and a log-probability is a sum of numbers of about size 1 or more. */
const ROUNDING = 2 ** -20;

/** A measured value without what is only rounding: a number that float32 cannot tell from 0, beside numbers of size `scale`, becomes 0. */
export function withoutRounding(value: unknown, scale: number): unknown {
  const rounded = (x: number): number => (Math.abs(x) <= ROUNDING * Math.max(1, scale) ? 0 : x);
  if (isInterval(value)) return { ...value, mean: rounded(value.mean), low: rounded(value.low), high: rounded(value.high) };
  return typeof value === 'number' ? rounded(value) : value;
}

/** What is said where a change is not after − before. */
export const CHANGE_NOTE = 'A change is the mean of the changes of single rows, over the rows that were measured both times, each counted '
  + 'alike. It may differ from after minus before, where long rows count more, or rows that were measured once count too.';

/** Whether a change is another number than after − before, beyond rounding. */
export function isNotDifference(before: unknown, after: unknown, change: unknown): boolean {
  const [was, is, by] = [before, after, change].map(middle);
  if (was === undefined || is === undefined || by === undefined) return false;
  return Math.abs(is - was - by) > 1e-3 * Math.max(Math.abs(was), Math.abs(is), 1e-3);
}

/** Writes numbers of one measurement. */
export interface Writer {
  value(value: number): string;
  /** A difference, with its sign; of shares in percentage points. */
  difference(value: number): string;
}

const signed = (value: number, text: string): string => (value > 0 ? `+${text}` : text);

/** How the numbers of a measurement are written. */
export const writerOf = ({ share = false }: Measurement): Writer => ({
  value: share ? percent : number,
  difference: (value) => signed(value, share ? percent(value).replace('%', 'points') : number(value)),
});
