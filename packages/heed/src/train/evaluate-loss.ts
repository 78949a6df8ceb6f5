import type { Engine, Feed, View } from '@heed/tensor';
import type { BoundMethod } from '../method/method.js';
import type { AdapterPlan } from '../model/adapter.js';
import { fingerprintOf } from '../model/fingerprint.js';
import type { Model } from '../model/load.js';
import { feedsOf } from '../model/scoring.js';
import { type Progress, silentProgress } from '../run/progress.js';
import type { Shared } from '../run/shared.js';
import { type Estimate, pairedDifference } from '../run/statistics.js';
import { roundFeed, scalarFeeds } from './feeds.js';
import { isIdentity } from './first-loss-check.js';
import { type Readout, createForward } from './forward.js';
import type { Item } from './item.js';
import { readingOf, readingsOf, traceLoss } from './loss-program.js';
import { wantedFor } from './program.js';
import { type Scores, openReferences } from './references.js';
import { sharedReadout } from './shared-scores.js';
import { makeTables, sequenceTable, tokenTable } from './tables.js';
import { Totals } from './totals.js';

/** Scores rows by a method's loss without learning from them. */
export interface LossEvaluator {
  /**
   * The loss and the method's metrics under these parameters (flat, as in the adapter's plan) and these moving averages, with the method's
   * memory.
   */
  evaluate(policy: Evaluated, progress?: Progress): Promise<Evaluation>;
  release(): Promise<void>;
}

export interface Evaluation {
  readonly whole: Readonly<Record<string, number>>;
  /** The same for each row in order, or for each batch of rows where the loss couples them: intervals come from these. */
  readonly parts: readonly Readonly<Record<string, number>>[];
}

/** Metrics that lie between 0 and 1. */
const SHARE = /^(?:accuracy|recall_.*)$/;

/** How each metric changed, paired part by part, with its 95 % bootstrap interval; parts that lack it on either side are left out. */
export function changes(before: Evaluation, after: Evaluation, seed: number): Record<string, Estimate> {
  return Object.fromEntries(
    Object.keys(after.whole).flatMap((name): [string, Estimate][] => {
      const pairs = before.parts.flatMap((part, i) => {
        const [was, is] = [part[name], after.parts[i]![name]];
        return was === undefined || is === undefined ? [] : [[was, is] as const];
      });
      if (pairs.length < 2) return [];
      const [from, to] = [pairs.map(([was]) => was), pairs.map(([, is]) => is)];
      const bounds = SHARE.test(name) ? { bounds: [-1, 1] as const } : {};
      return [[name, pairedDifference(from, to, { seed, resamples: 2000, ...bounds })]];
    }),
  );
}

export interface Evaluated {
  readonly parameters: View;
  /** Parameters of the references that follow the policy, by name. */
  readonly copies?: Readonly<Record<string, View>>;
  readonly memory?: Readonly<Record<string, number>>;
}

export interface LossEvaluatorSetup {
  readonly engine: Engine;
  readonly model: Model;
  readonly method: BoundMethod;
  readonly plan: AdapterPlan;
  readonly items: readonly Item[];
  /** Rows that a loss which couples rows takes at once: a training's batch. */
  readonly batch: number;
  /** Where other runs find scores by the model without an adapter and by fixed references, and leave theirs. Default: nowhere. */
  readonly shared?: Shared;
}

/** Compiles a method's loss over held-out rows. */
export async function createLossEvaluator(
  { engine, model, method, plan, items, batch, shared }: LossEvaluatorSetup,
): Promise<LossEvaluator> {
  const traced = traceLoss(method, { derivatives: false });
  const { program, counts, terms, metrics } = traced;
  const { reads } = readingsOf(traced);
  const wanted = wantedFor(reads);
  const forward = await createForward(engine, model, method, { plan, wanted });
  const [loss, count] = [await engine.compile(program), await engine.compile(counts)];
  const names = method.names.filter((name) => !method.detached.has(name));

  // Before and after compare with the same references, scored once.
  const known = new Map<string, Scores>();
  const size = method.scope === 'step' ? batch : 1;
  const results = (totals: Totals): Record<string, number> => ({ loss: totals.loss(terms), ...totals.metrics(metrics) });

  /** Reads the items. Under an adapter that changes nothing they are read as in any run that begins with a fresh one of this shape. */
  async function readItems(parameters: View, progress: Progress): Promise<Readout> {
    forward.use(parameters);
    const read = (): Promise<Readout> => forward.read(items, names, (done) => progress.update(done));
    const ofHead = wanted.some((what) => what.startsWith('score:') || what.startsWith('value:'));
    if (shared === undefined || ofHead || !isIdentity({ plan, parameters: (await engine.read(parameters)) as Float32Array })) return read();
    const { rank, targets, layers, rankPattern } = plan.options;
    const policy = [fingerprintOf(model.checkpoint), 'fresh adapter', rank, targets, layers ?? 'all', rankPattern ?? 'one rank'];
    return sharedReadout(shared, { policy, method, wanted, names }, items, read);
  }

  return {
    async evaluate({ parameters, copies = {}, memory = method.memory }, progress = silentProgress) {
      progress.start('scoring held-out rows', items.length);
      const read = await readItems(parameters, progress);
      const references = openReferences({ engine, model, method, plan, policy: parameters, copies, known, still: true, shared });
      await references.prepare(items, { progress });
      progress.start('measuring the loss of held-out rows', items.length);
      const whole = new Totals();
      const parts: Record<string, number>[] = [];
      for (let from = 0; from < items.length; from += size) {
        const tables = makeTables(method, items.slice(from, from + size));
        const feeds = {
          ...tables.feeds,
          ...readoutFeeds(method, tables, reads, read),
          ...(await references.feeds(tables, false)),
          ...roundFeed(false),
          ...scalarFeeds('memory', memory),
        };
        const totals = new Totals();
        const out = await loss.run(feedsOf(program, feeds));
        totals.addSums(out, terms, metrics);
        totals.addAll(await count.run(feedsOf(counts, feeds)));
        whole.merge(totals);
        parts.push(results(totals));
        progress.update(from + tables.items.length);
      }
      progress.stop();
      await references.release();
      return { whole: results(whole), parts };
    },
    async release() {
      for (const part of [forward, loss, count]) await part.release();
    },
  };
}

/** What a policy gave for rows, as a loss reads it. */
function readoutFeeds(
  method: BoundMethod,
  tables: ReturnType<typeof makeTables>,
  reads: ReadonlySet<string>,
  read: Readout,
): Record<string, Feed> {
  return Object.fromEntries(
    [...reads].map((key) => {
      const { kind, head, name } = readingOf(key);
      const values = (item: Item, k: number): Float32Array => read.get(item)![key]![k]!;
      return [
        key,
        kind === 'score'
          ? sequenceTable(method, tables, name, method.heads[head!]!.size, values)
          : tokenTable(method, tables, name, values),
      ];
    }),
  );
}
