/** The models that a server speaks with: a base, and adapters on it by name. */
import { type Engine, view } from '@heed/tensor';

import { UserError } from '../errors.js';
import type { Generator } from '../generate/generator.js';
import { openGenerator } from '../generate/open.js';
import { fingerprintOf } from '../model/fingerprint.js';
import type { Model } from '../model/load.js';
import type { Adapter } from '../model/peft.js';
import { type TextScorer, createTextScorer } from './score.js';

/** One of them. */
export interface Voice extends TextScorer {
  readonly name: string;
  /** Names the weights: equal for the same base and the same adapter. */
  readonly fingerprint: string;
  readonly generator: Generator;
}

export interface Voices {
  readonly model: Model;
  /** By name; the base is the first. */
  readonly all: ReadonlyMap<string, Voice>;
}

export interface VoicesOptions {
  /** The base's name. */
  readonly name: string;
  readonly adapters?: Readonly<Record<string, Adapter>>;
  /** Answers that each voice works on together. */
  readonly batch: number;
}

/** Opens a generator for the base and for each adapter. An adapter takes as much memory as the weights it changes. */
export async function openVoices(engine: Engine, model: Model, { name, adapters = {}, batch }: VoicesOptions): Promise<Voices> {
  if (Object.hasOwn(adapters, name)) throw new UserError(`An adapter is named ${name}, as the model is.`, ['Name it: --adapter NAME=FOLDER.']);
  const all = new Map<string, Voice>();
  all.set(name, await openVoice(engine, model, { name, batch }));
  for (const [own, adapter] of Object.entries(adapters)) all.set(own, await openVoice(engine, model, { name: own, batch, adapter }));
  return { model, all };
}

async function openVoice(engine: Engine, model: Model, { name, batch, adapter }: { readonly name: string; readonly batch: number; readonly adapter?: Adapter }): Promise<Voice> {
  const generator = await openGenerator(engine, model, { batch, ...(adapter === undefined ? {} : { adapter }) });
  const scorer = createTextScorer(engine, model, adapter && (async () => ({ plan: adapter.plan, parameters: view(await engine.upload(adapter.parameters)) })));
  return { name, fingerprint: `fp_${fingerprintOf(model.checkpoint, adapter)}`, generator, ...scorer };
}
