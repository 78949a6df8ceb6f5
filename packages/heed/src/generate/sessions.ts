import { type Buffer, type Engine, type Feed, type HostTensor, type Session, type View, input, lower, sym, view } from '@heed/tensor';
import { architectureOf } from '../model/architecture.js';
import type { AdapterPlan } from '../model/adapter.js';
import type { Checkpoint } from '../model/checkpoint/open.js';
import { traceDecode } from '../model/decode.js';
import type { Weights } from '../model/decoder.js';
import { type Merger, createFactors, createMerger } from '../model/merge.js';
import type { QuantizedCheckpoint } from '../model/quantize.js';
import { ropeFeed, tableRow } from '../model/rope.js';
import { frozenWeights, int8Weights, mergedInputs } from '../model/weights.js';
import type { KeyValueCache } from './cache.js';
import { blockWidth, traceChoice } from './choose.js';
import type { StepChoice } from './options.js';

/** The compiled programs of generation: one with the weights, for all that the model computes, and one for each way of choosing; compiled when first used. */
export interface Sessions {
  readonly vocabulary: number;
  /** Blocks that the vocabulary is drawn from. */
  readonly blocks: number;
  /**
   * Fills slots `first`… of the cache with prompts (at least one token each), padded to the longest. `reach`: how long each text
   * may become, which decides how some architectures turn its positions.
   */
  prefill(cache: KeyValueCache, first: number, prompts: readonly { readonly ids: readonly number[]; readonly reach: number }[]): Promise<void>;
  /** Appends a token to each slot, at its position, and chooses what follows. `extra` feeds what the choice reads. */
  step(cache: KeyValueCache, choice: StepChoice, slots: readonly { readonly next: number; readonly position: number; readonly reach: number }[], extra: Readonly<Record<string, Feed>>): Promise<Record<string, HostTensor>>;
  /** A row of the logits of the last step. */
  logits(row: number): Promise<Float32Array>;
  /** Merges an adapter into the weights of later runs; undefined goes back to the checkpoint's own. */
  setAdapter(parameters: View | undefined): Promise<void>;
  release(): Promise<void>;
}

interface Options {
  readonly batch: number;
  readonly plan?: AdapterPlan;
  readonly prepack: boolean;
  /** Where the linear layers are in 8 bits. */
  readonly quantized?: QuantizedCheckpoint;
}

/** The program with the weights, which fills caches and steps. */
interface Decoder {
  readonly session: Session;
  /** What the session is bound to, so that it is bound again only where that changes. */
  cache?: KeyValueCache;
  count?: number;
}

/** A way of choosing from the logits of a step. */
interface Chooser {
  readonly session: Session;
  count?: number;
}

