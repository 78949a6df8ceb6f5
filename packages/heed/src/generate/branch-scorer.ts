import { type Engine, type Feed, type View, lower } from '@heed/tensor';
import type { AdapterPlan } from '../model/adapter.js';
import { branchFeeds, layOutBranches, traceBranches } from '../model/branches.js';
import { tracePrefill } from '../model/decode.js';
import type { Weights } from '../model/decoder.js';
import type { Model } from '../model/load.js';
import type { Precision } from '../run/precision.js';
import { readSteps } from '../model/packed-steps.js';
import { hasCodes, inPrecision } from '../model/quantize.js';
import { ropeFeed, shortLength, tableRow } from '../model/rope.js';
import { feedsOf } from '../model/scoring.js';
import { type Together, shareBeginnings } from '../model/shared-beginnings.js';
import { adaptedWeights, besideFeeds, bindRead, boundParameters, frozenWeights, packedWeights } from '../model/weights.js';
import type { BranchHooks, BranchRequest, BranchScorer } from './branch-request.js';
import { type KeyValueCache, allocateCache } from './cache.js';
import { shareScorers } from './shared-scorer.js';

export type { BranchHooks, BranchRequest, BranchScorer } from './branch-request.js';

/** Tokens in one pass: matrix products of this many rows run at full speed, and attention still fits the processor's caches. */
const ROWS_PER_PASS = 2048;

interface Indexed extends BranchRequest {
  readonly index: number;
}

/**
 * Scores answers where many prompts begin alike, as a judge's do: a beginning that prompts share is computed once, its keys and values
 * are kept, and every prompt's rest, with all its answers as branches, runs behind them. The last beginning is kept from call to call.
 * Numbers are those of `createScorer`, to rounding; in codes, near them.
 * On an engine with a team every machine scores a part of the requests.
 */
