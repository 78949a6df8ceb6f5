import type { MicroBatch } from './micro-batch.js';
import { NotFiniteError } from './not-finite.js';
import { createOnePass } from './one-pass.js';
import { createOptimizer } from './optimizer.js';
import { machines } from './shares.js';
import type { Found, Passes, Stepper, StepperSetup } from './stepper.js';
import { createTwoPass } from './two-pass.js';

/** Compiles a method over a model with an adapter, ready to take optimizer steps. */
export async function createStepper(setup: StepperSetup): Promise<Stepper> {
  const { engine, method, state } = setup;
  const optimizer = await createOptimizer(setup);
  let onePass: Promise<Passes> | undefined;
  let twoPass: Promise<Passes> | undefined;
  // A loss that couples rows needs all rows of a step at once. Where those fit into one pass, one program is enough.
  const passesFor = (batches: readonly MicroBatch[]): Promise<Passes> =>
    method.scope === 'row' || batches.length === 1 ? (onePass ??= createOnePass(setup)) : (twoPass ??= createTwoPass(setup));
  if (method.scope === 'row') await passesFor([]);

  return {
    async step(batches, { learningRate, step, seed, memory = method.memory, roundBegins = false }) {
      const passes = await passesFor(batches);
      // Where a machine of a team is lost, its part of the gradient is. Nothing is updated yet, so the passes can be run again.
      const gradient = async (): Promise<Found> => {
        const found = await passes.run(batches, { learningRate, step, seed, memory, roundBegins });
        await engine.team?.sum(state.gradients, machines(engine, batches.length));
        return found;
      };
      const { totals, heatmaps, memory: remembered } = await (engine.team?.again(gradient) ?? gradient());
      const gradientNorm = await optimizer.norm();
      if (!Number.isFinite(gradientNorm)) {
        throw new NotFiniteError(`The gradient of step ${step}`, batches.flatMap(({ items }) => items.map(({ where }) => where)));
      }
      await optimizer.update({ norm: gradientNorm, learningRate, t: step });
      return { loss: totals.loss(passes.terms), metrics: totals.metrics(passes.metrics), gradientNorm, heatmaps, memory: remembered };
    },
    async release() {
      for (const part of [onePass, twoPass, optimizer]) await (await part)?.release();
    },
  };
}