export function createSessions(engine: Engine, checkpoint: Checkpoint, { batch, plan, prepack, quantized }: Options): Sessions {
  const architecture = architectureOf(checkpoint);
  const { vocabulary } = architecture;
  const makeRope = ropeFeed(architecture);
  const decoders = new Map<string, Promise<Decoder>>();
  const choosers = new Map<string, Promise<Chooser>>();
  let merger: Merger | undefined;
  let adapted = false;
  let ropeTables: Readonly<Record<string, Feed>> | undefined;
  let rope: Readonly<Record<string, View>> = {};
  let ropeBuffers: Buffer[] = [];
  let held: Buffer | undefined;

  /** The logits of a step stay in the engine, where they are chosen from. */
  const logitsOf = async (rows: number): Promise<View> => view((held ??= await engine.allocate('float32', batch * vocabulary)), [rows, vocabulary]);

  const weights = (wide: boolean): Weights => {
    if (quantized !== undefined) return int8Weights(quantized, { wide, ...(adapted ? { plan: plan! } : {}) });
    return adapted ? mergedInputs(checkpoint, plan!) : frozenWeights(checkpoint);
  };

  /** The rotation's kernel wants as many rows as there are tokens in the run, and more than any position. */
  async function growRope(rows: number): Promise<void> {
    const tables = makeRope(rows);
    if (tables === ropeTables) return;
    ropeTables = tables;
    const feeds = Object.entries(tables) as [string, { data: Float32Array; shape: readonly number[] }][];
    const old = ropeBuffers;
    ropeBuffers = [];
    const views: Record<string, View> = {};
    for (const [name, { data, shape }] of feeds) {
      const buffer = await engine.upload(data);
      ropeBuffers.push(buffer);
      views[name] = view(buffer, shape);
    }
    rope = views;
    for (const decoder of decoders.values()) (await decoder).session.bind(rope);
    for (const buffer of old) await engine.free(buffer);
  }

  /** In f32 one program does both, so that its weights are packed once; in int8 prompts have one of their own, which packs nothing. */
  const decoder = (prompts: boolean): Promise<Decoder> => {
    const wide = prompts && quantized !== undefined;
    return madeOnce(decoders, `${adapted ? 'adapted' : 'plain'}${wide ? ' wide' : ''}`, async () => {
      const { logits, caches } = traceDecode(architecture, weights(wide));
      const { folder } = quantized ?? checkpoint;
      const session = await engine.compile(lower(wide ? caches : { logits, ...caches }, { folder }), { prepack: !wide && (prepack || quantized !== undefined) });
      const feeds = adapted ? merger!.feeds : {};
      session.bind(Object.fromEntries(session.program.inputs.flatMap(({ name: port }) => (feeds[port] === undefined ? [] : [[port, feeds[port]]]))));
      session.bind(rope);
      return { session };
    });
  };

  const chooser = (choice: StepChoice): Promise<Chooser> =>
    madeOnce(choosers, 'count' in choice ? `${choice.kind} ${choice.count}` : choice.kind, async () =>
      ({ session: await engine.compile(lower(traceChoice(input('logits', [sym('B'), vocabulary]), choice))) }));

  return {
    vocabulary,
    blocks: Math.ceil(vocabulary / blockWidth(vocabulary)),
    async prefill(cache, first, prompts) {
      const longest = Math.max(...prompts.map((p) => p.ids.length));
      const [n, size] = [prompts.length, prompts.length * longest];
      await growRope(Math.max(size, cache.length));
      const { session } = await decoder(true);
      const ids = new Int32Array(size);
      prompts.forEach((prompt, i) => ids.set(prompt.ids, i * longest));
      const rows = prompts.map(({ reach }) => tableRow(reach, architecture));
      const positions = BigInt64Array.from({ length: size }, (_, i) => BigInt(rows[Math.floor(i / longest)]!(i % longest)));
      const { feeds, into } = cache.at(first, n);
      await session.run({
        ...feeds,
        ids: { data: ids, shape: [n, longest] },
        positions: { data: positions, shape: [1, size] },
        lengths: { data: Int32Array.from(prompts, (p) => p.ids.length - 1), shape: [n] },
        longest: { data: Int32Array.of(longest), shape: [1] },
        ...(quantized === undefined ? { read: { data: new Int32Array(), shape: [0] } } : {}),
      }, { ...into, ...(quantized === undefined ? { logits: await logitsOf(0) } : {}) });
    },
    async step(cache, choice, slots, extra) {
      const n = slots.length;
      await growRope(Math.max(n, cache.length));
      const [deciding, choosing] = [await decoder(false), await chooser(choice)];
      const logits = await logitsOf(n);
      if (deciding.cache !== cache || deciding.count !== n) {
        const { feeds, into } = cache.at(0, n);
        deciding.session.bind(feeds, { ...into, logits });
        [deciding.cache, deciding.count] = [cache, n];
      }
      if (choosing.count !== n) choosing.session.bind({ logits });
      choosing.count = n;
      const positions = slots.map((s) => s.position);
      // The engine answers in the order of asking, so the second need not wait here for the first.
      const [, chosen] = await Promise.all([
        deciding.session.run({
          ids: { data: Int32Array.from(slots, (s) => s.next), shape: [n, 1] },
          positions: { data: BigInt64Array.from(slots, ({ reach, position }) => BigInt(tableRow(reach, architecture)(position))), shape: [1, n] },
          lengths: { data: Int32Array.from(positions), shape: [n] },
          longest: { data: Int32Array.of(Math.max(...positions) + 1), shape: [1] },
          read: { data: Int32Array.from({ length: n }, (_, i) => i), shape: [n] },
        }),
        choosing.session.run(extra),
      ]);
      return chosen;
    },
    async logits(row) {
      return (await engine.read(view(held!, [vocabulary], row * vocabulary))) as Float32Array;
    },
    async setAdapter(parameters) {
      if (parameters === undefined) {
        adapted = false;
        return;
      }
      if (plan === undefined) throw new Error('This generator was made without an adapter plan.');
      merger ??= await (quantized === undefined ? createMerger(engine, checkpoint, plan) : createFactors(engine, plan));
      await merger.merge(parameters);
      adapted = true;
    },
    async release() {
      for (const made of [...decoders.values(), ...choosers.values()]) await (await made).session.release();
      await merger?.release();
      for (const buffer of [...ropeBuffers, ...(held === undefined ? [] : [held])]) await engine.free(buffer);
      decoders.clear();
      choosers.clear();
    },
  };
}

/** What a failure leaves is not kept. */
function madeOnce<K, V>(known: Map<K, Promise<V>>, key: K, make: () => Promise<V>): Promise<V> {
  const found = known.get(key);
  if (found !== undefined) return found;
  const making = make();
  known.set(key, making);
  making.catch(() => known.delete(key));
  return making;
}
