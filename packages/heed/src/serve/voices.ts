/** The models that a server speaks with: a base, and adapters on it by name. */
import { type Buffer, type Engine, view } from '@heed/tensor';

import { controlGenerator } from '../control/controlled.js';
import { readController } from '../control/file.js';
import { createPromptReader } from '../control/readings.js';
import { UserError } from '../errors.js';
import type { Generator } from '../generate/generator.js';
import { openGenerator } from '../generate/open.js';
import { createTurns } from '../generate/turns.js';
import { fingerprint, fingerprintOf } from '../model/fingerprint.js';
import type { Model } from '../model/load.js';
import type { Adapter } from '../model/peft.js';
import type { Precision } from '../run/precision.js';
import { type TextScorer, createTextScorer } from './score.js';

/** The base, an adapter or a controller, as a model of its own. */
export interface Voice extends Pick<TextScorer, 'score'> {
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
  /** Adds an adapter under a name that is free. */
  load(name: string, adapter: Adapter): Promise<void>;
  /** Takes away an adapter that `load` added, once its requests are done. @returns whether there is one of that name */
  unload(name: string): Promise<boolean>;
}

export interface VoicesOptions {
  /** The base's name. */
  readonly name: string;
  readonly adapters?: Readonly<Record<string, Adapter>>;
  /**
   * Folders of controllers by name. Each speaks with the base or the adapter that it was trained with, as a voice of its own; one that
   * knows several tasks as a voice for each, NAME-TASK.
   */
  readonly controllers?: Readonly<Record<string, string>>;
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
  { name, adapters = {}, controllers = {}, batch, precision = 'f32' }: VoicesOptions,
): Promise<Voices> {
  if (Object.hasOwn(adapters, name))
    throw new UserError(`An adapter is named ${name}, as the model is.`, ['Name it: --adapter NAME=FOLDER.']);
  const all = new Map<string, Voice>();
  all.set(name, (await openVoice(engine, model, { name, batch, precision })).voice);
  for (const [own, adapter] of Object.entries(adapters))
    all.set(own, (await openVoice(engine, model, { name: own, batch, precision, adapter })).voice);
  for (const [own, folder] of Object.entries(controllers)) {
    const spoken = [{ voice: all.get(name)! }, ...Object.entries(adapters).map(([key, adapter]) => ({ voice: all.get(key)!, adapter }))];
    for (const voice of await steeredVoices(engine, model, own, folder, spoken)) {
      if (all.has(voice.name))
        throw new UserError(`Two models would be named ${voice.name}.`, ['Name the controller: --controller NAME=FOLDER.']);
      all.set(voice.name, voice);
    }
  }
  const loaded = new Map<string, Opened>();
  return {
    model,
    all,
    async load(own, adapter) {
      const opened = await openVoice(engine, model, { name: own, batch, precision, adapter });
      loaded.set(own, opened);
      all.set(own, opened.voice);
    },
    async unload(own) {
      const opened = loaded.get(own);
      if (opened === undefined) return false;
      loaded.delete(own);
      all.delete(own);
      await opened.release();
      return true;
    },
  };
}

/** The voices of a controller: the voice that it was trained with, steered, once for each task. */
async function steeredVoices(
  engine: Engine, model: Model, own: string, folder: string,
  spoken: readonly { readonly voice: Voice; readonly adapter?: Adapter }[],
): Promise<Voice[]> {
  const { controller, model: id, weights } = await readController(folder);
  const found = spoken.find(({ adapter }) => fingerprint(model, adapter) === weights);
  if (found === undefined) {
    throw new UserError(`The controller in ${folder} was trained with other weights: ${id}, and the adapter and template of its recipe.`, [
      'Give the --model, the --adapter and the --template that the recipe gave.',
    ]);
  }
  const { voice, adapter } = found;
  const loaded = adapter && { plan: adapter.plan, parameters: view(await engine.upload(adapter.parameters)) };
  const reader = createPromptReader(engine, model, loaded);
  const { tasks } = controller.encoder;
  return tasks.map((task) => {
    const name = tasks.length > 1 ? `${own}-${task}` : own;
    const numbers = Array.from(controller.parameters);
    return {
      ...voice, name, fingerprint: `${voice.fingerprint}_${fingerprintOf(model.checkpoint, adapter, [numbers, task])}`,
      generator: controlGenerator(voice.generator, { controller, reader, tokenizer: model.tokenizer, task }),
    };
  });
}

interface VoiceOptions {
  readonly name: string;
  readonly batch: number;
  readonly precision: Precision;
  readonly adapter?: Adapter;
}

/** A voice, and how to free what it holds in the engine. */
interface Opened {
  readonly voice: Voice;
  /** Waits for its requests. */
  release(): Promise<void>;
}

async function openVoice(engine: Engine, model: Model, { name, batch, precision, adapter }: VoiceOptions): Promise<Opened> {
  const generator = await openGenerator(engine, model, { batch, precision, adapter });
  let uploaded: Promise<Buffer> | undefined;
  const scorer = createTextScorer(
    engine,
    model,
    adapter && (async () => ({ plan: adapter.plan, parameters: view(await (uploaded ??= engine.upload(adapter.parameters))) })),
  );
  const fingerprinted = `fp_${fingerprintOf(model.checkpoint, adapter, precision === 'f32' ? undefined : precision)}`;
  const turns = createTurns();
  return {
    voice: { name, fingerprint: fingerprinted, generator, score: (...given) => turns.together(() => scorer.score(...given)) },
    async release() {
      await generator.release();
      await turns.alone(() => scorer.release());
      if (uploaded !== undefined) await engine.free(await uploaded);
    },
  };
}
