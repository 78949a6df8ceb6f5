import type { SamplingOptions } from './options.js';

/** Tokens in order of falling logit: all of the vocabulary, or the likeliest part of it. */
export interface Candidates {
  readonly ids: ArrayLike<number | bigint>;
  readonly logits: ArrayLike<number>;
  /** log Σ exp(logit / temperature) over the whole vocabulary. */
  readonly normaliser: number;
  /** Whether this is the whole vocabulary. */
  readonly complete: boolean;
}

/**
 * How many of the candidates top-k, top-p and min-p keep, as transformers' warpers would, and their weights exp((x − max)/T).
 * Undefined where the kept set goes on behind the last candidate.
 */
export function keep({ logits, normaliser, complete }: Candidates, { temperature, topK, topP = 1, minP = 0 }: SamplingOptions): { readonly count: number; readonly weights: Float64Array } | undefined {
  const n = logits.length;
  const weights = Float64Array.from({ length: n }, (_, i) => Math.exp((logits[i]! - logits[0]!) / temperature));
  let count = complete ? n : Infinity;
  let total = Math.exp(normaliser - logits[0]! / temperature);
  if (topK !== undefined && topK < n) {
    const last = logits[topK - 1]!;
    let at = topK;
    while (at < n && logits[at] === last) at++;
    if (at < n || complete) {
      count = at;
      total = weights.subarray(0, count).reduce((a, b) => a + b, 0);
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

/** The place among the candidates of a draw from what is kept, by a uniform number; undefined as in `keep`. */
export function draw(candidates: Candidates, options: SamplingOptions, uniform: number): number | undefined {
  const kept = keep(candidates, options);
  if (kept === undefined) return undefined;
  let total = 0;
  for (let i = 0; i < kept.count; i++) total += kept.weights[i]!;
  let rest = uniform * total;
  for (let i = 0; i < kept.count; i++) {
    rest -= kept.weights[i]!;
    if (rest < 0) return i;
  }
  return kept.count - 1;
}

/** Divides or multiplies the logits of tokens that occurred, each once, in place. */
export function penalise(logits: Float32Array, seen: Iterable<number>, penalty: number): void {
  for (const id of new Set(seen)) logits[id] = logits[id]! < 0 ? logits[id]! * penalty : logits[id]! / penalty;
}

/** The same choice from all logits of a row: for penalties, and where the graph's candidates did not suffice. → token id. */
export function drawFromAll(logits: Float32Array, options: SamplingOptions, uniform: number): number {
  const { temperature } = options;
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i;
  if (temperature === 0) return best;
  const peak = logits[best]!;
  let total = 0;
  for (const x of logits) total += Math.exp((x - peak) / temperature);
  const normaliser = Math.log(total) + peak / temperature;
  // Sorting the vocabulary is slow and rarely needed: first what has at least e⁻¹² of the likeliest token's probability.
  for (const floor of [peak - 12 * temperature, -Infinity]) {
    const ids: number[] = [];
    for (let i = 0; i < logits.length; i++) if (logits[i]! >= floor) ids.push(i);
    ids.sort((a, b) => logits[b]! - logits[a]! || a - b);
    const candidates = { ids, logits: ids.map((id) => logits[id]!), normaliser, complete: ids.length === logits.length };
    const place = draw(candidates, options, uniform);
    if (place !== undefined) return ids[place]!;
  }
  throw new Error('Logits that are not numbers cannot be sampled.');
}
