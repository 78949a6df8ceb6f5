import { createRandom } from '../run/random.js';

/** What the order of rows depends on. */
interface StepOrder {
  readonly rows: number;
  /** Rows in a step. */
  readonly batch: number;
  readonly steps: number;
  readonly seed: number;
  /** The cost of a row, such as its number of tokens. */
  readonly cost: (row: number) => number;
}

/**
 * The rows of each optimizer step. Every epoch is shuffled anew and cut into batches; rows that do not fill the last batch of an epoch are
 * carried into the next epoch. The step with the costliest row comes first, so a run that would run out of memory does so at once.
 */
export function stepOrder({ rows, batch, steps, seed, cost }: StepOrder): number[][] {
  const size = Math.min(batch, rows);
  const queue: number[] = [];
  const order: number[][] = [];
  for (let epoch = 0; order.length < steps; epoch++) {
    queue.push(...createRandom('order', seed, epoch).shuffle(Array.from({ length: rows }, (_, i) => i)));
    while (queue.length >= size && order.length < steps) order.push(queue.splice(0, size));
  }
  const costOf = (step: number[]): number => Math.max(...step.map(cost));
  const longest = order.reduce((best, step, i) => (costOf(step) > costOf(order[best]!) ? i : best), 0);
  [order[0], order[longest]] = [order[longest]!, order[0]!];
  return order;
}

/** Optimizer steps of a run: `steps` or `epochs`, whichever ends first; one epoch where neither is given. At least one step. */
export function countSteps(rows: number, { steps, epochs, batch }: { steps?: number; epochs?: number; batch: number }): number {
  const ofEpochs = Math.max(1, Math.floor(((epochs ?? 1) * rows) / Math.min(batch, rows)));
  if (steps === undefined) return ofEpochs;
  return epochs === undefined ? steps : Math.min(steps, ofEpochs);
}
