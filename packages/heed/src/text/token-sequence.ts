/** Token ids of one text to score: a model reads `prompt`, then `response`; each supervised response token gets a log-probability. */
export interface TokenSequence {
  readonly prompt: readonly number[];
  readonly response: readonly number[];
  /** Which response tokens are supervised; all of them by default. */
  readonly supervised?: readonly boolean[];
  /** Which response tokens a method singles out (`Method.marks`). Default: none. */
  readonly marked?: readonly boolean[];
  /** For each response token, the tokens that it was drawn from, where a filter cut off the others. Default: the whole vocabulary. */
  readonly kept?: readonly (readonly number[])[];
}
