import type { Feed, HostTensor } from '@heed/tensor';
import type { BoundMethod } from '../method/method.js';
import { feedsOf, ropeFeed } from '../model/scoring.js';
import { adaptedWeights, bindRead, boundParameters } from '../model/weights.js';
import { dropoutMasks } from './dropout.js';
import { batchFeeds, bindTraining, roundFeed, scalarFeed, scalarFeeds, scaleFeeds } from './feeds.js';
import { type Item, supervisedOf } from './item.js';
import { newMemory, readingOf, readingsOf, traceLoss } from './loss-program.js';
import type { MicroBatch } from './micro-batch.js';
import { NotFiniteError } from './not-finite.js';
import { traceHalves } from './program.js';
import { shareOut } from './shares.js';
import type { Passes, StepperSetup } from './stepper.js';
import { type Tables, makeTables, sequenceTable, tokenTable } from './tables.js';
import { Totals } from './totals.js';

/**
 * For a loss that couples rows of several micro-batches: all of them are scored without gradient, the loss is taken once over
 * the step, and its derivative by each log-probability, entropy and score goes into each micro-batch's backward pass. Costs a second
 * forward pass.
 */
export async function createTwoPass(
  { engine, checkpoint, architecture, plan, method, state, references, keep }: StepperSetup,
): Promise<Passes> {
  const weights = adaptedWeights(checkpoint, plan, { dropout: true });
  const traced = traceLoss(method, { derivatives: true });
  const { program, counts, terms, metrics } = traced;
  const { reads, learns } = readingsOf(traced);
  const halves = traceHalves(architecture, weights, method, checkpoint.folder, keep, { reads, learns });
  const [forward, loss, count, backward] = [
    await engine.compile(halves.forward),
    await engine.compile(program),
    await engine.compile(counts),
    await engine.compile(halves.backward),
  ];
  const rope = ropeFeed(architecture);
  bindRead(forward, boundParameters(weights, state.parameters));
  bindTraining(backward, weights, state);
  return {
    terms,
    metrics,
    async run(batches, { seed, step, memory, roundBegins }) {
      const whole = makeTables(method, batches.flatMap((b) => b.items));
      const masks = (batch: MicroBatch): Record<string, Feed> => dropoutMasks(weights.masks, batch, plan.options.dropout, seed, step);
      const scored = await shareOut(engine, batches, async ({ piece: batch, on }) => {
        const out = await forward.run({ ...batchFeeds(batch, architecture, rope, halves.forward), ...masks(batch) }, {}, { on });
        return { tables: batch.tables, out };
      });

      const totals = new Totals();
      totals.addAll(await count.run(feedsOf(counts, whole.feeds)));
      const found = await loss.run(feedsOf(program, {
        ...whole.feeds, ...(await references?.feeds(whole, roundBegins)), ...roundFeed(roundBegins),
        ...scalarFeeds('memory', memory), ...scaleFeeds(totals, terms, method.name),
        ...Object.fromEntries([...reads].map((what) => [what, moved(method, what, scored, whole)])),
      }));
      totals.addSums(found, terms, metrics);
      if (!Number.isFinite(totals.loss(terms))) throw new NotFiniteError(`The loss of step ${step}`, whole.items.map((item) => item.where));

      const derivatives = [{ tables: whole, out: Object.fromEntries([...learns].map((what) => [what, found[`d:${what}`]!])) }];
      await shareOut(engine, batches, ({ piece: batch, on, first }) => backward.run({
        ...batchFeeds(batch, architecture, rope, halves.backward), ...masks(batch), carry: scalarFeed(first ? 0 : 1),
        ...Object.fromEntries([...learns].map((what) => [`d:${what}`, moved(method, what, derivatives, batch.tables)])),
      }, {}, { on }));
      return { totals, memory: newMemory(method, found), heatmaps: [] };
    },
    async release() {
      for (const session of [forward, loss, count, backward]) await session.release();
    },
  };
}

/** Copies the numbers of a reading from some tables of rows into others. */
function moved(
  method: BoundMethod,
  what: string,
  from: readonly { readonly tables: Tables; readonly out: Readonly<Record<string, HostTensor>> }[],
  to: Tables,
): Feed {
  const { kind, head, name } = readingOf(what);
  const size = kind === 'score' ? method.heads[head!]!.size : 1;
  const home = new Map<Item, (k: number) => ArrayLike<number>>();
  for (const { tables, out } of from) {
    const data = out[what]!.data as Float32Array;
    const places = method.lists.has(name) ? tables.places : 1;
    tables.items.forEach((item, row) => home.set(item, (k) => {
      const [width, used] = kind === 'score' ? [size, size] : [tables.slots, supervisedOf(item.sequences[name]![k]!)];
      const start = (row * places + k) * width;
      return data.subarray(start, start + used);
    }));
  }
  const values = (item: Item, k: number): ArrayLike<number> => home.get(item)!(k);
  return kind === 'score' ? sequenceTable(method, to, name, size, values) : tokenTable(method, to, name, values);
}
