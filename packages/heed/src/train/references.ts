import { type Engine, type Feed, type View, movingAverage, view } from '@heed/tensor';
import type { BoundMethod, Reference } from '../method/method.js';
import type { AdapterPlan } from '../model/adapter.js';
import type { Model } from '../model/load.js';
import { fingerprintOf } from '../model/fingerprint.js';
import { loadAdapter } from '../model/peft.js';
import { type Progress, silentProgress } from '../run/progress.js';
import type { Shared } from '../run/shared.js';
import { type Forward, type Readout, createForward } from './forward.js';
import type { Item } from './item.js';
import { sharedReadout } from './shared-scores.js';
import { type Tables, tokenTable } from './tables.js';

/** The policies that a loss compares with, and their log-probabilities of rows. */
export interface References {
  /**
   * Scores the rows of a round ahead, under every reference that does not change during the round. `round` is left out where `roundSteps`
   * is 1, because a round's first step needs no scores. Scores of earlier rounds are dropped, even where a row comes back: the rows that
   * are scored together change the last bits, and a run that is resumed in this round has no scores of earlier ones.
   */
  prepare(items: readonly Item[], options?: { readonly progress?: Progress; readonly roundSteps?: number }): Promise<void>;
  /** `under:<reference>:<name>` for a loss over these rows. A reference that changes is scored now. */
  feeds(tables: Tables, roundBegins: boolean): Promise<Record<string, Feed>>;
  /** Updates the moving averages after optimizer step `step` of the run. */
  follow(step: number): Promise<void>;
  /** Says for people which policy each reference is. @param steps the steps of the run, where they are known */
  describe(steps?: number): string[];
  /** Frees the compiled programs. What is asked for later compiles them anew. */
  release(): Promise<void>;
}

export interface ReferencesSetup {
  readonly engine: Engine;
  readonly model: Pick<Model, 'checkpoint' | 'architecture'>;
  readonly method: BoundMethod;
  readonly plan: AdapterPlan;
  /** The trained parameters in the engine. */
  readonly policy: View;
  /** The parameters of each reference that follows the policy, in the engine. */
  readonly copies: Readonly<Record<string, View>>;
  /** Scores by fixed references, by name, to use and to add to. Default: fixed references score the rows of each round anew. */
  readonly known?: Map<string, Scores>;
  /** No parameters change while the references are open, so all of them score ahead. Default: false. */
  readonly still?: boolean;
  /** More rounds will come, so compiled programs stay. Default: false, which frees them after scoring. */
  readonly moreRounds?: boolean;
  /** Where other runs find scores by fixed references, and leave theirs. Default: nowhere. */
  readonly shared?: Shared;
}

export type Scores = Map<Item, Readonly<Record<string, readonly Float32Array[]>>>;

/**
 * Opens a method's references. Each program is compiled at its first use.
 *
 * @throws UserError where a reference is an adapter that is not there; what `loadAdapter` throws for one of another base
 */
