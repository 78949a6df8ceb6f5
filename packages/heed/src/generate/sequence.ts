import type { Place } from './grammar/constraint.js';
import { type Choice, type SamplingOptions, checkOptions, choiceOf } from './options.js';
import type { Completion, GenerationHooks, GenerationRequest, GeneratorOptions, Likely, Token } from './request.js';
import { type TextStream, createTextStream } from './text-stream.js';

/** A completion that is being written. */
export interface GenerationSequence {
  readonly row: number;
  readonly sample: number;
  /** How its next token is chosen. */
  readonly options: SamplingOptions;
  readonly choice: Choice;
  readonly prompt: readonly number[];
  /** Equal for equal prompts. */
  readonly promptKey: string;
  /** Tokens that end the turn. */
  readonly stopIds: readonly number[];
  readonly ids: readonly number[];
  /** Where it stands in the texts that the options' constraint allows. */
  readonly place: Place | undefined;
  readonly logprobs: readonly number[];
  /** Log-probabilities under the distribution that the tokens were drawn from; empty where that is the model's own. */
  readonly sampled: readonly number[];
  /** The tokens that filters kept at each place; empty if they were not asked for. */
  readonly kept: readonly (readonly number[])[];
  /** The likeliest tokens of each place; empty if they were not asked for. */
  readonly tops: readonly (readonly Likely[])[];
  readonly stream: TextStream | undefined;
  /** The token that the next step reads. */
  readonly next: number;
  /** Where the next step reads it: so many positions are in the cache. */
  readonly position: number;
  /** Most tokens that prompt and completion can have together. */
  readonly reach: number;
  readonly finish: Completion['finish'] | undefined;
  /** Whether the last token ended the turn. */
  readonly ended: boolean;
  push(token: Token): void;
  /** The text of tokens as they stand in this completion. */
  text(ids: readonly number[]): string;
}

export function startSequence(
  { prompt, row, continues }: GenerationRequest,
  sample: number,
  given: SamplingOptions,
  { decode, stopIds: ends, vocabulary }: Pick<GeneratorOptions, 'decode' | 'stopIds'> & { readonly vocabulary: number },
  { onToken, steer }: GenerationHooks,
): GenerationSequence {
  const { maxNewTokens, stop = [], seed, top } = given;
  const stopIds = given.stopIds === undefined ? ends : [...ends, ...given.stopIds];
  const tokens: Token[] = [];
  const ids: number[] = [];
  const logprobs: number[] = [];
  const sampled: number[] = [];
  const kept: (readonly number[])[] = [];
  const tops: (readonly Likely[])[] = [];
  const text = (of: readonly number[]): string => decode(of, continues);
  const stream = onToken !== undefined || stop.length > 0 ? createTextStream(text, stop) : undefined;
  let told = 0;
  const give = (delta: string, upTo: number): void => {
    const fresh = onToken === undefined ? [] : tokens.slice(told, upTo);
    told = Math.max(told, upTo);
    if (delta !== '' || fresh.length > 0) onToken?.(row, sample, delta, fresh);
  };
  let finish: Completion['finish'] | undefined;
  let ended = false;
  let place = given.constraint?.begin();
  let options = given;
  let choice = choiceOf(options, vocabulary);
  const choose = ({ every, choose: changes }: NonNullable<typeof steer>): void => {
    if (ids.length % every !== 0) return;
    options = { ...given, ...changes({ row, sample, ids, tops }), maxNewTokens, stop, seed, top };
    checkOptions(options, vocabulary);
    choice = choiceOf(options, vocabulary);
  };
  return {
    row,
    sample,
    text,
    get options() {
      return options;
    },
    get choice() {
      return choice;
    },
    prompt,
    promptKey: prompt.join(),
    stopIds,
    ids,
    get place() {
      return place;
    },
    logprobs,
    sampled,
    kept,
    tops,
    stream,
    reach: prompt.length + maxNewTokens,
    get next() {
      return ids.at(-1) ?? prompt.at(-1)!;
    },
    get position() {
      return prompt.length - 1 + ids.length;
    },
    get finish() {
      return finish;
    },
    get ended() {
      return ended;
    },
    push(token) {
      tokens.push(token);
      ids.push(token.id);
      logprobs.push(token.logprob);
      if (token.sampled !== undefined) sampled.push(token.sampled);
      if (token.kept !== undefined) kept.push(token.kept);
      if (token.top !== undefined) tops.push(token.top);
      ended = stopIds.includes(token.id);
      place = place?.after(token.id);
      const written = ended ? undefined : stream?.push(token.id);
      if (ended || written?.stopped === true) finish = 'stop';
      else if (ids.length >= maxNewTokens) finish = 'length';
      if (finish === undefined && steer !== undefined) choose(steer);
      if (stream === undefined) return;
      if (finish === undefined) give(written!.delta, stream.tokens);
      else give((written?.delta ?? '') + stream.end(), stream.cut?.tokens ?? ids.length);
    },
  };
}

/** The completion of a finished sequence. Its end-of-turn token belongs to the ids and not to the text; a stop text belongs to neither. */
export function completionOf(sequence: GenerationSequence): Completion {
  const { row, sample, ids, logprobs, sampled, kept, tops, options, finish, stream, ended } = sequence;
  const tokens = stream?.cut?.tokens ?? ids.length;
  return {
    row,
    sample,
    ids: ids.slice(0, tokens),
    text: stream?.cut?.text ?? sequence.text(ended ? ids.slice(0, -1) : ids),
    logprobs: logprobs.slice(0, tokens),
    // A steered completion may have drawn some of its tokens from the model itself, or through filters.
    ...(sampled.length === 0 || sampled.length < ids.length ? {} : { sampled: sampled.slice(0, tokens) }),
    ...(kept.length === 0 || kept.length < ids.length ? {} : { kept: kept.slice(0, tokens) }),
    ...((options.top ?? 0) === 0 ? {} : { tops: tops.slice(0, tokens) }),
    finish: finish!,
  };
}
