import { type Engine, view } from '@heed/tensor';
import type { Model } from '../model/load.js';
import type { Adapter } from '../model/peft.js';
import type { Precision } from '../model/precision.js';
import { type Generator, createGenerator } from './generator.js';

/** What a generator speaks with. */
export interface OpenGeneratorOptions {
  /** On the model's weights; may be changed later by `setAdapter`, for one of the same plan. */
  readonly adapter?: Adapter;
  /** Sequences that are worked on together. Default: 16. */
  readonly batch?: number;
  /** What the linear layers compute with. Default: f32. */
  readonly precision?: Precision;
}

/**
 * A generator that speaks as a model does, with an adapter on it or without: its text, its end of turn. It holds memory of the engine until
 * `release()`, which is the caller's to call; closing the engine frees it too.
 *
 * @throws UserError for a batch that is no whole number from 1, an adapter with a head, or a model that int8 does not fit
 */
export async function openGenerator(engine: Engine, { checkpoint, tokenizer, template }: Model, { adapter, batch, precision }: OpenGeneratorOptions = {}): Promise<Generator> {
  const generator = await createGenerator(engine, checkpoint, {
    decode: (ids) => tokenizer.decode(ids, { skipSpecial: true }),
    stopIds: template.stopIds,
    ...(adapter === undefined ? {} : { plan: adapter.plan }),
    ...(batch === undefined ? {} : { batch }),
    ...(precision === undefined ? {} : { precision }),
  });
  if (adapter !== undefined) {
    const buffer = await engine.upload(adapter.parameters);
    await generator.setAdapter(view(buffer));
    await engine.free(buffer);
  }
  return generator;
}
