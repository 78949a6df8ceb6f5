import { createHash } from 'node:crypto';
import type { Engine, View } from '@heed/tensor';
import { UserError } from '../errors.js';
import type { BoundMethod } from '../method/method.js';
import { type AdapterPlan, initialParameters } from '../model/adapter.js';
import type { Model } from '../model/load.js';
import type { LogRow } from '../run/metrics.js';
import { type Progress, rate, silentProgress } from '../run/progress.js';
import type { TrainOptions } from '../run/recipeSchemas.js';
import type { RunFolder } from '../run/folder.js';
import { Interrupted } from '../run/signals.js';
import { loadNewest, saveCheckpoint } from './checkpoints.js';
import { tokensOf } from './items.js';
import { type Item, makeMicroBatch } from './micro-batch.js';
import { countSteps, stepOrder } from './order.js';
import { learningRateAt } from './schedule.js';
import { NotFiniteError, type State, type StepResult, allocateState, createStepper } from './step.js';

export interface TrainSetup {
  readonly engine: Engine;
  readonly model: Model;
  readonly method: BoundMethod;
  readonly items: readonly Item[];
  readonly plan: AdapterPlan;
  readonly options: TrainOptions;
  /** Where to go on from; default: fresh LoRA parameters. */
  readonly initial?: Float32Array;
  /** Logs, checkpoints and resume; without one nothing is written. */
  readonly run?: Pick<RunFolder, 'metrics' | 'samples' | 'checkpointsDir' | 'resuming'>;
  /** Steps done before this training (by earlier iterations of a loop): numbering goes on from there. */
  readonly offset?: number;
  /** Put on every line of the log, such as the iteration of a loop. */
  readonly label?: Readonly<Record<string, number>>;
  readonly progress?: Progress;
  readonly interrupt?: { readonly requested: boolean };
  /** Called after each step; `last` on the final one. */
  onStep?(row: LogRow & { readonly step: number }, result: StepResult, last: boolean): void;
}

export interface Trained {
  readonly steps: number;
  readonly loss: number;
  readonly parameters: Float32Array;
  readonly state: State;
  /** The step that a resume went on from. */
  readonly resumedFrom?: number;
  readonly tokens: number;
  readonly seconds: number;
}

/** Rows in one pass where the recipe does not say: what keeps about this many tokens in a pass. */
const TOKENS_PER_PASS = 1024;

/**
 * Trains an adapter: batches, schedule, optimizer, log, checkpoints. It knows methods only as `BoundMethod`. With a run folder that
 * is being resumed it goes on from the newest checkpoint, to the same numbers as a run that was never stopped.
 *
 * @throws Interrupted after saving, when an interrupt was asked for.
 * @throws UserError naming the rows, when a loss or gradient is not finite; the last good state is saved.
 */