export function openReferences(setup: ReferencesSetup): References {
  const { engine, model, method, plan, policy, copies, still = false, moreRounds = false } = setup;
  const uses = Object.entries(method.references);
  const known = setup.known ?? new Map<string, Scores>();
  for (const [name, { is }] of uses) if (isFixed(is) && !known.has(name)) known.set(name, new Map());
  const ofRound = new Map<string, Scores>();
  const aheadOf = (name: string, is: Reference): Scores | undefined => {
    if (isFixed(is)) return known.get(name);
    if (is !== 'round' && !still) return undefined;
    if (!ofRound.has(name)) ofRound.set(name, new Map());
    return ofRound.get(name);
  };
  const opened = new Map<string, Promise<Forward>>();
  const once = (key: string, open: () => Promise<Forward>): Promise<Forward> => {
    if (!opened.has(key)) opened.set(key, open());
    return opened.get(key)!;
  };
  const forwardOf = async (name: string, is: Reference): Promise<Forward> => {
    if (is === 'base') return once('base', () => createForward(engine, model, method));
    if (typeof is === 'object' && 'adapter' in is) {
      return once(`adapter:${is.adapter}`, async () => {
        const adapter = await loadAdapter(is.adapter, model.checkpoint);
        const forward = await createForward(engine, model, method, { plan: adapter.plan });
        forward.use(view(await engine.upload(adapter.parameters)));
        return forward;
      });
    }
    // The policy and its copies differ only in their numbers, so they share one compiled program.
    const forward = await once('trained', () => createForward(engine, model, method, { plan }));
    forward.use(is === 'policy' ? policy : copies[name]!);
    return forward;
  };
  let average: ReturnType<Engine['compile']> | undefined;

  return {
    async prepare(items, { progress = silentProgress, roundSteps = Infinity } = {}) {
      ofRound.clear();
      if (setup.known === undefined) for (const said of known.values()) said.clear();
      for (const [name, { is, scores: names }] of uses) {
        if (is === 'round' && roundSteps === 1) continue;
        const said = aheadOf(name, is);
        const missing = said && items.filter((item) => !said.has(item));
        if (missing === undefined || missing.length === 0) continue;
        progress.start(`scoring rows with ${describeReference(is)}`, missing.length);
        const read = async (): Promise<Readout> => (await forwardOf(name, is)).read(missing, names, (n) => progress.update(n));
        const readout = isFixed(is)
          ? await sharedReadout(setup.shared, { policy: await fixedPolicy(is, model), method, wanted: ['logp'], names }, missing, read)
          : await read();
        for (const [item, values] of readout) said!.set(item, values);
        for (const item of missing) if (!said!.has(item)) said!.set(item, {});
        progress.stop();
      }
      if (moreRounds) return;
      for (const [key, forward] of [...opened]) {
        if (key === 'trained') continue;
        await (await forward).release();
        opened.delete(key);
      }
    },
    async feeds(tables, roundBegins) {
      const feeds: Record<string, Feed> = {};
      for (const [name, { is, scores: names }] of uses) {
        // At a round's first step the loss reads the policy in place of `round` (`ROUND_BEGINS`).
        const unread = is === 'round' && roundBegins;
        const read = async (): Promise<ReadonlyMap<Item, Readonly<Record<string, readonly Float32Array[]>>>> =>
          aheadOf(name, is) ?? (await forwardOf(name, is)).read(tables.items, names);
        const values = unread ? undefined : await read();
        for (const sequence of names) {
          feeds[`under:${name}:${sequence}`] = tokenTable(method, tables, sequence, (item, k) => {
            if (values === undefined) return [];
            const found = values.get(item)?.[`logp:${sequence}`]?.[k];
            if (found === undefined) throw new Error(`The reference ${name} has not scored ${sequence} of ${item.where}.`);
            return found;
          });
        }
      }
      return feeds;
    },
    async follow(step) {
      for (const [name, { is }] of uses) {
        if (typeof is !== 'object' || !('ema' in is) || step % is.ema.every !== 0) continue;
        const session = await (average ??= engine.compile(movingAverage()));
        session.bind({ average: copies[name]!, parameters: policy }, { new_average: copies[name]! });
        await session.run({ rate: { data: Float32Array.of(is.ema.rate), shape: [] } });
      }
    },
    describe: (steps = Infinity) =>
      // The policy itself, taken as fixed, is a part of a loss and nothing that the policy is held to.
      uses.filter(([, { is }]) => is !== 'policy').map(([name, { is }]) => {
        const late = typeof is === 'object' && 'ema' in is && is.ema.every > steps && steps < Infinity;
        const unchanged = late ? `; a run of ${steps} steps ends before its first update, so it never changes` : '';
        // Where there is one, the method calls it "reference".
        return `The reference${name === 'reference' ? '' : ` ${name}`} is ${describeReference(is)}${unchanged}.`;
      }),
    async release() {
      for (const forward of opened.values()) await (await forward).release();
      opened.clear();
      await (await average)?.release();
      average = undefined;
    },
  };
}

const isFixed = (is: Reference): boolean => is === 'base' || (typeof is === 'object' && 'adapter' in is);

/** Names a fixed reference by content. */
async function fixedPolicy(is: Reference, { checkpoint }: Pick<Model, 'checkpoint'>): Promise<readonly unknown[]> {
  const adapter = typeof is === 'object' && 'adapter' in is ? await loadAdapter(is.adapter, checkpoint) : undefined;
  return [fingerprintOf(checkpoint, adapter)];
}

function describeReference(is: Reference): string {
  if (is === 'base') return 'the untouched model';
  if (is === 'policy') return 'the model in training itself, taken as fixed';
  if (is === 'round') return 'the model as the round began';
  if ('adapter' in is) return `the adapter ${is.adapter}`;
  return `a slow average of the model in training (every ${is.ema.every} steps, rate ${is.ema.rate})`;
}
