import { createRandom } from '../run/random.js';

/** What the order of rows depends on. */
interface StepOrder {
  readonly rows: number;
  /** Rows in a step. */
  readonly batch: number;
  readonly steps: number;
  /** Rows that all steps take together: the last step is smaller by what is missing. Default: every step is whole. */
  readonly taken?: number;
  readonly seed: number;
  /** The cost of a row, such as its number of tokens. */
  readonly cost: (row: number) => number;
}

/**
 * The rows of each optimizer step. Every epoch is shuffled anew and cut into batches; rows that do not fill the last batch of an epoch are
 * carried into the next epoch, and at the end they are a last, smaller step. The step with the costliest row comes first, so a run that
 * would run out of memory does so at once.
 */
export function stepOrder({ rows, batch, steps, taken, seed, cost }: StepOrder): number[][] {
  const all = Array.from({ length: rows }, (_, i) => i);
  const order = cut({ rows, batch, steps, taken }, (epoch) => createRandom('order', seed, epoch).shuffle(all));
  const costOf = (step: number[]): number => Math.max(...step.map(cost));
  const longest = order.reduce((best, step, i) => (costOf(step) > costOf(order[best]!) ? i : best), 0);
  if (order[longest]!.length === order[0]!.length) [order[0], order[longest]] = [order[longest]!, order[0]!];
  else exchangeCostliest(order[0]!, order[longest]!, cost);
  return order;
}

/** The same with the rows of every epoch in their own order. */
export const fileOrder = (given: Omit<StepOrder, 'seed' | 'cost'>): number[][] =>
  cut(given, () => Array.from({ length: given.rows }, (_, i) => i));

function cut({ rows, batch, steps, taken = Infinity }: Omit<StepOrder, 'seed' | 'cost'>, epochOf: (epoch: number) => number[]): number[][] {
  const size = Math.min(batch, rows);
  const queue: number[] = [];
  const order: number[][] = [];
  for (let epoch = 0; order.length < steps; epoch++) {
    queue.push(...epochOf(epoch));
    for (;;) {
      const next = Math.min(size, taken - order.length * size);
      if (order.length === steps || queue.length < next) break;
      order.push(queue.splice(0, next));
    }
  }
  return order;
}

/** Puts the costliest row of a smaller step into the first, so that the smaller step stays the last. */
function exchangeCostliest(first: number[], smaller: number[], cost: (row: number) => number): void {
  const from = smaller.reduce((best, row, i) => (cost(row) > cost(smaller[best]!) ? i : best), 0);
  const to = first.findIndex((row) => !smaller.includes(row));
  if (to === -1) return;
  [first[to], smaller[from]] = [smaller[from]!, first[to]!];
}

/** What says how long a run is, or a round of one. */
export interface Length {
  readonly steps?: number | undefined;
  readonly epochs?: number | undefined;
  readonly batch: number;
  /** Leaves out the rows that would be a last, smaller step. Default: false. */
  readonly dropLast?: boolean | undefined;
}

/**
 * How long a run is: `steps` or `epochs`, whichever ends first; one epoch where neither is given. Epochs take all their rows, so their last
 * step may be smaller, unless `dropLast` leaves it out; steps are whole. A run has one step at least.
 *
 * @returns the optimizer steps, at least one, and the rows that they take
 */
export function lengthOfRun(
  rows: number, { steps, epochs, batch, dropLast = false }: Length,
): { readonly steps: number; readonly taken: number } {
  const size = Math.min(batch, rows);
  const all = (epochs ?? 1) * rows;
  const ofEpochs = dropLast ? size * Math.max(1, Math.floor(all / size)) : Math.max(1, Math.round(all));
  const whole = steps === undefined ? Infinity : steps * size;
  const taken = steps !== undefined && epochs === undefined ? whole : Math.min(whole, ofEpochs);
  return { steps: Math.ceil(taken / size), taken };
}

/** Optimizer steps of a run. */
export const countSteps = (rows: number, length: Length): number => lengthOfRun(rows, length).steps;

/** For people: rows that a run never sees, and which of `steps` and `epochs` ends it where both are given. */
export function describeLength(rows: number, given: Length): string[] {
  const { steps, taken } = lengthOfRun(rows, given);
  const size = Math.min(given.batch, rows);
  const early = given.steps !== undefined && given.epochs !== undefined && steps < given.steps
    ? [`train.steps is ${given.steps}, but train.epochs: ${given.epochs} ends after ${steps} steps; all of them take `
      + `train.epochs=${Math.ceil((given.steps * size) / rows)}.`] : [];
  const unseen = taken < rows ? [`${rows - taken} of ${rows} rows are never seen: ${steps} steps of ${size} take ${taken}.`] : [];
  return [...early, ...unseen];
}
