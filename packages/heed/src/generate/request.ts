import type { View } from '@heed/tensor';
import type { AdapterPlan } from '../model/adapter.js';
import type { Precision } from '../run/precision.js';
import type { SamplingOptions, Steering } from './options.js';

/** A prompt to be answered. */
export interface GenerationRequest {
  readonly prompt: readonly number[];
  /**
   * Names the random numbers, together with the seed: the same row gets the same completions in whatever batch, up to the rounding of
   * matrix products with other numbers of rows.
   */
  readonly row: number;
  /**
   * The prompt is a text that the answer goes on with, so the answer's text keeps the space before its first word. Default: false, an
   * answer is a text of its own.
   */
  readonly continues?: boolean;
  /** How many completions are wanted; the prompt is computed once for all of them. Default: 1. */
  readonly samples?: number;
}

/** One of the likeliest tokens of a place. */
export interface Likely {
  readonly id: number;
  /** Under the model itself, as `Completion.logprobs`. */
  readonly logprob: number;
}

/** A chosen token; `top`: the likeliest tokens of its place in falling order, if asked for. */
export interface Token extends Likely {
  /** Under the distribution that it was drawn from: at temperature other than 1 without filters, or with `reportKept`. */
  readonly sampled?: number;
  /** The tokens that filters kept, in falling order; with `reportKept`. */
  readonly kept?: readonly number[];
  readonly top?: readonly Likely[];
}

/** One answer to a request. */
export interface Completion {
  readonly row: number;
  readonly sample: number;
  /** The tokens, with the end-of-turn token if it was produced. With a stop text: the tokens that lie wholly before that text. */
  readonly ids: readonly number[];
  /** The text without the end-of-turn token. It ends where a stop text began, which may be inside the token after `ids`. */
  readonly text: string;
  /** log p of each of `ids` under the model itself, in nats: temperature 1, no penalty, no filter. */
  readonly logprobs: readonly number[];
  /**
   * log p of each of `ids` under softmax(logits / temperature), which it was drawn from; there where the temperature is neither 0 nor 1
   * and nothing filters. With `reportKept`: over the tokens that were kept.
   */
  readonly sampled?: readonly number[];
  /** The tokens that filters kept at the place of each of `ids`; there where `reportKept` asks and a filter is on. */
  readonly kept?: readonly (readonly number[])[];
  /** The likeliest tokens at the place of each of `ids`, if `top` asked for them. */
  readonly tops?: readonly (readonly Likely[])[];
  /** `stop`: an end of turn or a stop text; `length`: cut off at `maxNewTokens`. */
  readonly finish: 'stop' | 'length';
}

export interface GenerationHooks {
  /**
   * Gets text as it becomes certain; a completion's pieces together are its text. `tokens` are those that end in this piece; over all
   * pieces they are the completion's `ids`. The last piece may be tokens without text (an end of turn).
   */
  onToken?(row: number, sample: number, textDelta: string, tokens: readonly Token[]): void;
  /** Gets each completion as soon as it is finished, which is not in the order of the requests. */
  onCompletion?(completion: Completion): void;
  /** Called after each step with the tokens so far and how many completions are finished, of how many. */
  onProgress?(progress: { readonly tokens: number; readonly finished: number; readonly total: number }): void;
  /** Once aborted, `generate` rejects with the signal's reason after the current step. */
  readonly signal?: AbortSignal;
  /** Changes how tokens are chosen in the middle of a completion. */
  readonly steer?: Steer;
}

/** How a completion is steered while it is written. */
export interface Steer {
  /** Tokens from one choice to the next. */
  readonly every: number;
  /**
   * Called where a completion has `every`, 2 · `every`, … tokens and goes on. What it returns replaces the call's own options up to the
   * next choice; what it leaves out goes back to them.
   */
  choose(sofar: WrittenSoFar): Partial<Steering>;
}

/** A completion that is being written. */
export interface WrittenSoFar {
  readonly row: number;
  readonly sample: number;
  readonly ids: readonly number[];
  /** The likeliest tokens of each place so far, if the options' `top` asks for them. */
  readonly tops: readonly (readonly Likely[])[];
}

export interface GeneratorOptions {
  /** Text of token ids, special tokens left out. `continues`: as `GenerationRequest.continues`. */
  readonly decode: (ids: readonly number[], continues?: boolean) => string;
  /** Tokens that end a turn. */
  readonly stopIds: readonly number[];
  /** Sequences that are worked on together. Default: 16. */
  readonly batch?: number;
  /** Needed for `setAdapter`. */
  readonly plan?: AdapterPlan;
  /** What the linear layers compute with: `int8` is faster and a little less exact (`model/quantize.ts`). Default: f32. */
  readonly precision?: Precision;
  /**
   * Whether float32 weights are kept a second time in the kernels' own layout: steps are faster (at 16 prompts 1.1 to 1.5 ×), and take
   * as much memory again. With an adapter this holds for the head alone. In int8 that layout is the only copy, whatever is said here.
   * Default: true where the checkpoint takes at most 1 GiB.
   */
  readonly prepack?: boolean;
}

/**
 * Continues prompts. Calls made while others run join them in one batch, each with its own options. `setAdapter`, `rest` and
 * `release` wait for the calls made before them; calls made after them wait in turn.
 */
export interface Generator {
  /** Completions in the order of the requests, samples of a request together. */
  generate(requests: readonly GenerationRequest[], options: SamplingOptions, hooks?: GenerationHooks): Promise<Completion[]>;
  /**
   * Merges adapter parameters (`plan.size` float32, read where they lie) into the weights; undefined takes the adapter off. Setting
   * other parameters compiles nothing. Putting an adapter on or taking it off compiles the model anew at the next call: its programs
   * with and without an adapter are never in memory together.
   */
  setAdapter(parameters: View | undefined): Promise<void>;
  /** Frees the cache of keys and values until the next call. Compiled programs stay. */
  rest(): Promise<void>;
  /** Frees everything; the generator is of no use afterwards. */
  release(): Promise<void>;
}
