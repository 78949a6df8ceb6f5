/** What a method computes advantages from, and the advantages. */

/** One answer of a round with its reward, as a method turns it into advantages. */
export interface Rollout {
  /** Names the prompt: answers to one prompt are a group. */
  readonly group: number;
  /** Null: no reward could be given. */
  readonly reward: number | null;
  /** The reward token by token, where it is known which tokens earned it; their sum is `reward`. Default: all of it at the last token. */
  readonly tokenRewards?: readonly number[];
  /** Which segment each token belongs to, from 0, where `tokenRewards` came segment by segment. Default: the answer is one segment. */
  readonly segments?: readonly number[];
  /** How much of the answer's advantage each token gets in a method without a critic; their mean is 1. Default: 1 each. */
  readonly weights?: readonly number[];
  /** The raw rewards that `reward` is made of, by name; null where one did not apply. */
  readonly parts?: Readonly<Record<string, number | null>>;
  /** What each part weighs in `reward`, by name. */
  readonly partWeights?: Readonly<Record<string, number>>;
  readonly tokens: number;
  /** log π of each token as it was sampled, by the generator. It differs from training's own pass by rounding alone (`mismatch_kl`). */
  readonly logp?: ArrayLike<number>;
  /** log π_ref of each token, under the model without the adapter; there where the method's `reads` asks for it. */
  readonly reference?: ArrayLike<number>;
  /** The value head's numbers before each token; the same. */
  readonly values?: ArrayLike<number>;
}

/** What a method makes of an answer's reward, token by token. */
export interface Credit {
  readonly advantages: readonly number[];
  readonly returns?: readonly number[];
}

/** What a method needs to know of a round's answers before it can tell their advantages. */
export interface RolloutReads {
  /** log π_ref, for a KL penalty in the reward or in the loss. */
  readonly reference: boolean;
  /** The name of the value head that is read. */
  readonly value?: string;
}
