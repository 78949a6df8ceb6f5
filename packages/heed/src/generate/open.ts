import { type Engine, view } from '@heed/tensor';
import type { AdapterPlan } from '../model/adapter.js';
import type { Model } from '../model/load.js';
import type { Adapter } from '../model/peft.js';
import type { Precision } from '../run/precision.js';
import { type Generator, createGenerator } from './generator.js';

/** How a generator is opened. */
export interface OpenGeneratorOptions {
  /** The adapter on the model's weights; `setAdapter` changes it later, for one of the same plan. */
  readonly adapter?: Adapter;
  /** The shape of the adapters that `setAdapter` will be given. Default: that of `adapter`. */
  readonly plan?: AdapterPlan;
  /** Sequences that are worked on together. Default: 16. */
  readonly batch?: number;
  /** What the linear layers compute with. Default: f32. */
  readonly precision?: Precision;
}

/**
 * Opens a generator for a model, with an adapter or without: it decodes with the model's tokenizer and ends at the template's end of
 * turn. The generator holds memory of the engine until `release()`, which is the caller's to call; closing the engine frees it too.
 *
 * @throws UserError for a batch that is no whole number from 1, an adapter with a head, or a model that int8 does not fit
 */
export async function openGenerator(
  engine: Engine, { checkpoint, tokenizer, template }: Model,
  { adapter, plan = adapter?.plan, batch, precision }: OpenGeneratorOptions = {},
): Promise<Generator> {
  const generator = await createGenerator(engine, checkpoint, {
    decode: (ids, continues) => tokenizer.decode(ids, { skipSpecial: true, continues }),
    stopIds: template.stopIds,
    plan,
    batch,
    precision,
  });
  if (adapter !== undefined) {
    const buffer = await engine.upload(adapter.parameters);
    await generator.setAdapter(view(buffer));
    await engine.free(buffer);
  }
  return generator;
}
