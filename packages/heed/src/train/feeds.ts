import type { Feed, Program, Session } from '@heed/tensor';
import type { Architecture } from '../model/decoder.js';
import { type RopeFeed, feedsOf, scoringFeeds } from '../model/scoring.js';
import { type AdaptedWeights, boundParameters } from '../model/weights.js';
import { ROUND_BEGINS } from './loss-program.js';
import type { MicroBatch } from './micro-batch.js';
import type { State } from './state.js';
import type { Totals } from './totals.js';

export const scalarFeed = (value: number): Feed => ({ data: Float32Array.of(value), shape: [] });

/** Scalars by name, as feeds `<prefix>:<name>`. */
export const scalarFeeds = (prefix: string, values: Readonly<Record<string, number>>): Record<string, Feed> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}:${name}`, scalarFeed(value)]));

/** Tells a loss with a `round` reference whether the step is the first of its round. */
export const roundFeed = (begins: boolean): Record<string, Feed> => ({ [ROUND_BEGINS]: scalarFeed(begins ? 1 : 0) });

/** The feeds of a micro-batch for a program over its layout. */
export const batchFeeds = (batch: MicroBatch, architecture: Architecture, rope: RopeFeed, program: Program): Record<string, Feed> =>
  feedsOf(program, { ...scoringFeeds(batch.layout, architecture, rope, program), ...batch.feeds });

/** The factor of each term of the loss: 1 / its count in the whole step. */
export function scaleFeeds(totals: Totals, terms: number, method: string): Record<string, Feed> {
  return Object.fromEntries(Array.from({ length: terms }, (_, t) => {
    const count = totals.get(`count:${t}`);
    if (count <= 0) throw new Error(`Term ${t} of the ${method} loss has nothing to count in this step: no row supervises it.`);
    return [`scale:${t}`, scalarFeed(1 / count)];
  }));
}

/** Binds the arrays that a training program works on in place: it reads the parameters and adds to the gradients. */
export function bindTraining(
  session: Session,
  weights: AdaptedWeights,
  { parameters, gradients }: Pick<State, 'parameters' | 'gradients'>,
): void {
  session.bind(
    { ...boundParameters(weights, parameters), ...boundParameters(weights, gradients, 'acc:') },
    boundParameters(weights, gradients, 'grad:'),
  );
}
