import type { Engine, View } from '@heed/tensor';
import type { BoundMethod } from '../method/method.js';
import type { AdapterPlan } from '../model/adapter.js';
import type { Model } from '../model/load.js';
import { attentionOver, feedsOf, ropeFeed, scoringFeeds } from '../model/scoring.js';
import { adaptedWeights, bindRead, boundParameters, frozenWeights } from '../model/weights.js';
import type { Item } from './item.js';
import { makeMicroBatch } from './micro-batch.js';
import { splitPasses } from './passes.js';
import { type Wanted, traceForward } from './program.js';
import { shareOut } from './shares.js';

/**
 * What a policy gave for rows, by reading (`logp:<name>`, `score:<head>:<name>`, …): for each sequence of a name the numbers of
 * its supervised tokens; of a score the head's numbers; of `attention` the last token's attention on each response token.
 */
export type Readout = ReadonlyMap<Item, Readonly<Record<string, readonly Float32Array[]>>>;

/** A policy that rows are scored under, without gradient or dropout. */
export interface Forward {
  /** Of an adapted policy: the parameters to use from now on (flat, as in the adapter's plan). */
  use(parameters: View): void;
  /** Scores the named sequences. The passes depend on the rows alone, so the same rows give the same bits. */
  read(items: readonly Item[], names: readonly string[], onItem?: (done: number) => void): Promise<Readout>;
  release(): Promise<void>;
}

/** The policy of a forward pass, and what is read of it. */
export interface ForwardOptions {
  /** The adapter's plan. Default: the base itself. */
  readonly plan?: AdapterPlan;
  /** Default: log-probabilities. Entropies are read beside log-probabilities only. */
  readonly wanted?: readonly Wanted[];
}

/** Compiles a forward pass. */
export async function createForward(
  engine: Engine, model: Pick<Model, 'checkpoint' | 'architecture'>, method: BoundMethod, { plan, wanted = ['logp'] }: ForwardOptions = {},
): Promise<Forward> {
  const weights = plan && adaptedWeights(model.checkpoint, plan, { dropout: false });
  const { architecture, checkpoint } = model;
  const traced = traceForward(architecture, weights ?? frozenWeights(checkpoint), checkpoint.folder, wanted, method);
  const session = await engine.compile(traced);
  const rope = ropeFeed(model.architecture);
  return {
    use: (parameters) => bindRead(session, boundParameters(weights!, parameters)),
    async read(items, names, onItem) {
      const out = new Map<Item, Record<string, Float32Array[]>>();
      // Only the named sequences go through the model. A row may have none of them.
      const concerned = items.flatMap((item) => {
        const sequences = Object.fromEntries(names.flatMap((n) => (item.sequences[n] === undefined ? [] : [[n, item.sequences[n]]])));
        if (Object.keys(sequences).length === 0) return [];
        return [{ item, part: { ...item, sequences } }];
      });
      const whole = new Map(concerned.map(({ item, part }) => [part as Item, item]));
      let done = 0;
      await shareOut(engine, splitPasses(concerned.map(({ part }) => part)), async ({ piece: pass, on }) => {
        const batch = makeMicroBatch(method, pass, { names });
        const feeds = { ...scoringFeeds(batch.layout, model.architecture, rope, session.program), ...batch.feeds };
        const results = await session.run(feedsOf(session.program, feeds), {}, { on });
        const attention = results['attention'] && attentionOver(batch.layout, results['attention'].data);
        const valuesOf = (what: Wanted, s: number): Float32Array => {
          if (what === 'attention') return attention![s]!;
          const { data } = results[what]!;
          const size = data.length / batch.owners.length;
          return what.startsWith('score:')
            ? Float32Array.from({ length: size }, (_, i) => Number(data[s * size + i]))
            : Float32Array.from(batch.layout.labelOf[s]!.filter((l) => l >= 0), (l) => Number(data[l]));
        };
        batch.owners.forEach(({ item, name, place }, s) => {
          const row = whole.get(pass[item]!)!;
          if (!out.has(row)) out.set(row, {});
          for (const what of wanted) (out.get(row)![`${what}:${name}`] ??= [])[place] = valuesOf(what, s);
        });
        onItem?.((done += pass.length));
      });
      return out;
    },
    release: () => session.release(),
  };
}
