import { type Buffer, type Engine, type View, input, lower, mergedWeight, view } from '@heed/tensor';
import { type AdapterPlan, requireNoHead } from './adapter.js';
import type { Checkpoint } from './checkpoint/open.js';
import { besideFeeds, frozenWeights } from './weights.js';

/** What programs are fed of an adapter that changes. */
export interface Merger {
  /** The same memory before and after every `merge`. */
  readonly feeds: Readonly<Record<string, View>>;
  /** Takes over a flat array of adapter parameters (`plan.size` elements). */
  merge(parameters: View): Promise<void>;
  release(): Promise<void>;
}

/**
 * For programs traced with `mergedInputs`: W + s·B·A of every planned module, `w:<module>` [out, in]. As much memory as the adapted
 * modules take in float32.
 */
export async function createMerger(engine: Engine, checkpoint: Checkpoint, plan: AdapterPlan): Promise<Merger> {
  requireNoHead(plan);
  const frozen = frozenWeights(checkpoint);
  const modules = [...plan.modules.values()];
  const program = lower(
    Object.fromEntries(modules.map(({ name, scale, a, b }) => [
      `w:${name}`, mergedWeight(frozen.tensor(`${name}.weight`), input(`a:${name}`, a.shape), input(`b:${name}`, b.shape), scale),
    ])),
    { folder: checkpoint.folder },
  );
  const session = await engine.compile(program);
  const buffer: Buffer = await engine.allocate('float32', modules.reduce((sum, { inputs, outputs }) => sum + inputs * outputs, 0));
  const feeds: Record<string, View> = {};
  let offset = 0;
  for (const { name, inputs, outputs } of modules) {
    feeds[`w:${name}`] = view(buffer, [outputs, inputs], offset);
    offset += inputs * outputs;
  }
  return {
    feeds,
    async merge(parameters) {
      await session.run(besideFeeds(plan, parameters), feeds);
    },
    async release() {
      await session.release();
      await engine.free(buffer);
    },
  };
}

/** For programs traced with `packedWeights`: the factors themselves, copied. */
export async function createFactors(engine: Engine, plan: AdapterPlan): Promise<Merger> {
  requireNoHead(plan);
  const own = view(await engine.allocate('float32', plan.size));
  return {
    feeds: besideFeeds(plan, own),
    merge: (parameters) => engine.copy([{ from: parameters, to: own }]),
    release: () => engine.free(own.buffer),
  };
}
