import type { Engine, View } from '@heed/tensor';
import { UserError } from '../errors.js';
import type { BoundMethod } from '../method/method.js';
import type { AdapterPlan } from '../model/adapter.js';
import type { Model } from '../model/load.js';
import { type Progress, rate, silentProgress } from '../run/progress.js';
import type { TrainOptions } from '../run/recipe-schemas.js';
import type { Shared } from '../run/shared.js';
import { checkAtReference, startsAtReferences } from './first-loss-check.js';
import { type Item, tokensOf } from './item.js';
import { makeMicroBatch } from './micro-batch.js';
import { lengthOfRun, stepOrder } from './order.js';
import { splitPasses } from './passes.js';
import { type ItemReadings, type ReadRequest, createReader } from './reader.js';
import { type References, openReferences } from './references.js';
import { learningRateAt } from './schedule.js';
import {
  type Arrays, type HostState, type ReadableArray, allocateState, copiesOf, freeState, readState, readableState, writeState,
} from './state.js';
import { createStepper } from './step.js';
import type { StepResult, Stepper } from './stepper.js';

/** The parts of a trainer, which trains one adapter by one method. */
export interface TrainerSetup {
  readonly engine: Engine;
  readonly model: Model;
  readonly method: BoundMethod;
  readonly plan: AdapterPlan;
  /** The adapter's parameters to begin with, `plan.size` numbers. */
  readonly parameters: Float32Array;
  readonly options: TrainOptions;
  /** Whether `learn` will be called more than once: compiled programs are then kept in between. Default: false. */
  readonly moreRounds?: boolean;
  /** Where other runs find scores by fixed references, and leave theirs. Default: nowhere. */
  readonly shared?: Shared;
}

/** How to learn from the items of one round. */
export interface Learning {
  /** Seed of the order of the rows and of the dropout masks. */
  readonly seed: number;
  /** Which items each step takes, by their places in the list. Default: shuffled epochs, as `stepOrder` makes them. */
  readonly order?: readonly (readonly number[])[];
  /**
   * The round's place in the learning-rate schedule: the steps before it and the steps of the whole schedule, or the round's number among
   * rounds of equal length, `steps` or as long as this one. Default: the round is the whole schedule.
   */
  readonly schedule?:
    | { readonly before: number; readonly total: number }
    | { readonly round: number; readonly rounds: number; readonly steps?: number | undefined };
  /** Steps of this round that a restored trainer has taken already. Default: 0. */
  readonly done?: number;
  readonly progress?: Progress;
  /** Words for the progress bar. Default: "training (<method>)". */
  readonly doing?: string;
  /** Called after each step, and waited for: logs, saves, or throws to stop. */
  onStep?(step: Step): Promise<void> | void;
}

/** A step that was taken. */
export interface Step extends StepResult {
  /** Over the whole run, from 1. */
  readonly step: number;
  /** Within the round, from 1. */
  readonly ofRound: number;
  /** Steps of the round. */
  readonly roundSteps: number;
  readonly learningRate: number;
  /** Tokens that went through the model. A prompt that several responses share counts once. */
  readonly tokens: number;
  readonly seconds: number;
}

/** A round that was learnt. */
export interface Learnt {
  /** Optimizer steps of the round, including those before a resume. */
  readonly steps: number;
  /** The loss of the last step; NaN where no step was taken. */
  readonly loss: number;
  /** Tokens that went through the model since the last resume. */
  readonly tokens: number;
  readonly seconds: number;
}

/** Everything that the next step depends on, apart from the items. Its arrays are whole, or are read when they are written to a file. */
export interface TrainerState<A extends HostState | Arrays<ReadableArray> = HostState> {
  /** Optimizer steps of the run. */
  readonly step: number;
  /** Optimizer steps since the optimizer was started: t of AdamW. */
  readonly t: number;
  /** The method's memory. */
  readonly memory: Readonly<Record<string, number>>;
  readonly arrays: A;
}

/**
 * Trains one adapter by one method, for as long as a run lasts: it owns parameters, moments, moving averages, the method's memory and the
 * compiled programs. It knows methods only as `BoundMethod`. It knows neither folders nor files nor rows.
 */
export interface Trainer {
  /** Optimizer steps taken, over the whole run. */
  readonly step: number;
  /** The trained parameters in the engine. A generator reads them there. */
  readonly policy: View;
  /** Parameters of the references that follow the policy, by the reference's name. */
  readonly copies: Readonly<Record<string, View>>;
  readonly memory: Readonly<Record<string, number>>;
  /**
   * Learns from the items of one round. Where a loss has a known value while the policy equals its references, the first step checks it.
   *
   * @throws NotFiniteError where a loss or gradient is not finite; the state is that of the step before
   * @throws UserError where there are no items, or the first loss is not what theory says
   */
  learn(items: readonly Item[], how: Learning): Promise<Learnt>;
  /** Scores of items by the present policy, and by the model without the adapter. */
  read(items: readonly Item[], request: ReadRequest): Promise<ItemReadings>;
  /** Sets the optimizer's moments and t to zero. Parameters, moving averages and memory stay. */
  restartOptimizer(): Promise<void>;
  /** Says for people which policy each reference is. @param steps the steps of the run, where they are known */
  describeReferences(steps?: number): string[];
  /** The policy's parameters, `plan.size` numbers. */
  parameters(): Promise<Float32Array>;
  save(): Promise<TrainerState>;
  /** The state for a file that is written before the next step: its arrays are read meanwhile, and no copy of them is in memory. */
  saving(): TrainerState<Arrays<ReadableArray>>;
  restore(state: TrainerState): Promise<void>;
  /** Frees the compiled programs with their working memory, once all rounds are learnt. A later `learn` would compile them anew. */
  finish(): Promise<void>;
  /** Frees everything; the trainer is of no use afterwards. */
  release(): Promise<void>;
}

