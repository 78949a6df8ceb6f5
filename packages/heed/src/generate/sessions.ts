import { type Buffer, type Engine, type Feed, type HostTensor, type Session, type View, input, lower, sym, view } from '@heed/tensor';
import { architectureOf } from '../model/architecture.js';
import type { AdapterPlan } from '../model/adapter.js';
import type { Checkpoint } from '../model/checkpoint/open.js';
import { traceDecode } from '../model/decode.js';
import type { Weights } from '../model/decoder.js';
import { type Merger, createFactors, createMerger } from '../model/merge.js';
import { readSteps } from '../model/packed-steps.js';
import { hasCodes } from '../model/quantize.js';
import { ropeFeed, tableRow } from '../model/rope.js';
import { frozenWeights, mergedInputs, packedWeights } from '../model/weights.js';
import type { KeyValueCache } from './cache.js';
import { blockWidth, traceChoice } from './choose.js';
import type { StepChoice } from './options.js';

/** The compiled programs of generation: the model's, and one for each way of choosing a token. Each is compiled when first used. */
export interface Sessions {
  readonly vocabulary: number;
  /** How many blocks the vocabulary is divided into for a draw. */
  readonly blocks: number;
  /** Fills slots `first`… of the cache with prompts (at least one token each), padded to the longest. */
  prefill(cache: KeyValueCache, first: number, prompts: readonly Prompt[]): Promise<void>;
  /** Appends a token to each slot, at its position, and chooses what follows. `extra` feeds what the choice reads. */
  step(
    cache: KeyValueCache, choice: StepChoice, slots: readonly Slot[], extra: Readonly<Record<string, Feed>>,
  ): Promise<Record<string, HostTensor>>;
  /** A row of the logits of the last step. */
  logits(row: number): Promise<Float32Array>;
  /** Merges an adapter into the weights of later runs; undefined goes back to the checkpoint's own. */
  setAdapter(parameters: View | undefined): Promise<void>;
  release(): Promise<void>;
}

interface Prompt {
  readonly ids: readonly number[];
  /** Most tokens that the text can have in the end. Some architectures turn positions differently in long texts. */
  readonly reach: number;
}

interface Slot {
  readonly next: number;
  readonly position: number;
  readonly reach: number;
}

interface Options {
  readonly batch: number;
  readonly plan?: AdapterPlan;
  readonly prepack: boolean;
}

/** The program with the weights, which fills caches and steps. */
interface Decoder {
  readonly session: Session;
  /** The cache and the number of slots that the session is bound to: it is bound again only where they change. */
  cache?: KeyValueCache;
  count?: number;
}

/** A way of choosing from the logits of a step. */
interface Chooser {
  readonly session: Session;
  count?: number;
}

export function createSessions(engine: Engine, checkpoint: Checkpoint, { batch, plan, prepack }: Options): Sessions {
  const architecture = architectureOf(checkpoint);
  const { vocabulary } = architecture;
  const packed = hasCodes(checkpoint);
  const makeRope = ropeFeed(architecture);
  /** By whether the program fills caches alone. */
  const decoders = new Map<boolean, Promise<Decoder>>();
  const choosers = new Map<string, Promise<Chooser>>();
  let merger: Merger | undefined;
  let adapted = false;
  let ropeTables: Readonly<Record<string, Feed>> | undefined;
  let rope: Readonly<Record<string, View>> = {};
  let ropeBuffers: Buffer[] = [];
  let held: Buffer | undefined;

  /** The logits of a step stay in the engine, where they are chosen from. */
  const logitsOf = async (rows: number): Promise<View> => {
    held ??= await engine.allocate('float32', batch * vocabulary);
    return view(held, [rows, vocabulary]);
  };

  const weights = async (wide: boolean): Promise<Weights> => {
    if (!packed) return adapted ? mergedInputs(checkpoint, plan!) : frozenWeights(checkpoint);
    return packedWeights(checkpoint, { plan: adapted ? plan : undefined, ...(wide ? {} : { steps: await readSteps(checkpoint) }) });
  };

  /** Makes the tables of the rotary embedding larger: its kernel wants a row for each token of the run, and for every position. */
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

  /** In f32 one program fills caches and steps, so that weights are packed once; in codes a program that packs nothing fills caches. */
  const decoder = (prompts: boolean): Promise<Decoder> => {
    const wide = prompts && packed;
    return madeOnce(decoders, wide, async () => {
      const { logits, caches } = traceDecode(architecture, await weights(wide));
      const { folder } = checkpoint;
      const program = lower(wide ? caches : { logits, ...caches }, { folder });
      const session = await engine.compile(program, { prepack: !wide && (prepack || packed) });
      const read = new Set(session.program.inputs.map(({ name }) => name));
      if (adapted) session.bind(Object.fromEntries(Object.entries(merger!.feeds).filter(([name]) => read.has(name))));
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
        ...(!packed ? { read: { data: new Int32Array(), shape: [0] } } : {}),
      }, { ...into, ...(!packed ? { logits: await logitsOf(0) } : {}) });
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
      // The engine answers requests in their order, so the second is sent without waiting for the first.
      const [, chosen] = await Promise.all([
        deciding.session.run({
          ids: { data: Int32Array.from(slots, (s) => s.next), shape: [n, 1] },
          positions: { data: BigInt64Array.from(slots, (s) => BigInt(tableRow(s.reach, architecture)(s.position))), shape: [1, n] },
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
      if (parameters !== undefined && plan === undefined) throw new Error('This generator was made without an adapter plan.');
      const changes = adapted !== (parameters !== undefined);
      // Each program can hold as much memory as the model, in packed weights: the other kind is let go of before more memory is taken.
      if (changes) await releaseAll(decoders);
      if (parameters !== undefined) {
        merger ??= await (packed ? createFactors(engine, plan!) : createMerger(engine, checkpoint, plan!));
        await merger.merge(parameters);
      }
      adapted = parameters !== undefined;
    },
    async release() {
      await releaseAll(decoders);
      await releaseAll(choosers);
      await merger?.release();
      for (const buffer of [...ropeBuffers, ...(held === undefined ? [] : [held])]) await engine.free(buffer);
    },
  };
}

async function releaseAll(made: Map<unknown, Promise<{ readonly session: Session }>>): Promise<void> {
  for (const one of made.values()) await (await one).session.release();
  made.clear();
}

/** Makes a value once for each key. A failure is not kept: the next call tries again. */
function madeOnce<K, V>(known: Map<K, Promise<V>>, key: K, make: () => Promise<V>): Promise<V> {
  const found = known.get(key);
  if (found !== undefined) return found;
  const making = make();
  known.set(key, making);
  making.catch(() => known.delete(key));
  return making;
}
