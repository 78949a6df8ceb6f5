import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine } from '@heed/tensor';
import { z } from 'zod';
import { type Problem, problemsError } from '../data/problem.js';
import { describeUnused, wouldBeLost } from '../data/unused.js';
import { illFormed } from '../data/well-formed.js';
import { type AnyRow, type RowKind, type RowKinds, rowDefinition } from '../data/rows.js';
import type { BoundMethod } from '../method/method.js';
import { openDeviceEngine } from '../model/device.js';
import type { Model } from '../model/load.js';
import { initialParameters } from '../model/adapter.js';
import { type Adapter, saveAdapter } from '../model/peft.js';
import { createRandom } from '../run/random.js';
import { AdapterOptions, TrainOptions } from '../run/recipe-schemas.js';
import { createRespond } from '../text/respond.js';
import { describeRows, prepare, requireFit, requireKept } from './items.js';
import { logRow } from './record.js';
import { startAdapter } from './start.js';
import { NotFiniteError } from '../train/not-finite.js';
import { describeLength } from '../train/order.js';
import { createTrainer } from '../train/trainer.js';

/** A row of any kind as a program writes it; `source` says where it came from, for messages. Default: its place in the list. */
export type RowInput = { [K in RowKind]: Omit<RowKinds[K], 'source'> & { readonly source?: RowKinds[K]['source'] } }[RowKind];

/**
 * What `train` learns from, and how.
 *
 * @typeParam Row The rows. Default: those of Heed's kinds; a method with a kind of its own names its row here: `train<MyRow>({ … })`.
 */
export interface TrainingInput<Row extends object = RowInput> {
  readonly model: Model;
  /** A method with its options: `bind(cut, { lambda: 1.2 })`. */
  readonly method: BoundMethod;
  /** Rows of the kind that the method learns from (`method.row`). */
  readonly rows: readonly Row[];
  /** Default: LoRA of rank 16 on all linears. */
  readonly adapter?: Partial<AdapterOptions>;
  /** As `train:` of a recipe, with its defaults: one epoch in batches of 8 rows, at a learning rate of 2·10⁻⁴. */
  readonly options?: Partial<TrainOptions>;
  /** Default: one of its own, closed at the end. */
  readonly engine?: Engine;
  /** Called after each optimizer step with the row that a run would log: `step`, `loss`, the method's metrics, … */
  onStep?(metrics: Readonly<Record<string, unknown>>): void;
  /** Takes lines for people: how many rows are learned from, and which were left out. Default: silent. */
  say?(line: string): void;
}

/** What `train` made. */
export interface TrainOutcome {
  readonly adapter: Adapter;
  /** Rows learned from. The others were not selected by the method (CUT's `ratio`), or were of no use to it. */
  readonly rows: number;
  /** Rows that the method has no use for, such as responses said to be bad where good ones are imitated. */
  readonly unused: number;
  /** Optimizer steps done. */
  readonly steps: number;
  /** The loss of the last step, in the method's own unit. */
  readonly loss: number;
  /** Writes a PEFT folder; returns its path (default: a fresh one in the temporary folder). */
  save(folder?: string): Promise<string>;
}

/**
 * Trains an adapter on rows in memory. For logs, checkpoints and resume use a recipe (`runTraining`).
 *
 * @throws UserError naming every row that is not of the method's kind, that it cannot learn from or that is longer than the model's
 * context; and for an adapter to go on from that does not fit
 * @throws ZodError for options out of their range
 */
export async function train<Row extends object = RowInput>(
  { model, method, rows, adapter, options, engine: given, onStep, say }: TrainingInput<NoInfer<Row>>,
): Promise<TrainOutcome> {
  const lora = AdapterOptions.parse(adapter ?? {});
  const settings = TrainOptions.parse(options ?? {});
  const known = checked(method, rows.map((row, i) => ({ source: { file: 'rows', line: i + 1 }, ...row }) as object as AnyRow));
  for (const line of describeUnused(strangersIn(method, known))) say?.(line);
  const chosen = method.select(known, createRandom('select', settings.seed));
  requireFit(method, chosen);
  const limits = { maxTokens: model.architecture.context, onLong: 'error' } as const;
  const ready = prepare(chosen, method, createRespond(model.template), limits);
  requireKept(method, chosen, ready);
  for (const line of [...describeRows(method, rows.length, ready), ...describeLength(ready.items.length, settings)]) say?.(line);
  const { items, unused } = ready;
  const { plan, parameters: initial } = await startAdapter(lora, model.checkpoint, method.heads);
  const engine = given ?? (await openDeviceEngine({ say }));
  try {
    const begin = initial ?? initialParameters(plan, settings.seed);
    const trainer = await createTrainer({ engine, model, method, plan, options: settings, parameters: begin });
    const { steps, loss } = await trainer
      .learn(items, {
        seed: settings.seed,
        onStep: (step) => onStep?.(logRow(step)),
      })
      .catch((error: unknown) => {
        throw error instanceof NotFiniteError ? error.forUser() : error;
      });
    const parameters = await trainer.parameters();
    await trainer.release();
    return {
      adapter: { plan, parameters },
      rows: items.length,
      unused,
      steps,
      loss,
      async save(folder = join(tmpdir(), `heed-adapter-${randomUUID()}`)) {
        await saveAdapter(folder, { plan, parameters, checkpoint: model.checkpoint });
        return folder;
      },
    };
  } finally {
    if (given === undefined) await engine.close();
  }
}

/** The keys that a kind of row has; undefined where its schema does not tell. */
function keysOf(method: BoundMethod): ReadonlySet<string> | undefined {
  const { schema } = rowDefinition(method.row);
  return schema instanceof z.ZodObject ? new Set(Object.keys(schema.shape)) : undefined;
}

/** Keys of rows that their kind does not have, so that nothing uses them. */
function strangersIn(method: BoundMethod, rows: readonly AnyRow[]): string[] {
  const known = keysOf(method);
  if (known === undefined) return [];
  return [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((key) => !known.has(key));
}

/** @throws UserError naming every row that no reader of that kind would have made */
function checked(method: BoundMethod, rows: readonly AnyRow[]): readonly AnyRow[] {
  const { schema, kind } = rowDefinition(method.row);
  const known = keysOf(method);
  const problems = rows.flatMap((row): Problem[] => {
    const ill = illFormed({ ...row });
    if (ill !== undefined) return [{ source: row.source, ...ill }];
    const lost = known === undefined ? undefined : wouldBeLost({ ...row }, known);
    if (lost !== undefined) return [{ source: row.source, ...lost }];
    const issue = schema.safeParse(row, { reportInput: true }).error?.issues[0];
    if (issue === undefined) return [];
    const { path, message, input } = issue;
    const value = input === undefined ? {} : { value: input };
    const column = path.length === 0 ? {} : { column: path.map(String).join('.') };
    return [{ source: row.source, ...column, reason: `${message.slice(0, 1).toLowerCase()}${message.slice(1)}`, ...value }];
  });
  if (problems.length > 0) throw problemsError(`${problems.length} of ${rows.length} rows cannot be used as ${kind} rows`, problems);
  return rows;
}
