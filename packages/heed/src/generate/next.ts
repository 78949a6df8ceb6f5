import type { Feed, HostTensor } from '@heed/tensor';
import { createRandom } from '../run/random.js';
import type { KeyValueCache } from './cache.js';
import { uniform32 } from './choose.js';
import { draw, drawFromAll, penalise } from './filter.js';
import type { Choice, SamplingOptions } from './options.js';
import type { Sequence } from './sequence.js';
import type { Sessions } from './sessions.js';

export interface Token {
  readonly id: number;
  /** Under the model itself. */
  readonly logprob: number;
}

/** One step of every live sequence. Random numbers are named by sequence and place, so batching does not change them. */
export async function nextTokens(sessions: Sessions, cache: KeyValueCache, choice: Choice, live: readonly Sequence[], options: SamplingOptions): Promise<Token[]> {
  const random = choice.kind === 'greedy' ? [] : live.map(({ row, sample, ids }) => createRandom('sample', options.seed, row, sample, ids.length));
  const result = await sessions.step(cache, choice, live, extraFeeds());
  if (choice.kind === 'greedy' || choice.kind === 'sample') {
    const [ids, logprobs] = [result['chosen']!.data as BigInt64Array, floats(result['logprobs']!)];
    return live.map((_, slot) => ({ id: Number(ids[slot]), logprob: logprobs[slot]! }));
  }
  const normaliser = floats(result['normaliser']!);
  const tokens: Token[] = [];
  for (const slot of live.keys()) {
    const uniform = random[slot]!.next();
    tokens.push((choice.kind === 'candidates' ? fromCandidates(slot, choice.count, uniform) : undefined) ?? (await fromLogits(slot, uniform)));
  }
  return tokens;

  function extraFeeds(): Record<string, Feed> {
    if (choice.kind === 'greedy') return {};
    // With temperature 0 the host takes the maximum and the scaled normaliser is not read.
    const inverseTemperature: Feed = { data: Float32Array.of(options.temperature === 0 ? 1 : 1 / options.temperature), shape: [1] };
    if (choice.kind !== 'sample') return { inverseTemperature };
    const n = live.length;
    return {
      inverseTemperature,
      uniform: { data: Float32Array.from({ length: 2 * n }, (_, i) => uniform32(random[i >> 1]!.next())), shape: [n, 2] },
      blockBase: { data: Int32Array.from({ length: n }, (_, i) => i * sessions.blocks), shape: [n, 1] },
    };
  }

  function fromCandidates(slot: number, count: number, uniform: number): Token | undefined {
    const logits = floats(result['values']!).subarray(slot * count, (slot + 1) * count);
    const ids = (result['indices']!.data as BigInt64Array).subarray(slot * count, (slot + 1) * count);
    const complete = count === sessions.vocabulary;
    const place = draw({ logits, normaliser: normaliser[2 * slot + 1]!, complete }, options, uniform);
    return place === undefined ? undefined : { id: Number(ids[place]), logprob: logits[place]! - normaliser[2 * slot]! };
  }

  async function fromLogits(slot: number, uniform: number): Promise<Token> {
    const logits = await sessions.logits(slot);
    const { repetitionPenalty = 1 } = options;
    const penalised = (all: Float32Array): Float32Array => penalise(all, [...live[slot]!.prompt, ...live[slot]!.ids], repetitionPenalty);
    const own = normaliser[2 * slot + 1]!;
    const id = repetitionPenalty === 1 ? drawFromAll(logits, options, uniform, own) : drawFromAll(penalised(logits), options, uniform);
    return { id, logprob: logits[id]! - normaliser[2 * slot]! };
  }
}

const floats = ({ data }: HostTensor): Float32Array => data as Float32Array;
