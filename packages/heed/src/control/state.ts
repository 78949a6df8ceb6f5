/** What a controller that chooses again in mid-answer sees of the answer so far. */
import type { Likely } from '../generate/request.js';

/** The likeliest tokens of each place that the controller needs. */
export const SHOWN = 20;

/** An answer that is being written, behind a whole segment. */
export interface AnswerSoFar {
  readonly ids: readonly number[];
  /** The likeliest tokens of each place. */
  readonly tops: readonly (readonly Likely[])[];
  /** Most tokens that the answer may have. */
  readonly most: number;
  /** Index of the action of the last segment. */
  readonly last: number;
}

const NUMBERS = 6;

/** How many numbers `encodeState` gives. */
export const stateSize = (actions: number): number => NUMBERS + actions;

/**
 * The state of an answer in numbers from 0 to 1: over the last segment the means of entropy (of the 20 likeliest tokens and the rest as
 * one, by its largest value ln 21), top-1 probability, margin to the second and mass of the 20; the share of the length that is used; the
 * share of the answer's triples of tokens that stood in it before; a 1 for the last action. Before the first token all are 0.
 */
export function encodeState(sofar: AnswerSoFar | undefined, segment: number, actions: number): number[] {
  if (sofar === undefined) return new Array<number>(stateSize(actions)).fill(0);
  const { ids, tops, most, last } = sofar;
  const places = tops.slice(-segment).map((likely) => placeOf(likely.slice(0, SHOWN).map(({ logprob }) => Math.exp(logprob))));
  const mean = (k: number): number => places.reduce((sum, place) => sum + place[k]!, 0) / Math.max(1, places.length);
  return [
    ...[0, 1, 2, 3].map(mean), ids.length / most, repeatedShare(ids),
    ...Array.from({ length: actions }, (_, a) => Number(a === last)),
  ];
}

/** Entropy, top-1, margin and mass of one place. */
function placeOf(p: readonly number[]): [number, number, number, number] {
  const mass = Math.min(1, p.reduce((a, b) => a + b, 0));
  const term = (x: number): number => (x > 0 ? -x * Math.log(x) : 0);
  const entropy = p.reduce((sum, x) => sum + term(x), term(1 - mass)) / Math.log(SHOWN + 1);
  return [entropy, p[0] ?? 0, (p[0] ?? 0) - (p[1] ?? 0), mass];
}

/** The share of triples that stood in the answer before. */
function repeatedShare(ids: readonly number[]): number {
  const triples = ids.slice(2).map((_, i) => ids.slice(i, i + 3).join());
  return triples.length === 0 ? 0 : 1 - new Set(triples).size / triples.length;
}
