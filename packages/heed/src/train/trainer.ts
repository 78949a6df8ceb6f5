import { createHash } from 'node:crypto';
import type { Engine, View } from '@heed/tensor';
import { UserError } from '../errors.js';
import type { BoundMethod } from '../method/method.js';
import { type AdapterPlan, initialParameters } from '../model/adapter.js';
import type { Model } from '../model/load.js';
import type { LogRow } from '../run/metrics.js';
import { type Progress, rate, silentProgress } from '../run/progress.js';
import type { TrainOptions } from '../run/recipe-schemas.js';
import type { RunFolder } from '../run/folder.js';
import { Interrupted, stoppable } from '../run/signals.js';
import { checkAtReference, startsAtReferences } from './at-reference.js';
import { loadNewest, saveCheckpoint } from './checkpoints.js';
import { type Item, tokensOf } from './items.js';
import { makeMicroBatch } from './micro-batch.js';
import { countSteps, stepOrder } from './order.js';
import { NotFiniteError } from './not-finite.js';
import { splitPasses } from './passes.js';
import { averagesOf, openReferences } from './references.js';
import { learningRateAt } from './schedule.js';
import { type State, allocateState } from './state.js';
import { createStepper } from './step.js';
import type { StepResult } from './stepper.js';

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
  /** Makes rows anew while training: at the first step and after every so many. */
  readonly refresh?: Refresh;
  /** A line for people: which policy each reference is. */
  say?(line: string): void;
  /** Called after each step; `last` on the final one. */
  onStep?(row: LogRow & { readonly step: number }, result: StepResult, last: boolean): void;
}

/** Rows that the trained model itself has a part in. */
export interface Refresh {
  readonly every: number;
  /**
   * The items to learn from in the steps after `done`, for the given ones; one for each, same index. Asked again for a step that a
   * resume goes on from, it must give what it gave before.
   */
  items(done: number, items: readonly Item[], parameters: View): Promise<readonly Item[]>;
}

export interface Trained {
  readonly steps: number;
  readonly loss: number;
  readonly parameters: Float32Array;
  readonly state: State;
  /** The method's memory at the end. */
  readonly memory: Readonly<Record<string, number>>;
  /** The step that a resume went on from. */
  readonly resumedFrom?: number;
  readonly tokens: number;
  readonly seconds: number;
}

/**
 * Trains an adapter: batches, schedule, optimizer, log, checkpoints. It knows methods only as `BoundMethod`. With a run folder that
 * is being resumed it goes on from the newest checkpoint, to the same numbers as a run that was never stopped.
 *
 * @throws Interrupted after saving, when an interrupt was asked for.
 * @throws UserError naming the rows, when a loss or gradient is not finite; the last good state is saved.
 */
export async function train(setup: TrainSetup): Promise<Trained> {
  const { engine, model, method, plan, options, run, refresh, offset = 0, progress = silentProgress } = setup;
  const items = [...setup.items];
  if (items.length === 0) throw new UserError('There are no rows to train on.');
  const total = countSteps(items.length, options);
  const order = stepOrder({ rows: items.length, batch: options.batch, steps: total, seed: options.seed, cost: (row) => tokensOf(items[row]!) });
  const data = fingerprint(setup.items);

  const saved = run?.resuming === true ? await loadNewest(run.checkpointsDir, engine, plan.size, averagesOf(method)) : undefined;
  // A checkpoint up to the offset is of an earlier training, one beyond the end of a longer one: of other rows.
  const usable = saved !== undefined && saved.snapshot.step > offset ? saved : undefined;
  if (usable !== undefined && (usable.snapshot.data !== data || usable.snapshot.step > offset + total)) {
    throw new UserError('The rows are not those that this run began with, so it cannot go on as if nothing had happened.', ['Restore the data, or start again with --overwrite.']);
  }
  const initial = setup.initial ?? initialParameters(plan, options.seed);
  const state = usable?.state ?? (await allocateState(engine, initial, averagesOf(method)));
  const done = usable === undefined ? 0 : usable.snapshot.step - offset;
  await run?.metrics.truncateAfter(offset + done);
  await run?.samples.truncateAfter(offset + done);

  let memory = usable?.snapshot.memory ?? method.memory;
  const starts = done === 0 && (await startsAtReferences({ model, method, plan, parameters: initial }));
  const references = openReferences({ engine, model, method, plan, policy: state.parameters, averages: state.averages });
  for (const line of references.describe(total)) setup.say?.(`${line}.`);
  // All of the run's rows, whatever is done of it: which rows are scored together shows in the last bits.
  if (refresh === undefined) await references.prepare(used(order).map((i) => items[i]!), stoppable(progress, setup.interrupt, 'scoring rows under the references'));
  const stepper = await createStepper({
    engine, checkpoint: model.checkpoint, architecture: model.architecture, plan, method, state, references,
    keep: options.checkpointing, clip: options.clip,
    optimizer: { betas: options.betas, epsilon: options.epsilon, weightDecay: options.weightDecay },
  });
  const save = (step: number): Promise<unknown> | undefined => run && saveCheckpoint(run.checkpointsDir, engine, state, { step: offset + step, data, ...(Object.keys(memory).length > 0 ? { memory } : {}) }, options.keep);
  const started = performance.now();
  let loss = ((await run?.metrics.rows())?.at(-1)?.loss) ?? Number.NaN;
  let tokens = 0;
  let lastSaved = done;
  progress.start(`training (${method.name})`, total);
  try {
    for (let step = done + 1; step <= total; step++) {
      const from = performance.now();
      if (refresh !== undefined && ((step - 1) % refresh.every === 0 || step === done + 1)) {
        const first = step - 1 - ((step - 1) % refresh.every);
        const wanted = used(order.slice(first, first + refresh.every));
        progress.stop();
        const made = await refresh.items(first, wanted.map((i) => setup.items[i]!), state.parameters);
        wanted.forEach((i, at) => (items[i] = made[at]!));
        await references.prepare(made, progress);
        progress.start(`training (${method.name})`, total);
      }
      const taken = order[step - 1]!.map((i) => items[i]!);
      const batches = splitPasses(taken, options.microBatch).map((part) => makeMicroBatch(method, part));
      const learningRate = learningRateAt(step, total, options);
      const result = await stepper.step(batches, { learningRate, step, seed: options.seed, memory }).catch(async (error: unknown) => {
        if (!(error instanceof NotFiniteError)) throw error;
        if (lastSaved < step - 1) await save(step - 1);
        throw new UserError(`${error.what} is not a finite number. Rows: ${error.rows.join(', ')}.`, [
          'The state before this step is kept. Lower train.learningRate, set train.clip, or look at those rows with `heed inspect`.',
        ]);
      });
      if (step === 1 && starts) checkAtReference(method, result.loss);
      loss = result.loss;
      memory = result.memory;
      await references.follow(step);
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
    await references.release();
  }
  return {
    steps: total, loss, tokens, seconds: (performance.now() - started) / 1000, state, memory,
    parameters: await parametersOf(engine, state.parameters),
    ...(usable === undefined ? {} : { resumedFrom: usable.snapshot.step }),
  };
}

/** The rows that some steps take, each once, in order. */
const used = (steps: readonly (readonly number[])[]): number[] => [...new Set(steps.flat())].sort((a, b) => a - b);

async function parametersOf(engine: Engine, parameters: View): Promise<Float32Array> {
  return (await engine.read(parameters)) as Float32Array;
}

function fingerprint(items: readonly Item[]): string {
  const hash = createHash('sha256');
  for (const item of items) hash.update(JSON.stringify([item.index, item.sequences, item.columns]));
  return hash.digest('hex');
}
