import type { AdamWOptions, Engine } from '@heed/tensor';
import type { BoundMethod } from '../method/method.js';
import type { AdapterPlan } from '../model/adapter.js';
import type { Checkpoint } from '../model/checkpoint/open.js';
import type { Architecture, Checkpointing } from '../model/decoder.js';
import type { MicroBatch } from './micro-batch.js';
import type { References } from './references.js';
import type { State } from './state.js';
import type { Totals } from './totals.js';

/** The results of an optimizer step. */
export interface StepResult {
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** L2 norm of the whole gradient before clipping. */
  readonly gradientNorm: number;
  /** Heat maps of the step, one for each micro-batch; empty where the method has none. */
  readonly heatmaps: readonly Heatmap[];
  /** The method's memory after this step. */
  readonly memory: Readonly<Record<string, number>>;
}

/** log q/p and the flag of each token, [rows, slots]. */
export interface Heatmap {
  /** The name of the sequences that it shows. */
  readonly of: string;
  readonly batch: MicroBatch;
  readonly slots: number;
  readonly logRatio: Float32Array;
  readonly flagged: Float32Array;
}

export interface StepOptions {
  readonly learningRate: number;
  /** Optimizer steps since the optimizer was started, this one included: t of AdamW's bias correction. */
  readonly step: number;
  readonly seed: number;
  /** The method's memory before this step. Default: the memory that the method starts with. */
  readonly memory?: Readonly<Record<string, number>>;
  /** Whether this is the first step of a round, in which the policy equals the reference `round`. Default: false. */
  readonly roundBegins?: boolean;
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

/** The results of the passes of a step, before the optimizer changes the parameters. */
export interface Found {
  readonly totals: Totals;
  readonly memory: Readonly<Record<string, number>>;
  readonly heatmaps: readonly Heatmap[];
}

/** Computes the gradient of a step's loss into `state.gradients`. */
export interface Passes {
  run(batches: readonly MicroBatch[], options: Required<StepOptions>): Promise<Found>;
  readonly metrics: readonly string[];
  readonly terms: number;
  release(): Promise<void>;
}
