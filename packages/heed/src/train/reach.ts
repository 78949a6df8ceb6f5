import { type Length, countSteps } from './order.js';
import { type ScheduleOptions, learningRateAt } from './schedule.js';

/**
 * How far the optimizer can move a weight in a whole run: the sum of the steps' learning rates. An update of AdamW is about the learning
 * rate at most where gradients agree, and less where they do not (Kingma and Ba 1412.6980, section 2.1).
 */
export function reach(steps: number, schedule: ScheduleOptions): number {
  let sum = 0;
  for (let step = 1; step <= steps; step++) sum += learningRateAt(step, steps, schedule);
  return sum;
}

/** Runs with less changed no answers beyond their interval (docs/evidence.md). */
const LITTLE = 2e-3;

/** For people, before training: a run whose steps are too few and too small to change the model, and what would be enough. */
export function describeReach(rows: number, given: Length & ScheduleOptions): string[] {
  // A number of steps is one that was asked for.
  if (given.steps !== undefined || given.learningRate === 0) return [];
  const far = (epochs: number | undefined): number => reach(countSteps(rows, { ...given, epochs }), given);
  if (far(given.epochs) >= LITTLE) return [];
  let enough = Math.ceil(given.epochs ?? 1);
  while (far(enough) < LITTLE) enough++;
  const steps = countSteps(rows, given);
  return [`${steps} steps at a learning rate of ${given.learningRate} can hardly change the model: they move a weight by `
    + `${far(given.epochs).toPrecision(2)} at most. With train.epochs=${enough} or a higher train.learningRate it is ${LITTLE}, `
    + 'where changes begin to show.'];
}
