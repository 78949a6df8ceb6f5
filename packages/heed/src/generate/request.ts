import type { AdapterPlan } from '../model/adapter.js';
import type { Precision } from '../model/precision.js';

/** A prompt to be answered. */
export interface GenerationRequest {
  readonly prompt: readonly number[];
  /** Names the randomness, with the seed: the same row gives the same completions in whatever batch. */
  readonly row: number;
  /** Completions wanted. Default: 1. They share the prompt's computation. */
  readonly samples?: number;
}

/** One of the likeliest tokens of a place. */
export interface Likely {
  readonly id: number;
  /** Under the model itself, as `Completion.logprobs`. */
  readonly logprob: number;
}

/** A token that was chosen; `top`: the likeliest ones of its place in falling order, if asked for. */
export interface Token extends Likely {
  readonly top?: readonly Likely[];
}

/** One answer to a request. */
export interface Completion {
  readonly row: number;
  readonly sample: number;
  /** The end-of-turn token is included, if it was produced. Before a stop text: the tokens that lie wholly before it. */
  readonly ids: readonly number[];
  /** Without the end-of-turn token; ends where a stop text began, which may be inside the token after `ids`. */
  readonly text: string;
  /** Of each of `ids` under the model itself: temperature 1, no penalty, no filter. */
  readonly logprobs: readonly number[];
  /** The likeliest tokens at the place of each of `ids`, if `top` asked for them. */
  readonly tops?: readonly (readonly Likely[])[];
  readonly finish: 'stop' | 'length';
}

export interface GenerationHooks {
  /**
   * Text as it becomes certain; all of a completion's pieces together are its text. `tokens`: those that end in this text; in all
   * pieces together they are the completion's `ids`. The last piece may be tokens without text (an end of turn).
   */
  onToken?(row: number, sample: number, textDelta: string, tokens: readonly Token[]): void;
  /** A completion as soon as it is finished: in the order in which they finish, which is not that of the requests. */
  onCompletion?(completion: Completion): void;
  /** After each step: tokens so far, and completions that are finished, of how many. */
  onProgress?(progress: { readonly tokens: number; readonly finished: number; readonly total: number }): void;
  /** Once aborted, `generate` rejects with the signal's reason after the current step. */
  readonly signal?: AbortSignal;
}

export interface GeneratorOptions {
  /** Text of token ids, special tokens left out. */
  readonly decode: (ids: readonly number[]) => string;
  /** Tokens that end a turn. */
  readonly stopIds: readonly number[];
  /** Sequences that are worked on together. Default: 16. */
  readonly batch?: number;
  /** Needed for `setAdapter`. */
  readonly plan?: AdapterPlan;
  /** What the linear layers compute with: `int8` is faster and a little less exact (`model/quantize.ts`). Default: f32. */
  readonly precision?: Precision;
  /**
   * Keep a second copy of float32 weights in the kernels' own layout: faster steps (at 16 prompts 1.1 to 1.5 ×), as much memory again; of the head alone with
   * an adapter. Default: true where the checkpoint takes at most 1 GiB. In int8 it is always so, and the only copy.
   */
  readonly prepack?: boolean;
}
