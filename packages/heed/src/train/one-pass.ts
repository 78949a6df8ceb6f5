import type { Feed } from '@heed/tensor';
import { feedsOf, ropeFeed } from '../model/scoring.js';
import { adaptedWeights } from '../model/weights.js';
import { dropoutMasks } from './dropout.js';
import { batchFeeds, bindTraining, roundFeed, scalarFeed, scalarFeeds, scaleFeeds } from './feeds.js';
import { newMemory } from './loss-program.js';
import type { MicroBatch } from './micro-batch.js';
import { NotFiniteError } from './not-finite.js';
import { traceTraining } from './program.js';
import { shareOut } from './shares.js';
import type { Heatmap, Passes, StepperSetup } from './stepper.js';
import { Totals } from './totals.js';

/** Computes loss and gradient in one program, one micro-batch after another. */
export async function createOnePass(
  { engine, checkpoint, architecture, plan, method, state, references, keep }: StepperSetup,
): Promise<Passes> {
  const weights = adaptedWeights(checkpoint, plan, { dropout: true });
  const program = traceTraining(architecture, weights, method, checkpoint.folder, keep);
  const train = await engine.compile(program.step);
  const counts = await engine.compile(program.counts);
  const rope = ropeFeed(architecture);
  bindTraining(train, weights, state);
  return {
    terms: program.terms,
    metrics: program.metrics,
    async run(batches, { seed, step, memory, roundBegins }) {
      const totals = new Totals();
      for (const batch of batches) totals.addAll(await counts.run(feedsOf(counts.program, batch.feeds)));
      const scales = scaleFeeds(totals, program.terms, method.name);
      const given = { ...roundFeed(roundBegins), ...scalarFeeds('memory', memory), ...scales };
      // One after the other: references share a program, which has one policy's parameters at a time.
      const compared: { batch: MicroBatch; under: Record<string, Feed> | undefined }[] = [];
      for (const batch of batches) compared.push({ batch, under: await references?.feeds(batch.tables, roundBegins) });
      const outs = await shareOut(engine, compared, ({ piece: { batch, under }, on, first }) => train.run({
        ...batchFeeds(batch, architecture, rope, program.step),
        ...feedsOf(program.step, { ...under, ...given }),
        ...dropoutMasks(weights.masks, batch, plan.options.dropout, seed, step),
        carry: scalarFeed(first ? 0 : 1),
      }, {}, { on }));
      const heatmaps: Heatmap[] = [];
      let remembered = memory;
      for (const [i, batch] of batches.entries()) {
        const out = outs[i]!;
        totals.addSums(out, program.terms, program.metrics);
        const finite = Number.isFinite(totals.loss(program.terms));
        if (!finite) throw new NotFiniteError(`The loss of step ${step}`, batch.items.map((item) => item.where));
        remembered = newMemory(method, out);
        if (program.heatmapOf !== undefined) {
          const { logRatio, flagged } = out as Record<string, { data: Float32Array; shape: number[] }>;
          heatmaps.push({ of: program.heatmapOf, batch, slots: logRatio!.shape[1]!, logRatio: logRatio!.data, flagged: flagged!.data });
        }
      }
      return { totals, memory: remembered, heatmaps };
    },
    async release() {
      await train.release();
      await counts.release();
    },
  };
}
