import { type Engine, type View, view } from '@heed/tensor';
import type { BoundMethod } from '../method/method.js';
import type { AdapterPlan } from '../model/adapter.js';
import type { Model } from '../model/load.js';
import { feedsOf, ropeFeed, scoringFeeds } from '../model/scoring.js';
import { adaptedWeights } from '../model/weights.js';
import { type Item, makeMicroBatch } from './micro-batch.js';
import { traceEvaluation } from './program.js';
import { Totals } from './totals.js';
import { cut } from './trainer.js';

/** Scores rows by a method's loss without learning from them. */
export interface LossEvaluator {
  /** The loss and the method's metrics under these parameters (flat, as in the adapter's plan). */
  evaluate(parameters: View): Promise<Record<string, number>>;
  release(): Promise<void>;
}

/** Compiles a method's loss over held-out rows. */
export async function createLossEvaluator(engine: Engine, model: Model, method: BoundMethod, plan: AdapterPlan, items: readonly Item[]): Promise<LossEvaluator> {
  const weights = adaptedWeights(model.checkpoint, plan, { dropout: false });
  const { sums, counts, terms, metrics } = traceEvaluation(model.architecture, weights, method, model.checkpoint.folder);
  const [score, count] = [await engine.compile(sums), await engine.compile(counts)];
  const rope = ropeFeed(model.architecture);
  const batches = cut(items, undefined).map((part) => makeMicroBatch(method, part));
  return {
    async evaluate(parameters) {
      score.bind(Object.fromEntries(weights.parameters.map((p) => [p.name, view(parameters.buffer, p.shape, parameters.offset + p.offset)])));
      const totals = new Totals();
      for (const batch of batches) {
        const feeds = { ...scoringFeeds(batch.layout, model.architecture, rope), ...batch.feeds };
        totals.addAll(await score.run(feedsOf(score.program, feeds)));
        totals.addAll(await count.run(feedsOf(count.program, feeds)));
      }
      return { loss: totals.loss(terms), ...totals.metrics(metrics) };
    },
    async release() {
      await score.release();
      await count.release();
    },
  };
}
