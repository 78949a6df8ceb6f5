/** The models of a studio: in one engine, opened when they are first asked for, and closed with the studio. */
import { type Engine, view } from '@heed/tensor';

import { UserError } from '../errors.js';
import type { Generator } from '../generate/generator.js';
import { openGenerator } from '../generate/open.js';
import { openDeviceEngine } from '../model/device.js';
import { type Model, loadModel } from '../model/load.js';
import { type Adapter, loadAdapter } from '../model/peft.js';
import { type Scorer, createScorer } from '../model/scorer.js';
import type { Project } from './project.js';
import { type Found, speakerOf } from './speakers.js';

/** A model that is open. What computes is compiled when it is first asked for. */
export interface OpenModel {
  readonly speaker: Found;
  readonly model: Model;
  scorer(): Promise<Scorer>;
  generator(): Promise<Generator>;
}

export interface Models {
  /**
   * Works with a model, which stays open while others are not needed more.
   *
   * @param speaker Its id.
   * @param what What is done with it, for people who wait.
   * @throws ApiError 404 where nobody goes by the id; UserError where the model cannot be opened
   */
  use<T>(speaker: string, what: string, work: (open: OpenModel) => Promise<T>): Promise<T>;
  /** A model's files alone: tokenizer and template. */
  read(speaker: string): Promise<Model>;
  /** What they are busy with; undefined while nothing is asked of them. */
  doing(): string | undefined;
  /** Waits for what runs, and frees everything. */
  close(): Promise<void>;
}

interface Held { readonly open: Promise<Opened>; users: number }
interface Opened extends OpenModel { release(): Promise<void> }

/** Models that stay open: a base and two adapters, say. Each takes the memory of its weights. */
const MOST = 3;
/** Answers that a model works on together. */
const BATCH = 2;

export function createModels(project: Project, log: (line: string) => void): Models {
  let engine: Promise<Engine> | undefined;
  let closed = false;
  const files = new Map<string, Promise<Model>>();
  const held = new Map<string, Held>();
  const running = new Map<symbol, string>();
  const ends = new Set<Promise<unknown>>();

  /** One at a time: two at once would each take the memory of a whole model. */
  let opening: Promise<unknown> = Promise.resolve();

  function read(speaker: Found): Promise<Model> {
    const key = JSON.stringify([speaker.model, speaker.template]);
    const known = files.get(key);
    if (known !== undefined) return known;
    const model = loadModel(speaker.model, { log, ...(speaker.template && { template: speaker.template }) });
    files.set(key, model);
    // What could not be opened may be mended by the next time.
    model.catch(() => files.delete(key));
    return model;
  }

  async function opened(speaker: Found): Promise<Opened> {
    const model = await read(speaker);
    const adapter = speaker.adapter === undefined ? undefined : await loadAdapter(speaker.adapter, model.checkpoint);
    return openModel(await (engine ??= openDeviceEngine()), speaker, model, adapter);
  }

  async function makeRoom(): Promise<void> {
    for (const [id, { users, open }] of held) {
      if (held.size < MOST) return;
      if (users > 0) continue;
      held.delete(id);
      await (await open).release();
    }
  }

  function hold(speaker: Found): Held {
    const known = held.get(speaker.id);
    // The one that was asked for last is the last to go.
    held.delete(speaker.id);
    const open = known?.open ?? opening.then(makeRoom).then(() => opened(speaker));
    const now = known ?? { open, users: 0 };
    held.set(speaker.id, now);
    if (known === undefined) {
      opening = open.catch(() => { if (held.get(speaker.id) === now) held.delete(speaker.id); });
    }
    return now;
  }

  async function use<T>(id: string, what: string, work: (open: OpenModel) => Promise<T>): Promise<T> {
    if (closed) throw new UserError('The studio is ending.');
    const mark = Symbol(id);
    running.set(mark, `opening ${id.replace(/^\w+:/, '')}`);
    let mine: Held | undefined;
    try {
      const speaker = await speakerOf(project, id);
      mine = hold(speaker);
      mine.users++;
      const open = await mine.open;
      running.set(mark, what);
      return await work(open);
    } finally {
      if (mine !== undefined) mine.users--;
      running.delete(mark);
    }
  }

  return {
    use(id, what, work) {
      const result = use(id, what, work);
      const end = result.then(() => undefined, () => undefined);
      ends.add(end);
      void end.then(() => ends.delete(end));
      return result;
    },
    read: async (id) => read(await speakerOf(project, id)),
    doing: () => [...running.values()].at(-1),
    async close() {
      closed = true;
      await Promise.all([...ends]);
      await (await engine)?.close();
    },
  };
}

function openModel(engine: Engine, speaker: Found, model: Model, adapter: Adapter | undefined): Opened {
  let scorer: Promise<Scorer> | undefined;
  let generator: Promise<Generator> | undefined;
  const makeScorer = async (): Promise<Scorer> => {
    if (adapter === undefined) return createScorer(engine, model);
    const buffer = await engine.upload(adapter.parameters);
    const made = await createScorer(engine, model, { plan: adapter.plan, parameters: view(buffer) });
    return { ...made, async release() { await made.release(); await engine.free(buffer); } };
  };
  return {
    speaker, model,
    scorer: () => (scorer ??= makeScorer()),
    generator: () => (generator ??= openGenerator(engine, model, { batch: BATCH, adapter })),
    async release() {
      await (await scorer)?.release();
      await (await generator)?.release();
    },
  };
}
