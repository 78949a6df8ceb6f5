import { type AdamWOptions, type Engine, type View, adamw, clipScale, l2Norm, view } from '@heed/tensor';
import type { BoundMethod } from '../method/method.js';
import type { AdapterPlan } from '../model/adapter.js';
import type { Checkpoint } from '../model/checkpoint/open.js';
import type { Architecture, Checkpointing } from '../model/decoder.js';
import { scalarFeed } from './feeds.js';
import { createFusedPasses } from './fused.js';
import { createHalvedPasses } from './halved.js';
import type { MicroBatch } from './micro-batch.js';
import type { References } from './references.js';
import { NotFiniteError } from './not-finite.js';
import type { Totals } from './totals.js';

/** The trainable state: all parameters, their gradients, AdamW's moments and the moving averages of references, each one flat array in the engine. */
export interface State {
  readonly parameters: View;
  readonly gradients: View;
  readonly m: View;
  readonly v: View;
  readonly averages: Readonly<Record<string, View>>;
}

/** Allocates a state around initial parameters: moments zero, averages copies. */
export async function allocateState(engine: Engine, parameters: Float32Array, averages: readonly string[] = []): Promise<State> {
  const [p, g, m, v] = [await engine.upload(parameters), ...(await Promise.all([1, 2, 3].map(() => engine.allocate('float32', parameters.length))))] as const;
  const copies: Record<string, View> = {};
  for (const name of averages) copies[name] = view(await engine.upload(parameters));
  return { parameters: view(p), gradients: view(g!), m: view(m!), v: view(v!), averages: copies };
}

/** Gives the arrays of a state back to the engine. */
export async function freeState(engine: Engine, { averages, ...arrays }: State): Promise<void> {
  for (const { buffer } of [...Object.values(arrays) as View[], ...Object.values(averages)]) await engine.free(buffer);
}

/** What an optimizer step over some micro-batches gave. */
export interface StepResult {
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** L2 norm of the whole gradient before clipping. */
  readonly gradientNorm: number;
  /** log q/p and the flags of each token, by micro-batch, [rows, slots]; empty where the method has no heat map. */
  readonly heatmaps: readonly Heatmap[];
  /** The method's memory after this step. */
  readonly memory: Readonly<Record<string, number>>;
}

export interface Heatmap {
  readonly of: string;
  readonly batch: MicroBatch;
  readonly slots: number;
  readonly logRatio: Float32Array;
  readonly flagged: Float32Array;
}

export interface StepOptions {
  readonly learningRate: number;
  /** Optimizer steps done, this one included: t of AdamW's bias correction. */
  readonly step: number;
  readonly seed: number;
  /** The method's memory before this step; default: as it starts. */
  readonly memory?: Readonly<Record<string, number>>;
}

export interface Stepper {
  /** One optimizer step; throws `NotFiniteError` before anything is updated. */
  step(batches: readonly MicroBatch[], options: StepOptions): Promise<StepResult>;
  release(): Promise<void>;
}

export interface StepperSetup {
  readonly engine: Engine;
  readonly checkpoint: Checkpoint;
  readonly architecture: Architecture;
  readonly plan: AdapterPlan;
  readonly method: BoundMethod;
  readonly state: State;
  /** Needed where the method has references. */
  readonly references?: Pick<References, 'feeds'>;
  readonly keep: Checkpointing;
  readonly optimizer: AdamWOptions & { readonly betas: readonly [number, number] };
  /** Largest norm of the whole gradient; 0 for no limit. */
  readonly clip: number;
}

/** What the passes of a step found, before the optimizer moves anything. */
export interface Found {
  readonly totals: Totals;
  readonly memory: Readonly<Record<string, number>>;
  readonly heatmaps: readonly Heatmap[];
}

/** Makes the gradient of a step's loss in `state.gradients`. */
export interface Passes {
  run(batches: readonly MicroBatch[], options: Required<StepOptions>): Promise<Found>;
  readonly metrics: readonly string[];
  readonly terms: number;
  release(): Promise<void>;
}

/** Compiles a method over a model with an adapter, ready to take optimizer steps. */
export async function createStepper(setup: StepperSetup): Promise<Stepper> {
  const { engine, method, state } = setup;
  const optimizer = await engine.compile(adamw(setup.optimizer));
  const norm = await engine.compile(l2Norm());
  norm.bind({ x: state.gradients });
  optimizer.bind(
    { parameters: state.parameters, gradients: state.gradients, m: state.m, v: state.v },
    { new_parameters: state.parameters, new_m: state.m, new_v: state.v },
  );
  let [fused, halves]: [Promise<Passes> | undefined, Promise<Passes> | undefined] = [undefined, undefined];
  // A loss that couples rows needs all of a step's rows at once. Where they fit into one pass, one program does it all.
  const passesFor = (batches: readonly MicroBatch[]): Promise<Passes> =>
    method.scope === 'row' || batches.length === 1 ? (fused ??= createFusedPasses(setup)) : (halves ??= createHalvedPasses(setup));
  if (method.scope === 'row') await passesFor([]);

  return {
    async step(batches, { learningRate, step, seed, memory = method.memory }) {
      const passes = await passesFor(batches);
      const { totals, heatmaps, memory: remembered } = await passes.run(batches, { learningRate, step, seed, memory });
      const gradientNorm = (await norm.run({})).norm!.data[0] as number;
      if (!Number.isFinite(gradientNorm)) throw new NotFiniteError(`The gradient of step ${step}`, batches.flatMap((b) => b.items.map((item) => item.where)));
      const [beta1, beta2] = setup.optimizer.betas;
      await optimizer.run({
        gradientScale: scalarFeed(setup.clip > 0 ? clipScale(gradientNorm, setup.clip) : 1),
        learningRate: scalarFeed(learningRate),
        correction1: scalarFeed(1 - beta1 ** step),
        correction2: scalarFeed(1 - beta2 ** step),
      });
      return { loss: totals.loss(passes.terms), metrics: totals.metrics(passes.metrics), gradientNorm, heatmaps, memory: remembered };
    },
    async release() {
      for (const part of [fused, halves, norm, optimizer]) await (await part)?.release();
    },
  };
}
