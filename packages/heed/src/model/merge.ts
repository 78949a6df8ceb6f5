import { type Buffer, type Engine, type View, input, lower, mergedWeight, view } from '@heed/tensor';
import { type AdapterPlan, requireNoHead } from './adapter.js';
import type { Checkpoint } from './checkpoint/open.js';
import { frozenWeights } from './weights.js';

/** Adapted weights W + s·B·A in engine memory, for programs traced with `mergedInputs`. */
export interface Merger {
  /** The feeds `w:<module>` [out, in]: the same memory before and after every `merge`. */
  readonly feeds: Readonly<Record<string, View>>;
  /** Computes the weights for a flat array of adapter parameters (`plan.size` elements). */
  merge(parameters: View): Promise<void>;
  release(): Promise<void>;
}

/** Compiles the merge of every planned module and allocates its result: as much memory as the adapted modules take in float32. */
export async function createMerger(engine: Engine, checkpoint: Checkpoint, plan: AdapterPlan): Promise<Merger> {
  requireNoHead(plan);
  const frozen = frozenWeights(checkpoint);
  const modules = [...plan.modules.values()];
  const program = lower(
    Object.fromEntries(modules.map(({ name, a, b }) => [
      `w:${name}`, mergedWeight(frozen.tensor(`${name}.weight`), input(`a:${name}`, a.shape), input(`b:${name}`, b.shape), plan.scale),
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
      const part = (at: { readonly offset: number; readonly shape: readonly number[] }): View => view(parameters.buffer, at.shape, parameters.offset + at.offset);
      await session.run(Object.fromEntries(modules.flatMap(({ name, a, b }) => [[`a:${name}`, part(a)], [`b:${name}`, part(b)]])), feeds);
    },
    async release() {
      await session.release();
      await engine.free(buffer);
    },
  };
}