/** Allocates a trainer. Programs are compiled when first needed. */
export async function createTrainer(setup: TrainerSetup): Promise<Trainer> {
  const { engine, model, method, plan, options, moreRounds = false, shared } = setup;
  const state = await allocateState(engine, setup.parameters, copiesOf(method));
  const rounds = Object.entries(method.references).flatMap(([name, { is }]) => (is === 'round' ? [name] : []));
  const { parameters: policy, copies } = state;
  const references: References = openReferences({ engine, model, method, plan, policy, copies, moreRounds, shared });
  const reader = createReader(engine, model, method, plan, policy);
  let stepper: Promise<Stepper> | undefined;
  let memory = method.memory;
  let step = 0;
  let t = 0;

  const openStepper = (): Promise<Stepper> => createStepper({
    engine, checkpoint: model.checkpoint, architecture: model.architecture, plan, method, state, references,
    keep: options.checkpointing, clip: options.clip,
    optimizer: { betas: options.betas, epsilon: options.epsilon, weightDecay: options.weightDecay },
  });

  const parameters = async (): Promise<Float32Array> => (await engine.read(state.parameters)) as Float32Array;

  /** Whether the loss of the next step is known. */
  const atReferences = (): Promise<boolean> => startsAtReferences({ model, method, plan, parameters, moved: step > 0 });

  async function learn(items: readonly Item[], how: Learning): Promise<Learnt> {
    if (items.length === 0) throw new UserError('There are no rows to train on.');
    const { seed, done = 0, progress = silentProgress, doing = `training with ${method.name}` } = how;
    const order = how.order ?? stepOrder({
      rows: items.length, batch: options.batch, ...lengthOfRun(items.length, options), seed, cost: (row) => tokensOf(items[row]!),
    });
    const total = order.length;
    const { before, total: ofSchedule } = spanOf(how.schedule ?? { round: 1, rounds: 1 }, total);
    if (done === 0) await engine.copy(rounds.map((name) => ({ from: state.parameters, to: state.copies[name]! })));
    const known = done === 0 && (await atReferences());
    // All rows of the round, also after a resume: the rows that are scored together change the last bits.
    await references.prepare(usedIn(order).map((i) => items[i]!), { progress, roundSteps: total });
    const optimizer = await (stepper ??= openStepper());

    const started = performance.now();
    let loss = Number.NaN;
    let tokens = 0;
    // Where the rounds are parts of one training, the progress bar counts the steps of the whole.
    const [shown, all] = how.schedule !== undefined && 'total' in how.schedule ? [before, ofSchedule] : [0, total];
    progress.start(doing, all, { done: shown + done });
    try {
      for (let ofRound = done + 1; ofRound <= total; ofRound++) {
        const from = performance.now();
        const rows = order[ofRound - 1]!.map((i) => items[i]!);
        const batches = splitPasses(rows, options.microBatch, engine.team?.size).map((part) => makeMicroBatch(method, part));
        const learningRate = learningRateAt(before + ofRound, ofSchedule, options);
        const result = await optimizer.step(batches, { learningRate, step: t + 1, seed, memory, roundBegins: ofRound === 1 });
        if (ofRound === 1 && known) checkAtReference(method, result.loss);
        step++;
        t++;
        loss = result.loss;
        memory = result.memory;
        await references.follow(step);
        const inStep = batches.reduce((n, b) => n + b.layout.promptRows + b.layout.responseRows, 0);
        tokens += inStep;
        progress.update(shown + ofRound, `loss ${loss.toFixed(4)}, ${rate(tokens / ((performance.now() - started) / 1000), 'tok')}`);
        const inSeconds = (performance.now() - from) / 1000;
        await how.onStep?.({ ...result, step, ofRound, roundSteps: total, learningRate, tokens: inStep, seconds: inSeconds });
      }
    } finally {
      progress.stop();
    }
    return { steps: total, loss, tokens, seconds: (performance.now() - started) / 1000 };
  }

  async function finish(): Promise<void> {
    await (await stepper)?.release();
    stepper = undefined;
    await references.release();
    await reader.release();
  }

  return {
    get step() { return step; },
    get memory() { return memory; },
    policy: state.parameters,
    copies: state.copies,
    learn,
    read: (items, request) => reader.read(items, request),
    async restartOptimizer() {
      const zero = new Float32Array(plan.size);
      await engine.write(state.m, zero);
      await engine.write(state.v, zero);
      t = 0;
    },
    describeReferences: (steps) => references.describe(steps),
    parameters,
    save: async () => ({ step, t, memory, arrays: await readState(engine, state) }),
    saving: () => ({ step, t, memory, arrays: readableState(engine, state) }),
    async restore(saved) {
      await writeState(engine, state, saved.arrays);
      ({ step, t, memory } = saved);
    },
    finish,
    async release() {
      await finish();
      await freeState(engine, state);
    },
  };
}

/** The items that some steps take, each once, in order. */
const usedIn = (steps: readonly (readonly number[])[]): number[] => [...new Set(steps.flat())].sort((a, b) => a - b);

/** Steps of the schedule before a round that takes so many steps, and in all. */
function spanOf(schedule: NonNullable<Learning['schedule']>, taken: number): { readonly before: number; readonly total: number } {
  if ('total' in schedule) return schedule;
  const { round, rounds, steps = taken } = schedule;
  return { before: (round - 1) * steps, total: rounds * steps };
}
