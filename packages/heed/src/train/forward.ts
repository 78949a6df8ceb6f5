import type { Engine, View } from '@heed/tensor';
import type { BoundMethod } from '../method/method.js';
import type { AdapterPlan } from '../model/adapter.js';
import type { Model } from '../model/load.js';
import { feedsOf, ropeFeed, scoringFeeds } from '../model/scoring.js';
import { adaptedWeights, boundParameters, frozenWeights } from '../model/weights.js';
import type { Item } from './item.js';
import { makeMicroBatch } from './micro-batch.js';
import { splitPasses } from './passes.js';
import { traceForward } from './program.js';

/** What a policy gave for rows: for each named sequence, the log-probabilities of its supervised tokens (of a policy with a head, its numbers instead). */
export type Readout = ReadonlyMap<Item, Readonly<Record<string, readonly Float32Array[]>>>;

/** A policy that rows are scored under, without gradient or dropout. */
export interface Forward {
  /** Of an adapted policy: the parameters to use from now on (flat, as in the adapter's plan). */
  use(parameters: View): void;
  /** Scores the named sequences. The passes depend on the rows alone, so the same rows give the same bits. */
  read(items: readonly Item[], names: readonly string[], onItem?: (done: number) => void): Promise<Readout>;
  release(): Promise<void>;
}

/** Compiles a forward pass, of the base itself or with an adapter. With a head, the head is read; else log-probabilities are. */
export async function createForward(engine: Engine, model: Pick<Model, 'checkpoint' | 'architecture'>, method: BoundMethod, plan?: AdapterPlan): Promise<Forward> {
  const weights = plan && adaptedWeights(model.checkpoint, plan, { dropout: false });
  const session = await engine.compile(traceForward(model.architecture, weights ?? frozenWeights(model.checkpoint), model.checkpoint.folder));
  const rope = ropeFeed(model.architecture);
  return {
    use: (parameters) => session.bind(boundParameters(weights!, parameters)),
    async read(items, names, onItem) {
      const out = new Map<Item, Record<string, Float32Array[]>>();
      // A row may lack what this policy scores; what it has else costs nothing here.
      const concerned = items.flatMap((item) => {
        const sequences = Object.fromEntries(names.flatMap((n) => (item.sequences[n] === undefined ? [] : [[n, item.sequences[n]]])));
        if (Object.keys(sequences).length === 0) return [];
        return [{ item, part: { ...item, sequences } }];
      });
      const whole = new Map(concerned.map(({ item, part }) => [part as Item, item]));
      let done = 0;
      for (const pass of splitPasses(concerned.map(({ part }) => part))) {
        const batch = makeMicroBatch(method, pass, { names });
        const feeds = { ...scoringFeeds(batch.layout, model.architecture, rope), ...batch.feeds };
        const { logp, scores } = await session.run(feedsOf(session.program, feeds));
        batch.owners.forEach(({ item, name, place }, s) => {
          const row = whole.get(pass[item]!)!;
          if (!out.has(row)) out.set(row, {});
          const size = scores === undefined ? 0 : scores.data.length / batch.owners.length;
          const values = logp === undefined
            ? Float32Array.from({ length: size }, (_, i) => Number(scores!.data[s * size + i]))
            : Float32Array.from(batch.layout.labelOf[s]!.filter((l) => l >= 0), (l) => Number(logp.data[l]));
          (out.get(row)![name] ??= [])[place] = values;
        });
        onItem?.((done += pass.length));
      }
      return out;
    },
    release: () => session.release(),
  };
}
