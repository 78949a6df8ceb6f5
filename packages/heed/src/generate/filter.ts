import type { SamplingOptions } from './options.js';

/** Tokens in order of falling logit, named by their place in it: the whole vocabulary, or its likeliest part. */
export interface Candidates {
  readonly logits: Float32Array;
  /** log Σ exp(logit / temperature) over the whole vocabulary. */
  readonly normaliser: number;
  /** Whether these are all tokens of the vocabulary. */
  readonly complete: boolean;
}

/** The candidates that the filters keep. */
export interface Kept {
  /** The first `count` candidates are kept. */
  readonly count: number;
  /** exp((logit − largest logit) / temperature) of every candidate. */
  readonly weights: Float64Array;
}

/**
 * Keeps the candidates that top-k, top-p and min-p keep, as transformers' warpers do. Undefined where tokens beyond the last candidate
 * would be kept too.
 */
export function keep(
  { logits, normaliser, complete }: Candidates, { temperature, topK, topP = 1, minP = 0 }: SamplingOptions,
): Kept | undefined {
  const n = logits.length;
  // A loop: in the innermost place of sampling, `Float64Array.from` and callbacks take many times as long.
  const weights = new Float64Array(n);
  for (let i = 0; i < n; i++) weights[i] = Math.exp((logits[i]! - logits[0]!) / temperature);
  let count = complete ? n : Infinity;
  let total = Math.exp(normaliser - logits[0]! / temperature);
  if (topK !== undefined && topK < n) {
    const last = logits[topK - 1]!;
    let at = topK;
    while (at < n && logits[at] === last) at++;
    if (at < n || complete) {
      count = at;
      total = 0;
      for (let i = 0; i < count; i++) total += weights[i]!;
    } else if (topP < 1) {
      return undefined;
    }
  }
  if (topP < 1) {
    let mass = 0;
    for (let i = 0; i < Math.min(n, count); i++) {
      mass += weights[i]!;
      if (mass >= topP * total) {
        count = i + 1;
        break;
      }
    }
  }
  if (minP > 0) {
    const below = weights.findIndex((w) => w < minP);
    if (below >= 0) count = Math.min(count, below);
  }
  return count <= n ? { count, weights } : undefined;
}

/** One of the kept candidates. */
export interface Drawn {
  readonly place: number;
  /** The first `count` candidates are kept. */
  readonly count: number;
  /** log p among them. */
  readonly logprob: number;
}

/** Draws one of the kept candidates by a uniform number; undefined as in `keep`. */
export function draw(candidates: Candidates, options: SamplingOptions, uniform: number): Drawn | undefined {
  const kept = keep(candidates, options);
  if (kept === undefined) return undefined;
  const { count, weights } = kept;
  let total = 0;
  for (let i = 0; i < count; i++) total += weights[i]!;
  let rest = uniform * total;
  let place = 0;
  while (place < count - 1 && (rest -= weights[place]!) >= 0) place++;
  return { place, count, logprob: Math.log(weights[place]! / total) };
}

/** Logits with the repetition penalty on tokens that occurred, once for each token (Keskar et al. 2019). */
export function penalise(logits: Float32Array, seen: Iterable<number>, penalty: number): Float32Array {
  const changed = logits.slice();
  for (const id of new Set(seen)) changed[id] = logits[id]! < 0 ? logits[id]! * penalty : logits[id]! / penalty;
  return changed;
}

/** A token that was drawn from all logits. */
export interface DrawnToken extends Pick<Drawn, 'logprob'> {
  readonly id: number;
  /** The tokens that were kept, the likeliest first. */
  kept(): number[];
}

/**
 * Makes the same draw from all logits of a row: for penalties, and where the candidates of the graph did not suffice.
 * `normaliser` is log Σ exp(logit / temperature), if it is known already.
 */
