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
  const { learningRate, steps, epochs = 1 } = given;
  const far = (length: object): number => reach(countSteps(rows, { ...given, ...length }), given);
  const moves = far({});
  if (learningRate === 0 || moves >= LITTLE) return [];
  const taken = countSteps(rows, given);
  // What ends the run is what must grow.
  const ends = steps !== undefined && steps === taken ? 'steps' : 'epochs';
  const now = ends === 'steps' ? taken : epochs;
  // In a long warm-up that is more than a proportion.
  let enough = Math.ceil(moves > 0 ? now * (LITTLE / moves) : now + 1);
  while (far({ steps: undefined, epochs: undefined, [ends]: enough }) < LITTLE) enough += Math.ceil(enough / 10);
  return [`${taken} ${taken === 1 ? 'step' : 'steps'} at a learning rate of ${learningRate} can hardly change the model: a weight moves by `
    + `${moves.toPrecision(2)} at most. With train.${ends}=${enough} or a higher train.learningRate it is ${LITTLE} or more, `
    + 'where changes begin to show.'];
}
