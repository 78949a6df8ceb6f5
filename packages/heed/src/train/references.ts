import { type Engine, type Feed, type View, movingAverage, view } from '@heed/tensor';
import type { BoundMethod, Reference } from '../method/method.js';
import type { AdapterPlan } from '../model/adapter.js';
import type { Model } from '../model/load.js';
import { loadAdapter } from '../model/peft.js';
import { type Progress, silentProgress } from '../run/progress.js';
import { type Forward, createForward } from './forward.js';
import type { Item } from './items.js';
import { type Tables, tokenTable } from './tables.js';

/** The policies that a loss compares with, and what they say of rows. */
export interface References {
  /** Scores rows under references that do not change, once for each row. */
  prepare(items: readonly Item[], progress?: Progress): Promise<void>;
  /** `under:<reference>:<name>` for a loss over these rows; references that change are read as they are now. */
  feeds(tables: Tables): Promise<Record<string, Feed>>;
  /** Lets moving averages follow the policy, after so many optimizer steps of the run. */
  follow(step: number): Promise<void>;
  /** For people: which policy each reference is, in a run of so many steps. */
  describe(steps: number): string[];
  release(): Promise<void>;
}

export interface ReferencesSetup {
  readonly engine: Engine;
  readonly model: Pick<Model, 'checkpoint' | 'architecture'>;
  readonly method: BoundMethod;
  readonly plan: AdapterPlan;
  /** The trained parameters, read where they lie. */
  readonly policy: View;
  /** The parameters of each reference that is a moving average, updated where they lie. */
  readonly averages: Readonly<Record<string, View>>;
  /** What references that never change said before, by name; added to. Default: nothing yet. */
  readonly known?: Map<string, Scores>;
  /** Nothing learns while they are open: those that change are scored ahead like the others. Default: false. */
  readonly still?: boolean;
}

export type Scores = Map<Item, Readonly<Record<string, readonly Float32Array[]>>>;

/**
 * Opens a method's references; nothing is compiled before it is used.
 *
 * @throws UserError where a reference is an adapter that is not there; what `loadAdapter` throws for one of another base
 */
export function openReferences({ engine, model, method, plan, policy, averages, known = new Map<string, Scores>(), still = false }: ReferencesSetup): References {
  const uses = Object.entries(method.references);
  for (const [name, { is }] of uses) if (isFixed(is) && !known.has(name)) known.set(name, new Map());
  const ahead = new Map<string, Scores>(uses.flatMap(([name, { is }]) => (isFixed(is) ? [[name, known.get(name)!]] : still ? [[name, new Map()]] : [])));
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
        const forward = await createForward(engine, model, method, adapter.plan);
        forward.use(view(await engine.upload(adapter.parameters)));
        return forward;
      });
    }
    // The policy and its averages differ in numbers alone: one compiled program serves them all.
    const forward = await once('trained', () => createForward(engine, model, method, plan));
    forward.use(is === 'policy' ? policy : averages[name]!);
    return forward;
  };
  let average: ReturnType<Engine['compile']> | undefined;

  return {
    async prepare(items, progress = silentProgress) {
      for (const [name, { is, scores: names }] of uses) {
        const said = ahead.get(name);
        const missing = said && items.filter((item) => !said.has(item));
        if (missing === undefined || missing.length === 0) continue;
        progress.start(`reference ${name} (${describeReference(is)})`, missing.length);
        const forward = await forwardOf(name, is);
        for (const [item, values] of await forward.read(missing, names, (n) => progress.update(n))) said!.set(item, values);
        for (const item of missing) if (!said!.has(item)) said!.set(item, {});
        progress.stop();
      }
      // What never changes is not needed again until there are new rows.
      for (const [key, forward] of [...opened]) {
        if (key === 'trained') continue;
        await (await forward).release();
        opened.delete(key);
      }
    },
    async feeds(tables) {
      const feeds: Record<string, Feed> = {};
      for (const [name, { is, scores: names }] of uses) {
        const values = ahead.get(name) ?? (await (await forwardOf(name, is)).read(tables.items, names));
        for (const sequence of names) {
          feeds[`under:${name}:${sequence}`] = tokenTable(method, tables, sequence, (item, k) => {
            const read = values.get(item)?.[sequence]?.[k];
            if (read === undefined) throw new Error(`The reference ${name} has not scored ${sequence} of ${item.where}.`);
            return read;
          });
        }
      }
      return feeds;
    },
    async follow(step) {
      for (const [name, { is }] of uses) {
        if (typeof is !== 'object' || !('ema' in is) || step % is.ema.every !== 0) continue;
        const session = await (average ??= engine.compile(movingAverage()));
        session.bind({ average: averages[name]!, parameters: policy }, { new_average: averages[name]! });
        await session.run({ rate: { data: Float32Array.of(is.ema.rate), shape: [] } });
      }
    },
    describe: (steps) => uses.map(([name, { is }]) => `reference ${name}: ${describeReference(is)}${typeof is === 'object' && 'ema' in is && is.ema.every > steps ? `, which in ${steps} steps never comes: it stays the model as it was` : ''}`),
    async release() {
      for (const forward of opened.values()) await (await forward).release();
      await (await average)?.release();
    },
  };
}

const isFixed = (is: Reference): boolean => is === 'base' || (typeof is === 'object' && 'adapter' in is);

/** Names of the references that are moving averages, whose parameters are part of the trained state. */
export const averagesOf = (method: BoundMethod): string[] =>
  Object.entries(method.references).flatMap(([name, { is }]) => (typeof is === 'object' && 'ema' in is ? [name] : []));

function describeReference(is: Reference): string {
  if (is === 'base') return 'the base, adapter switched off';
  if (is === 'policy') return 'the policy itself, without gradient';
  if ('adapter' in is) return `the adapter ${is.adapter}`;
  return `a moving average of the policy, every ${is.ema.every} steps at rate ${is.ema.rate}`;
}