export async function createBranchScorer(
  engine: Engine,
  model: Pick<Model, 'checkpoint' | 'architecture'>,
  adapter?: { readonly plan: AdapterPlan; readonly parameters: View },
  { precision = 'f32' }: { readonly precision?: Precision } = {},
): Promise<BranchScorer> {
  const { team } = engine;
  if (team !== undefined) return shareScorers(team, (member) => createBranchScorer(member, model, adapter, { precision }));
  const { checkpoint: given, architecture } = model;
  const checkpoint = await inPrecision(given, precision);
  const packed = hasCodes(checkpoint);
  // The head reads few rows.
  const steps = packed ? await readSteps(checkpoint, (module) => !module.includes('.layers.')) : undefined;
  const compile = async (trace: (weights: Weights) => Parameters<typeof lower>[0]) => {
    const adapted = adapter && !packed ? adaptedWeights(checkpoint, adapter.plan, { dropout: false }) : undefined;
    const exact = adapted ?? frozenWeights(checkpoint);
    const weights = packed ? packedWeights(checkpoint, { steps, plan: adapter?.plan }) : exact;
    const program = lower(trace(weights), { folder: checkpoint.folder });
    const session = await engine.compile(program, { prepack: packed });
    if (adapter !== undefined) {
      const { plan, parameters } = adapter;
      bindRead(session, adapted === undefined ? besideFeeds(plan, parameters) : boundParameters(adapted, parameters));
    }
    return session;
  };
  const prefill = await compile((weights) => tracePrefill(architecture, weights));
  const branches = await compile((weights) => ({ logp: traceBranches(architecture, weights) }));
  const makeRope = ropeFeed(architecture);
  const { local } = architecture;
  const short = shortLength(architecture.rope);
  let held: { readonly ids: readonly number[]; readonly long: boolean; readonly cache: KeyValueCache } | undefined;
  let computed = 0;
  let last: Promise<unknown> = Promise.resolve();

  /** The keys and values of a beginning; where it is empty, one position that every mask hides. */
  async function begin(ids: readonly number[], long: boolean): Promise<KeyValueCache> {
    if (held !== undefined && held.long === long && held.ids.join() === ids.join()) return held.cache;
    const old = held;
    held = undefined;
    await old?.cache.release();
    const n = ids.length;
    const cache = await allocateCache(engine, architecture, 1, Math.max(1, n));
    if (n > 0) {
      const { feeds, into } = cache.at(0, 1);
      const rowAt = tableRow(long ? Infinity : 0, architecture);
      await prefill.run({
        ...feeds, ...makeRope(n),
        ids: { data: Int32Array.from(ids), shape: [1, n] },
        positions: { data: BigInt64Array.from(ids, (_, t) => BigInt(rowAt(t))), shape: [1, n] },
        lengths: { data: Int32Array.of(n - 1), shape: [1] },
        longest: { data: Int32Array.of(n), shape: [1] },
      }, into);
      computed += n;
    }
    held = { ids, long, cache };
    return cache;
  }

  async function pass(begun: number, long: boolean, cache: KeyValueCache, some: readonly Indexed[]): Promise<number[][][]> {
    const layout = layOutBranches(begun, some.map(({ prompt, answers }) => ({ rest: prompt.slice(begun), answers })), local?.window);
    const feeds: Record<string, Feed> = {
      ...cache.at(0, 1).feeds,
      ...branchFeeds(layout, architecture, tableRow(long ? Infinity : 0, architecture)),
      ...makeRope(layout.positions.reduce((most, p) => Math.max(most, p + 1), layout.ids.length)),
    };
    const out = (await branches.run(feedsOf(branches.program, feeds)))['logp']!.data;
    computed += layout.ids.length;
    let at = 0;
    return some.map(({ answers }) => answers.map((answer) => Array.from(answer, () => Number(out[at++]))));
  }

  async function logProbs(requests: readonly BranchRequest[], { onResult, signal }: BranchHooks): Promise<number[][][]> {
    const results = new Array<number[][]>(requests.length);
    const indexed = requests.map((request, index): Indexed => ({ ...request, index }));
    const longest = ({ prompt, answers }: BranchRequest): number => prompt.length + Math.max(...answers.map((a) => a.length));
    const isLong = (request: BranchRequest): boolean => short !== undefined && longest(request) > short;
    for (const long of [false, true]) {
      for (const group of shareBeginnings(indexed.filter((request) => isLong(request) === long), ({ prompt }) => prompt)) {
        const begun = beginningOf(group, held?.long === long ? held.ids : undefined);
        const cache = await begin(group.items[0]!.prompt.slice(0, begun), long);
        for (const some of passes(group.items, begun)) {
          signal?.throwIfAborted();
          const scored = await pass(begun, long, cache, some);
          some.forEach(({ index }, i) => {
            results[index] = scored[i]!;
            onResult?.(index, scored[i]!);
          });
        }
      }
    }
    return results;
  }

  return {
    logProbs(requests, hooks = {}) {
      // Calls run one after the other, since each may replace the kept beginning.
      const result = last.then(() => logProbs(requests, hooks), () => logProbs(requests, hooks));
      last = result.catch(() => undefined);
      return result;
    },
    get computed() {
      return computed;
    },
    async release() {
      await last;
      await held?.cache.release();
      held = undefined;
      await prefill.release();
      await branches.release();
    },
  };
}

/**
 * How many tokens a group's beginning has. It is the kept beginning where computing the rest of each prompt behind it costs less than
 * computing a new beginning.
 */
function beginningOf({ items, length }: Together<Indexed>, kept: readonly number[] | undefined): number {
  const first = items[0]!.prompt;
  const fits = kept !== undefined && kept.length > 0 && kept.length <= length && kept.every((id, t) => first[t] === id);
  return fits && (length - kept.length) * items.length <= length ? kept.length : length;
}

/** Tokens that a pass computes for a request behind a beginning of `begun` tokens. */
const rowsOf = ({ prompt, answers }: BranchRequest, begun: number): number =>
  prompt.length - begun + answers.reduce((n, a) => n + a.length - 1, 0);

/** Requests of similar length together, so that attention is padded little. */
function passes(items: readonly Indexed[], begun: number): Indexed[][] {
  const found: Indexed[][] = [];
  let rows = Infinity;
  for (const item of [...items].sort((a, b) => rowsOf(a, begun) - rowsOf(b, begun))) {
    const own = rowsOf(item, begun);
    if (rows + own > ROWS_PER_PASS) {
      found.push([]);
      rows = 0;
    }
    found.at(-1)!.push(item);
    rows += own;
  }
  return found;
}
