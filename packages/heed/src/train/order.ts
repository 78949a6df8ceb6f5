import { createRandom } from '../run/random.js';

/**
 * Which rows each optimizer step takes: every epoch is a shuffle of its own, cut into batches; rows that do not fill the last batch of
 * an epoch go on into the next. The first step takes the costliest rows of the first batch order to the front, so that a run which
 * would run out of memory does so at once.
 */
export function stepOrder({ rows, batch, steps, seed, cost }: { rows: number; batch: number; steps: number; seed: number; cost: (row: number) => number }): number[][] {
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

/** Optimizer steps of a run: `steps`, `epochs`, whichever ends first; one epoch where neither is given. Never fewer than one. */
export function countSteps(rows: number, { steps, epochs, batch }: { steps?: number; epochs?: number; batch: number }): number {
  const ofEpochs = Math.max(1, Math.floor(((epochs ?? 1) * rows) / Math.min(batch, rows)));
  if (steps === undefined) return ofEpochs;
  return epochs === undefined ? steps : Math.min(steps, ofEpochs);
}