export function drawFromAll(logits: Float32Array, options: SamplingOptions, uniform: number, normaliser?: number): DrawnToken {
  const { temperature } = options;
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i;
  const peak = logits[best]!;
  if (!(peak > -Infinity)) throw new Error('No token can be drawn: the logits are not numbers, or every token is forbidden.');
  if (temperature === 0) return { id: best, logprob: 0, kept: () => [best] };
  const unfiltered = !filters(options, logits.length);
  const known = unfiltered || normaliser === undefined ? logSumExp(logits, peak, temperature) : normaliser;
  // Sorting the whole vocabulary is slow and rarely needed: tokens with at least e⁻¹² of the likeliest token's probability come first.
  for (const floor of [peak - 12 * temperature, LOWEST]) {
    // Sorting numbers is many times faster than sorting ids by their numbers; the id is looked up at the end.
    const values = atLeast(logits, floor).sort().reverse();
    const complete = floor === LOWEST || values.length === logits.length;
    const candidates = { logits: values, normaliser: known, complete };
    const drawn = (unfiltered && !complete ? drawAmongLikeliest : draw)(candidates, options, uniform);
    if (drawn === undefined) continue;
    const { place, count, logprob } = drawn;
    const id = idOf(logits, values[place]!, place - values.indexOf(values[place]!));
    return { id, logprob, kept: () => (count < Infinity ? keptIds(logits, values[count - 1]!, count) : allIds(logits)) };
  }
  throw new Error('Logits that are not numbers cannot be sampled.');
}

/** The least number: a token whose logit is −∞ must not come, and is no candidate. */
const LOWEST = -Number.MAX_VALUE;

/** Whether the options keep only some of the tokens. */
const filters = ({ topK = Infinity, topP = 1, minP = 0 }: SamplingOptions, vocabulary: number): boolean =>
  topK < vocabulary || topP < 1 || minP > 0;

/**
 * A draw where every token of the vocabulary is kept and the candidates are the likeliest of them: undefined where it falls on one of the
 * others. `count` is infinite.
 */
function drawAmongLikeliest({ logits, normaliser }: Candidates, { temperature }: SamplingOptions, uniform: number): Drawn | undefined {
  const total = Math.exp(normaliser - logits[0]! / temperature);
  let rest = uniform * total;
  for (let place = 0; place < logits.length; place++) {
    const weight = Math.exp((logits[place]! - logits[0]!) / temperature);
    if ((rest -= weight) < 0) return { place, count: Infinity, logprob: Math.log(weight / total) };
  }
  return undefined;
}

/** The numbers that are not below `floor`. */
function atLeast(logits: Float32Array, floor: number): Float32Array {
  const found = new Float32Array(logits.length);
  let n = 0;
  for (let i = 0; i < logits.length; i++) if (logits[i]! >= floor) found[n++] = logits[i]!;
  return found.subarray(0, n);
}

/** Below e⁻⁵⁰ of the largest, all weights of a vocabulary together are less than what a sum in 64 bits can show. */
const NOTHING = 50;

function logSumExp(logits: Float32Array, peak: number, temperature: number): number {
  const least = peak - NOTHING * temperature;
  let total = 0;
  for (let i = 0; i < logits.length; i++) if (logits[i]! > least) total += Math.exp((logits[i]! - peak) / temperature);
  return Math.log(total) + peak / temperature;
}

/** All tokens that may come, the likeliest first. */
const allIds = (logits: Float32Array): number[] => {
  const possible = atLeast(logits, LOWEST).length;
  return keptIds(logits, LOWEST, possible);
};

/** The `count` tokens with the largest logits, `least` among them; of tokens with that one the first. In falling order. */
function keptIds(logits: Float32Array, least: number, count: number): number[] {
  const above: number[] = [];
  const equal: number[] = [];
  logits.forEach((x, id) => {
    if (x > least) above.push(id);
    else if (x === least) equal.push(id);
  });
  return [...above.sort((a, b) => logits[b]! - logits[a]! || a - b), ...equal].slice(0, count);
}

/** The token with this logit; of several, the one that comes after `before` others. */
function idOf(logits: Float32Array, value: number, before: number): number {
  let id = logits.indexOf(value);
  for (let i = 0; i < before; i++) id = logits.indexOf(value, id + 1);
  return id;
}