export async function train(setup: TrainSetup): Promise<Trained> {
  const { engine, model, method, items, plan, options, run, offset = 0, progress = silentProgress } = setup;
  if (items.length === 0) throw new UserError('There are no rows to train on.');
  const total = countSteps(items.length, options);
  const order = stepOrder({ rows: items.length, batch: options.batch, steps: total, seed: options.seed, cost: (row) => tokensOf(items[row]!) });
  const data = fingerprint(items);

  const saved = run?.resuming === true ? await loadNewest(run.checkpointsDir, engine, plan.size) : undefined;
  // A checkpoint up to the offset is of an earlier training, one beyond the end of a longer one: of other rows.
  const usable = saved !== undefined && saved.snapshot.step > offset ? saved : undefined;
  if (usable !== undefined && (usable.snapshot.data !== data || usable.snapshot.step > offset + total)) {
    throw new UserError('The rows are not those that this run began with, so it cannot go on as if nothing had happened.', ['Restore the data, or start again with --overwrite.']);
  }
  const state = usable?.state ?? (await allocateState(engine, setup.initial ?? initialParameters(plan, options.seed)));
  const done = usable === undefined ? 0 : usable.snapshot.step - offset;
  await run?.metrics.truncateAfter(offset + done);
  await run?.samples.truncateAfter(offset + done);

  const stepper = await createStepper({
    engine, checkpoint: model.checkpoint, architecture: model.architecture, plan, method, state,
    keep: options.checkpointing, clip: options.clip,
    optimizer: { betas: options.betas, epsilon: options.epsilon, weightDecay: options.weightDecay },
  });
  const save = (step: number): Promise<unknown> | undefined => run && saveCheckpoint(run.checkpointsDir, engine, state, { step: offset + step, data }, options.keep);
  const started = performance.now();
  let loss = ((await run?.metrics.rows())?.at(-1)?.loss) ?? Number.NaN;
  let tokens = 0;
  let lastSaved = done;
  progress.start(`training (${method.name})`, total);
  try {
    for (let step = done + 1; step <= total; step++) {
      const from = performance.now();
      const batches = cut(order[step - 1]!.map((i) => items[i]!), options.microBatch).map((part) => makeMicroBatch(method, part));
      const learningRate = learningRateAt(step, total, options);
      const result = await stepper.step(batches, { learningRate, step, seed: options.seed }).catch(async (error: unknown) => {
        if (!(error instanceof NotFiniteError)) throw error;
        if (lastSaved < step - 1) await save(step - 1);
        throw new UserError(`${error.what} is not a finite number. Rows: ${error.rows.join(', ')}.`, [
          'The state before this step is kept. Lower train.learningRate, set train.clip, or look at those rows with `heed inspect`.',
        ]);
      });
      loss = result.loss;
      const inStep = batches.reduce((n, b) => n + b.layout.promptRows + b.layout.responseRows, 0);
      tokens += inStep;
      const row = {
        step: offset + step, ...setup.label, loss, lr: learningRate, tokens: inStep, ...result.metrics, grad_norm: result.gradientNorm,
        seconds: (performance.now() - from) / 1000,
      };
      run?.metrics.append(row);
      setup.onStep?.(row, result, step === total);
      progress.update(step, `loss ${loss.toFixed(4)}, ${rate(tokens / ((performance.now() - started) / 1000), 'tok')}`);
      const due = options.checkpointEvery > 0 && step % options.checkpointEvery === 0;
      if (due || step === total || setup.interrupt?.requested === true) {
        await save(step);
        lastSaved = step;
      }
      if (setup.interrupt?.requested === true && step < total) throw new Interrupted(`Stopped after step ${offset + step} of ${offset + total}; go on with --resume.`);
    }
  } finally {
    progress.stop();
    await stepper.release();
  }
  return {
    steps: total, loss, tokens, seconds: (performance.now() - started) / 1000, state,
    parameters: await parametersOf(engine, state.parameters),
    ...(usable === undefined ? {} : { resumedFrom: usable.snapshot.step }),
  };
}

async function parametersOf(engine: Engine, parameters: View): Promise<Float32Array> {
  return (await engine.read(parameters)) as Float32Array;
}

/** Splits a step's rows into passes: `size` rows each, or as many as keep a pass near TOKENS_PER_PASS tokens. Longest rows together, so that little is padded. */
export function cut(items: readonly Item[], size: number | undefined): Item[][] {
  const sorted = [...items].sort((a, b) => tokensOf(b) - tokensOf(a) || a.index - b.index);
  const passes: Item[][] = [];
  let room = 0;
  for (const item of sorted) {
    const cost = tokensOf(item);
    const last = passes.at(-1);
    if (last !== undefined && (size === undefined ? room >= cost : last.length < size)) last.push(item);
    else {
      passes.push([item]);
      room = TOKENS_PER_PASS;
    }
    room -= cost;
  }
  return passes;
}

function fingerprint(items: readonly Item[]): string {
  const hash = createHash('sha256');
  for (const item of items) hash.update(JSON.stringify([item.index, item.sequences, item.columns]));
  return hash.digest('hex');
}
