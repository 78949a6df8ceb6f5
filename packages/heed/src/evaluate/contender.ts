/** What a comparison works on. */
import type { PromptRow } from '../data/rows.js';
import type { SamplingOptions } from '../generate/options.js';
import type { Model } from '../model/load.js';
import type { Adapter } from '../model/peft.js';
import type { RewardInput } from '../reward/open.js';
import type { PreferringJudge } from './preferred.js';

/** What takes part in a comparison: a model, with an adapter or without. */
export interface Contender {
  readonly name: string;
  /** Default: the model alone. */
  readonly adapter?: Adapter;
  /** In place of `adapter`: at least two runs that differ in their seed alone. They count as one, by the mean of each prompt. */
  readonly runs?: readonly { readonly name: string; readonly adapter: Adapter }[];
  /** The prompts that it learnt from, by `promptKey`. Default: unknown. */
  readonly trainedOn?: ReadonlySet<string>;
}

/** What a comparison works on. */
export interface ComparisonInput {
  readonly model: Model;
  /** At least two. Each after the first is compared with the first. */
  readonly contenders: readonly Contender[];
  readonly rows: readonly PromptRow[];
  readonly sampling: SamplingOptions;
  /** What rates the answers. Default: nothing; they are laid side by side. */
  readonly reward?: RewardInput;
  /** A judge that says which of two answers is better, in place of a reward. Default: none. */
  readonly preferring?: PreferringJudge;
  /** Where the replies of a respondent behind the reward are kept. Default: runs/labels.db. */
  readonly store?: string;
  /**
   * A folder that keeps the answers, each contender's in a file named by what they follow from: weights, template, prompts and sampling.
   * What is there is not answered again. Default: nowhere.
   */
  readonly keptIn?: string;
}
