import { type Buffer, type Engine, type Feed, type HostTensor, type Session, type View, lower, view } from '@heed/tensor';
import { architectureOf } from '../model/architecture.js';
import type { AdapterPlan } from '../model/adapter.js';
import type { Checkpoint } from '../model/checkpoint/open.js';
import { traceDecode, tracePrefill } from '../model/decode.js';
import { type Merger, createMerger } from '../model/merge.js';
import { ropeFeed, tableRow } from '../model/rope.js';
import { frozenWeights, mergedInputs } from '../model/weights.js';
import type { KeyValueCache } from './cache.js';
import { blockWidth, traceChoice } from './choose.js';
import type { StepChoice } from './options.js';

/** The compiled programs of generation: one prefill, and one step for each way of choosing, compiled when first used. */
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
  /** A row of the logits of the last step, where the choice gives them. */
  logits(row: number): Promise<Float32Array>;
  /** Merges an adapter into the weights of later runs; undefined goes back to the checkpoint's own. */
  setAdapter(parameters: View | undefined): Promise<void>;
  release(): Promise<void>;
}

interface Options {
  readonly batch: number;
  readonly plan?: AdapterPlan;
  readonly prepack: boolean;
}

interface Compiled {
  readonly session: Session;
  /** What the session is bound to, so that it is bound again only where that changes. */
  cache?: KeyValueCache;
  count?: number;
}

export function createSessions(engine: Engine, checkpoint: Checkpoint, { batch, plan, prepack }: Options): Sessions {
  const architecture = architectureOf(checkpoint);
  const makeRope = ropeFeed(architecture);
  const compiled = new Map<string, Promise<Compiled>>();
  let merger: Merger | undefined;
  let adapted = false;
  let ropeTables: Readonly<Record<string, Feed>> | undefined;
  let rope: Readonly<Record<string, View>> = {};
  let ropeBuffers: Buffer[] = [];
  let logits: Buffer | undefined;

  const weights = () => (adapted ? mergedInputs(checkpoint, plan!) : frozenWeights(checkpoint));
  const trace = (choice: StepChoice | undefined) => {
    if (choice === undefined) return tracePrefill(architecture, weights());
    const decode = traceDecode(architecture, weights());
    return { ...traceChoice(decode.logits, choice), ...decode.caches };
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
    for (const entry of compiled.values()) (await entry).session.bind(rope);
    for (const buffer of old) await engine.free(buffer);
  }

  function open(choice: StepChoice | undefined): Promise<Compiled> {
    const name = choice === undefined ? 'prefill' : 'count' in choice ? `${choice.kind} ${choice.count}` : choice.kind;
    const key = `${adapted ? 'adapted' : 'plain'} ${name}`;
    const known = compiled.get(key);
    if (known !== undefined) return known;
    const making = (async (): Promise<Compiled> => {
      const session = await engine.compile(lower(trace(choice), { folder: checkpoint.folder }), { prepack: prepack && choice !== undefined });
      const feeds = adapted ? merger!.feeds : {};
      session.bind(Object.fromEntries(session.program.inputs.flatMap(({ name: port }) => (feeds[port] === undefined ? [] : [[port, feeds[port]]]))));
      session.bind(rope);
      return { session };
    })();
    compiled.set(key, making);
    making.catch(() => compiled.delete(key));
    return making;
  }

  const { vocabulary } = architecture;
  return {
    vocabulary,
    blocks: Math.ceil(vocabulary / blockWidth(vocabulary)),
    async prefill(cache, first, prompts) {
      const longest = Math.max(...prompts.map((p) => p.ids.length));
      const [n, size] = [prompts.length, prompts.length * longest];
      await growRope(Math.max(size, cache.length));
      const { session } = await open(undefined);
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
      }, into);
    },
    async step(cache, choice, slots, extra) {
      const n = slots.length;
      await growRope(Math.max(n, cache.length));
      const entry = await open(choice);
      const positions = slots.map((s) => s.position);
      if (entry.cache !== cache || entry.count !== n) {
        const { feeds, into } = cache.at(0, n);
        const named: Record<string, View> = { ...into };
        if (choice.kind !== 'greedy' && choice.kind !== 'sample') {
          logits ??= await engine.allocate('float32', batch * vocabulary);
          named['logits'] = view(logits, [n, vocabulary]);
        }
        entry.session.bind(feeds, named);
        [entry.cache, entry.count] = [cache, n];
      }
      return entry.session.run({
        ids: { data: Int32Array.from(slots, (s) => s.next), shape: [n, 1] },
        positions: { data: BigInt64Array.from(slots, ({ reach, position }) => BigInt(tableRow(reach, architecture)(position))), shape: [1, n] },
        lengths: { data: Int32Array.from(positions), shape: [n] },
        longest: { data: Int32Array.of(Math.max(...positions) + 1), shape: [1] },
        ...extra,
      });
    },
    async logits(row) {
      return (await engine.read(view(logits!, [vocabulary], row * vocabulary))) as Float32Array;
    },
    async setAdapter(parameters) {
      if (parameters === undefined) {
        adapted = false;
        return;
      }
      if (plan === undefined) throw new Error('This generator was made without an adapter plan.');
      merger ??= await createMerger(engine, checkpoint, plan);
      await merger.merge(parameters);
      adapted = true;
    },
    async release() {
      for (const entry of compiled.values()) await (await entry).session.release();
      await merger?.release();
      for (const buffer of [...ropeBuffers, ...(logits === undefined ? [] : [logits])]) await engine.free(buffer);
      compiled.clear();
    },
  };
}
