import type { Engine } from '@heed/tensor';
import type { AnyRow, JudgedRow } from '../../src/data/rows.js';
import { type MethodOptions, methodOf } from '../../src/method/index.js';
import type { BoundMethod } from '../../src/method/method.js';
import { type AdapterPlan, initialParameters, planAdapter } from '../../src/model/adapter.js';
import type { Checkpointing } from '../../src/model/decoder.js';
import { type Model, loadModel } from '../../src/model/load.js';
import { createRandom } from '../../src/run/random.js';
import { createRespond } from '../../src/text/respond.js';
import { prepare } from '../../src/loop/items.js';
import type { Item } from '../../src/train/item.js';
import { makeMicroBatch } from '../../src/train/micro-batch.js';
import { openReferences } from '../../src/train/references.js';
import { allocateState, copiesOf, freeState } from '../../src/train/state.js';
import { createStepper } from '../../src/train/step.js';
import type { StepResult } from '../../src/train/stepper.js';

/** Judged rows as a file would give them: [prompt, completion, judgment]. */
export function judgedRows(rows: readonly (readonly [string, string, string | null])[]): JudgedRow[] {
  return rows.map(([prompt, completion, judgment], i) => ({
    source: { file: 'rows.jsonl', line: i + 1 },
    prompt: [{ role: 'user', content: prompt }],
    completion,
    judgment,
    satisfied: judgment === null,
  }));
}

/** The same rows for a method of conversations. */
export function rowsOf(method: BoundMethod, rows: readonly AnyRow[]): readonly AnyRow[] {
  if (method.row !== 'conversation' || !rows.every((row): row is JudgedRow => 'judgment' in row)) return rows;
  return rows.map(({ source, prompt, completion }) => ({ source, messages: [...prompt, { role: 'assistant', content: completion }] }));
}

export interface Bench {
  readonly method: BoundMethod;
  readonly model: Model;
  readonly plan: AdapterPlan;
  readonly items: readonly Item[];
  /** An adapter whose B is not zero, so that every parameter has a gradient. */
  readonly parameters: Float32Array;
}

/** A method over a tiny model, with rows made ready. */
export async function bench(
  folder: string,
  options: MethodOptions,
  rows: readonly AnyRow[],
  { dropout = 0, maxTokens = 2048 } = {},
): Promise<Bench> {
  const model = await loadModel(folder);
  const method = methodOf(options);
  const plan = planAdapter(
    model.checkpoint.tensors.values(),
    { rank: 2, alpha: 4, targets: ['q_proj', 'v_proj', 'up_proj', 'down_proj'], dropout, rslora: false },
    method.heads,
  );
  const parameters = initialParameters(plan, 3);
  const random = createRandom('bench', 0);
  for (const { b } of plan.modules.values())
    for (let i = 0; i < b.shape[0] * b.shape[1]; i++) parameters[b.offset + i] = 0.1 * random.normal();
  for (let i = plan.heads[0]?.offset ?? plan.size; i < plan.size; i++) parameters[i] = 0.1 * random.normal();
  const { items } = prepare(rowsOf(method, rows), method, createRespond(model.template), { maxTokens, onLong: 'error' });
  return { method, model, plan, items, parameters };
}

export interface Pass {
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly gradients: Float32Array;
  readonly result: StepResult;
}

/**
 * One step at learning rate 0 for each way of cutting the rows into micro-batches, all on one compiled program. `share`: whether a way
 * shares prompts, by its place.
 */
export async function passes(
  engine: Engine,
  { method, model, plan, parameters }: Bench,
  ways: readonly (readonly (readonly Item[])[])[],
  {
    keep = 'none',
    share = () => true,
    seed = 0,
    memory = method.memory,
  }: { keep?: Checkpointing; share?: (way: number) => boolean; seed?: number; memory?: Readonly<Record<string, number>> } = {},
): Promise<Pass[]> {
  const state = await allocateState(engine, parameters, copiesOf(method));
  const references = openReferences({ engine, model, method, plan, policy: state.parameters, copies: state.copies });
  await references.prepare([...new Set(ways.flat(2))]);
  const stepper = await createStepper({
    engine, checkpoint: model.checkpoint, architecture: model.architecture, plan, method, state, references, keep, clip: 0,
    optimizer: { betas: [0.9, 0.999], epsilon: 1e-8, weightDecay: 0 },
  });
  const results: Pass[] = [];
  for (const [way, parts] of ways.entries()) {
    const result = await stepper.step(
      parts.map((part) => makeMicroBatch(method, part, { share: share(way) })),
      { learningRate: 0, step: 1, seed, memory },
    );
    results.push({
      loss: result.loss,
      metrics: result.metrics,
      gradients: Float32Array.from(await engine.read(state.gradients), Number),
      result,
    });
  }
  await stepper.release();
  await references.release();
  await freeState(engine, state);
  return results;
}

/** The largest difference, relative to the largest gradient. */
export function gradientDistance(a: Pick<Pass, 'gradients'>, b: Pick<Pass, 'gradients'>): number {
  const largest = Math.max(...a.gradients.map(Math.abs));
  return a.gradients.reduce((worst, x, i) => Math.max(worst, Math.abs(x - b.gradients[i]!)), 0) / largest;
}

