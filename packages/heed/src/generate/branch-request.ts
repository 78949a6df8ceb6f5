/** A prompt and the continuations to score, in tokens: at least one token each. */
export interface BranchRequest {
  readonly prompt: readonly number[];
  readonly answers: readonly (readonly number[])[];
}

export interface BranchHooks {
  /** Gets the log-probabilities of a request as soon as they are known, which is not in order. */
  onResult?(index: number, logProbs: readonly number[][]): void;
  /** Once aborted, `logProbs` rejects with the signal's reason after the current pass. */
  readonly signal?: AbortSignal;
}

/** Log-probabilities of many continuations of many prompts. */
export interface BranchScorer {
  /** log p of each token of each answer, by request. */
  logProbs(requests: readonly BranchRequest[], hooks?: BranchHooks): Promise<number[][][]>;
  /** Tokens that forward passes computed so far: a shared beginning counts once. */
  readonly computed: number;
  release(): Promise<void>;
}
