import type { Feed, HostTensor } from '@heed/tensor';
import { createRandom } from '../run/random.js';
import type { KeyValueCache } from './cache.js';
import { uniform32 } from './choose.js';
import { draw, drawFromAll } from './filter.js';
import { changeLogits } from './masks.js';
import { changesLogits, stepChoice } from './options.js';
import type { Likely, Token } from './request.js';
import type { GenerationSequence } from './sequence.js';
import type { Sessions } from './sessions.js';

/**
 * Chooses the next token of every live sequence, each by its own options. Random numbers are named by seed, row, sample and place, so
 * the other sequences of the batch do not change them. The number of sequences can change the last bit of a log-probability, since
 * kernels of matrix products round differently for different numbers of rows.
 */
export async function nextTokens(sessions: Sessions, cache: KeyValueCache, live: readonly GenerationSequence[]): Promise<Token[]> {
  const choice = stepChoice(live.map((s) => ({ choice: s.choice, top: s.options.top ?? 0 })), sessions.vocabulary);
  const random = live.map(({ choice: { kind }, options: { seed }, row, sample, ids: written }) =>
    (kind === 'greedy' ? undefined : createRandom('sample', seed, row, sample, written.length)));
  const result = await sessions.step(cache, choice, live, extraFeeds());
  const floats = (name: string): Float32Array => result[name]!.data as Float32Array;
  const ids = (name: string): BigInt64Array | Int32Array => (result[name] as HostTensor).data as BigInt64Array | Int32Array;
  const tokens: Token[] = [];
  for (const slot of live.keys()) {
    const top = live[slot]!.options.top ?? 0;
    const token = await chosenOf(slot);
    tokens.push(top === 0 ? token : { ...token, top: likeliest(slot, top) });
  }
  return tokens;

  function extraFeeds(): Record<string, Feed> {
    if (choice.kind === 'greedy') return {};
    const n = live.length;
    // At temperature 0 the likeliest token is taken, and the scaled logits are not read.
    const inverse = live.map(({ options: { temperature } }) => (temperature === 0 ? 1 : 1 / temperature));
    const inverseTemperature: Feed = { data: Float32Array.from(inverse), shape: [n, 1] };
    if (choice.kind !== 'sample' && choice.kind !== 'mixed') return { inverseTemperature };
    const draws = live.map((s, slot) => (s.choice.kind === 'sample' ? random[slot] : undefined));
    return {
      inverseTemperature,
      uniform: { data: Float32Array.from({ length: 2 * n }, (_, i) => uniform32(draws[i >> 1]?.next() ?? 0)), shape: [n, 2] },
      blockBase: { data: Int32Array.from({ length: n }, (_, i) => i * sessions.blocks), shape: [n, 1] },
    };
  }

  async function chosenOf(slot: number): Promise<Token> {
    const { kind } = live[slot]!.choice;
    if (kind === 'greedy' && choice.kind === 'mixed') return likeliest(slot, 1)[0]!;
    const drawn = (): Token => ({ id: Number(ids('chosen')[slot]), logprob: floats('logprobs')[slot]! });
    if (kind === 'greedy') return drawn();
    if (kind === 'sample') return live[slot]!.options.temperature === 1 ? drawn() : { ...drawn(), sampled: floats('sampled')[slot]! };
    const uniform = random[slot]!.next();
    return (kind === 'candidates' ? fromCandidates(slot, uniform) : undefined) ?? fromLogits(slot, uniform);
  }

  function candidatesOf(slot: number): { readonly logits: Float32Array; readonly tokens: BigInt64Array | Int32Array } {
    const count = 'count' in choice ? choice.count : 0;
    const [from, to] = [slot * count, (slot + 1) * count];
    return { logits: floats('values').subarray(from, to), tokens: ids('indices').subarray(from, to) };
  }

  function likeliest(slot: number, n: number): Likely[] {
    const { logits, tokens: likely } = candidatesOf(slot);
    const { plain } = normalisers(slot);
    return Array.from(logits.subarray(0, n), (x, i) => ({ id: Number(likely[i]), logprob: x - plain }));
  }

  function normalisers(slot: number): { readonly plain: number; readonly scaled: number } {
    const all = floats('normaliser');
    return { plain: all[2 * slot]!, scaled: all[2 * slot + 1]! };
  }

  function fromCandidates(slot: number, uniform: number): Token | undefined {
    const { logits, tokens: likely } = candidatesOf(slot);
    const { plain, scaled } = normalisers(slot);
    const { options } = live[slot]!;
    const drawn = draw({ logits, normaliser: scaled, complete: logits.length === sessions.vocabulary }, options, uniform);
    if (drawn === undefined) return undefined;
    const token = { id: Number(likely[drawn.place]), logprob: logits[drawn.place]! - plain };
    if (options.reportKept !== true) return token;
    return { ...token, sampled: drawn.logprob, kept: Array.from(likely.subarray(0, drawn.count), Number) };
  }

  async function fromLogits(slot: number, uniform: number): Promise<Token> {
    const { options } = live[slot]!;
    const logits = await sessions.logits(slot);
    const { plain, scaled } = normalisers(slot);
    const drawn = changesLogits(options)
      ? drawFromAll(changeLogits(logits, live[slot]!, options), options, uniform)
      : drawFromAll(logits, options, uniform, scaled);
    const token = { id: drawn.id, logprob: logits[drawn.id]! - plain };
    return options.reportKept === true ? { ...token, sampled: drawn.logprob, kept: drawn.kept() } : token;
  }
}
