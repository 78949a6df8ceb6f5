import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Engine, startEngine } from '@heed/tensor';
import type { AnyRow } from '../data/rows.js';
import type { BoundMethod } from '../method/method.js';

import type { Model } from '../model/load.js';
import { type Adapter, saveAdapter } from '../model/peft.js';
import { createRandom } from '../run/random.js';
import { AdapterOptions, TrainOptions } from '../run/recipe-schemas.js';
import { createRespond } from '../text/respond.js';
import { prepare, requireFit } from './items.js';
import { startAdapter } from './start.js';
import { train as trainItems } from './trainer.js';

/** What `train` learns from, and how. */
export interface TrainingInput {
  readonly model: Model;
  /** A method with its options: `bind(cut, { lambda: 1.2 })`. */
  readonly method: BoundMethod;
  /** Rows of the kind that the method learns from; `source` says where a row came from, for messages. */
  readonly rows: readonly (Omit<AnyRow, 'source'> & { readonly source?: AnyRow['source'] })[];
  readonly adapter?: Partial<AdapterOptions>;
  readonly options?: Partial<TrainOptions>;
  /** Default: one of its own, closed at the end. */
  readonly engine?: Engine;
  /** Called after each optimizer step. */
  onStep?(metrics: Readonly<Record<string, unknown>>): void;
}

/** What `train` made. */
export interface TrainOutcome {
  readonly adapter: Adapter;
  readonly steps: number;
  readonly loss: number;
  /** Writes a PEFT folder; returns its path (default: a fresh one in the temporary folder). */
  save(folder?: string): Promise<string>;
}

/** Trains an adapter on rows in memory. For logs, checkpoints and resume use a recipe (`runTraining`). */
export async function train({ model, method, rows, adapter, options, engine: given, onStep }: TrainingInput): Promise<TrainOutcome> {
  const lora = AdapterOptions.parse(adapter ?? {});
  const settings = TrainOptions.parse(options ?? {});
  const known = rows.map((row, i) => ({ source: { file: 'rows', line: i + 1 }, ...row }) as AnyRow);
  const chosen = method.select(known, createRandom('select', settings.seed));
  requireFit(method, chosen);
  const { items } = prepare(chosen, method, createRespond(model.template), { maxTokens: model.architecture.context, onLong: 'error' });
  const { plan, parameters: initial } = await startAdapter(lora, model.checkpoint, method.head);
  const engine = given ?? (await startEngine());
  try {
    const { parameters, steps, loss } = await trainItems({ engine, model, method, items, plan, options: settings, ...(initial === undefined ? {} : { initial }), onStep: (row) => onStep?.(row) });
    return {
      adapter: { plan, parameters }, steps, loss,
      async save(folder = join(tmpdir(), `heed-adapter-${randomUUID()}`)) {
        await saveAdapter(folder, { plan, parameters, checkpoint: model.checkpoint });
        return folder;
      },
    };
  } finally {
    if (given === undefined) await engine.close();
  }
}
