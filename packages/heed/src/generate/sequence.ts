import type { SamplingOptions } from './options.js';
import type { Completion, GenerationHooks, GenerationRequest, GeneratorOptions } from './request.js';
import { type TextStream, createTextStream } from './text-stream.js';

/** A completion in the making. */
export interface Sequence {
  readonly row: number;
  readonly sample: number;
  readonly prompt: readonly number[];
  /** Equal for equal prompts. */
  readonly promptKey: string;
  readonly ids: readonly number[];
  readonly logprobs: readonly number[];
  readonly stream: TextStream | undefined;
  /** The token to append next, and where: so many positions are in the cache. */
  readonly next: number;
  readonly position: number;
  /** How many tokens the text has at most, in the end. */
  readonly reach: number;
  readonly finish: Completion['finish'] | undefined;
  /** Whether the last token ended the turn. */
  readonly ended: boolean;
  push(id: number, logprob: number): void;
}

export function startSequence(
  { prompt, row }: GenerationRequest,
  sample: number,
  { maxNewTokens, stop = [] }: SamplingOptions,
  { decode, stopIds }: GeneratorOptions,
  { onToken }: GenerationHooks,
): Sequence {
  const ids: number[] = [];
  const logprobs: number[] = [];
  const stream = onToken !== undefined || stop.length > 0 ? createTextStream(decode, stop) : undefined;
  const give = (delta: string): void => {
    if (delta !== '') onToken?.(row, sample, delta);
  };
  let finish: Completion['finish'] | undefined;
  let ended = false;
  return {
    row,
    sample,
    prompt,
    promptKey: prompt.join(),
    ids,
    logprobs,
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
    push(id, logprob) {
      ids.push(id);
      logprobs.push(logprob);
      ended = stopIds.includes(id);
      const text = ended ? undefined : stream?.push(id);
      give(text?.delta ?? '');
      finish = ended || text?.stopped === true ? 'stop' : ids.length >= maxNewTokens ? 'length' : undefined;
      if (finish !== undefined) give(stream?.end() ?? '');
    },
  };
}

/** The end-of-turn token belongs to the ids and not to the text; tokens from a stop text on belong to neither. */
export function completionOf({ row, sample, ids, logprobs, finish, stream, ended }: Sequence, decode: (ids: readonly number[]) => string): Completion {
  const tokens = stream?.cut?.tokens ?? ids.length;
  return {
    row,
    sample,
    ids: ids.slice(0, tokens),
    text: stream?.cut?.text ?? decode(ended ? ids.slice(0, -1) : ids),
    logprobs: logprobs.slice(0, tokens),
    finish: finish!,
  };
}
