import type { AdamWOptions, Engine } from '@heed/tensor';
import type { BoundMethod } from '../method/method.js';
import type { AdapterPlan } from '../model/adapter.js';
import type { Checkpoint } from '../model/checkpoint/open.js';
import type { Architecture, Checkpointing } from '../model/decoder.js';
import type { MicroBatch } from './micro-batch.js';
import type { References } from './references.js';
import type { State } from './state.js';
import type { Totals } from './totals.js';

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
  /** Optimizer steps since the optimizer was started, this one included: t of AdamW's bias correction. */
  readonly step: number;
  readonly seed: number;
  /** The method's memory before this step; default: as it starts. */
  readonly memory?: Readonly<Record<string, number>>;
  /** Whether this is the first step of a round, when the policy is what the reference `round` is. Default: false. */
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
