/** The models that a server speaks with: a base, and adapters on it by name. */
import { type Engine, view } from '@heed/tensor';

import { UserError } from '../errors.js';
import type { Generator } from '../generate/generator.js';
import { openGenerator } from '../generate/open.js';
import { fingerprintOf } from '../model/fingerprint.js';
import type { Model } from '../model/load.js';
import type { Adapter } from '../model/peft.js';
import type { Precision } from '../model/precision.js';
import { type TextScorer, createTextScorer } from './score.js';

/** One of them. */
export interface Voice extends TextScorer {
  readonly name: string;
  /** Names the weights: equal for the same base and the same adapter. */
  readonly fingerprint: string;
  readonly generator: Generator;
}

/** The base and its adapters, each a model of its own to a client. */
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
  /** What all of them compute with when they write; texts are scored in f32. Default: f32. */
  readonly precision?: Precision;
}

/**
 * Opens a generator for the base and for each adapter. In f32 an adapter takes as much memory as the weights it changes, in int8
 * its own and another copy of the 8-bit weights.
 */
export async function openVoices(
  engine: Engine,
  model: Model,
  { name, adapters = {}, batch, precision = 'f32' }: VoicesOptions,
): Promise<Voices> {
  if (Object.hasOwn(adapters, name))
    throw new UserError(`An adapter is named ${name}, as the model is.`, ['Name it: --adapter NAME=FOLDER.']);
  const all = new Map<string, Voice>();
  all.set(name, await openVoice(engine, model, { name, batch, precision }));
  for (const [own, adapter] of Object.entries(adapters))
    all.set(own, await openVoice(engine, model, { name: own, batch, precision, adapter }));
  return { model, all };
}

interface VoiceOptions {
  readonly name: string;
  readonly batch: number;
  readonly precision: Precision;
  readonly adapter?: Adapter;
}

async function openVoice(engine: Engine, model: Model, { name, batch, precision, adapter }: VoiceOptions): Promise<Voice> {
  const generator = await openGenerator(engine, model, { batch, precision, adapter });
  const scorer = createTextScorer(
    engine,
    model,
    adapter && (async () => ({ plan: adapter.plan, parameters: view(await engine.upload(adapter.parameters)) })),
  );
  return {
    name,
    fingerprint: `fp_${fingerprintOf(model.checkpoint, adapter, precision === 'f32' ? undefined : precision)}`,
    generator,
    ...scorer,
  };
}
