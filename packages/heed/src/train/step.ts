import { type AdamWOptions, type Engine, type Feed, type Session, type View, adamw, clipScale, l2Norm, view } from '@heed/tensor';
import type { BoundMethod } from '../method/method.js';
import { type AdapterPlan } from '../model/adapter.js';
import type { Checkpoint } from '../model/checkpoint/open.js';
import type { Architecture, Checkpointing } from '../model/decoder.js';
import { type RopeFeed, feedsOf, ropeFeed, scoringFeeds } from '../model/scoring.js';
import { type AdaptedWeights, adaptedWeights } from '../model/weights.js';
import type { MicroBatch } from './micro-batch.js';
import { type TrainProgram, traceTraining } from './program.js';
import { dropoutMasks } from './dropout.js';
import { Totals } from './totals.js';

/** The trainable state: all parameters, their gradients and AdamW's moments, each one flat array in the engine. */
export interface State {
  readonly parameters: View;
  readonly gradients: View;
  readonly m: View;
  readonly v: View;
}

/** Allocates a state around initial parameters (moments zero). */
export async function allocateState(engine: Engine, parameters: Float32Array): Promise<State> {
  const [p, g, m, v] = [await engine.upload(parameters), ...(await Promise.all([1, 2, 3].map(() => engine.allocate('float32', parameters.length))))] as const;
  return { parameters: view(p), gradients: view(g!), m: view(m!), v: view(v!) };
}

/** What an optimizer step over some micro-batches gave. */
export interface StepResult {
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** L2 norm of the whole gradient before clipping. */
  readonly gradientNorm: number;
  /** log q/p and the flags of each token, by micro-batch, [rows, slots]; empty where the method has no heat map. */
  readonly heatmaps: readonly Heatmap[];
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
}

export interface Stepper {
  /** One optimizer step; throws `NotFiniteError` before anything is updated. */
  step(batches: readonly MicroBatch[], options: StepOptions): Promise<StepResult>;
  readonly program: TrainProgram;
  release(): Promise<void>;
}

/** The loss or the gradient is not a number; the state is as it was before the step. */
export class NotFiniteError extends Error {
  constructor(readonly what: string, readonly rows: readonly string[]) {
    super(`${what} is not finite.`);
  }
}

export interface StepperSetup {
  readonly engine: Engine;
  readonly checkpoint: Checkpoint;
  readonly architecture: Architecture;
  readonly plan: AdapterPlan;
  readonly method: BoundMethod;
  readonly state: State;
  readonly keep: Checkpointing;
  readonly optimizer: AdamWOptions & { readonly betas: readonly [number, number] };
  /** Largest norm of the whole gradient; 0 for no limit. */
  readonly clip: number;
}

/** Compiles a method over a model with an adapter, ready to take optimizer steps. */
export async function createStepper(setup: StepperSetup): Promise<Stepper> {
  const { engine, checkpoint, architecture, plan, method, state, keep } = setup;
  const weights = adaptedWeights(checkpoint, plan, { dropout: true });
  const program = traceTraining(architecture, weights, method, checkpoint.folder, keep);
  const train = await engine.compile(program.step);
  const counts = await engine.compile(program.counts);
  const optimizer = await engine.compile(adamw(setup.optimizer));
  const norm = await engine.compile(l2Norm());
  const rope = ropeFeed(architecture);

  const part = (whole: View, p: AdaptedWeights['parameters'][number]): View => view(whole.buffer, p.shape, whole.offset + p.offset);
  train.bind(
    Object.fromEntries(weights.parameters.flatMap((p) => [[p.name, part(state.parameters, p)], [`acc:${p.name}`, part(state.gradients, p)]])),
    Object.fromEntries(weights.parameters.map((p) => [`grad:${p.name}`, part(state.gradients, p)])),
  );
  norm.bind({ x: state.gradients });
  optimizer.bind(
    { parameters: state.parameters, gradients: state.gradients, m: state.m, v: state.v },
    { new_parameters: state.parameters, new_m: state.m, new_v: state.v },
  );

  return {
    program,
    async step(batches, { learningRate, step, seed }) {
      const totals = await totalCounts(counts, batches);
      const heatmaps: Heatmap[] = [];
      for (const [i, batch] of batches.entries()) {
        const feeds = {
          ...batchFeeds(batch, architecture, rope, program),
          ...dropoutMasks(weights.masks, batch, plan.options.dropout, seed, step),
          ...Object.fromEntries(Array.from({ length: program.terms }, (_, t) => [`scale:${t}`, scalarFeed(inverse(totals.get(`count:${t}`), t, method.name))])),
          carry: scalarFeed(i === 0 ? 0 : 1),
        };
        const out = await train.run(feeds);
        for (let t = 0; t < program.terms; t++) {
          const value = totals.add(`term:${t}`, out[`term:${t}`]!.data[0] as number);
          if (!Number.isFinite(value)) throw new NotFiniteError(`The loss of step ${step}`, batch.items.map((item) => item.where));
        }
        for (const name of program.metrics) totals.add(`metric:${name}`, out[`metric:${name}`]!.data[0] as number);
        if (program.heatmapOf !== undefined) {
          const { logRatio, flagged } = out as Record<string, { data: Float32Array; shape: number[] }>;
          heatmaps.push({ of: program.heatmapOf, batch, slots: logRatio!.shape[1]!, logRatio: logRatio!.data, flagged: flagged!.data });
        }
      }
      const gradientNorm = (await norm.run({})).norm!.data[0] as number;
      if (!Number.isFinite(gradientNorm)) throw new NotFiniteError(`The gradient of step ${step}`, batches.flatMap((b) => b.items.map((item) => item.where)));
      const [beta1, beta2] = setup.optimizer.betas;
      await optimizer.run({
        gradientScale: scalarFeed(setup.clip > 0 ? clipScale(gradientNorm, setup.clip) : 1),
        learningRate: scalarFeed(learningRate),
        correction1: scalarFeed(1 - beta1 ** step),
        correction2: scalarFeed(1 - beta2 ** step),
      });
      return { loss: totals.loss(program.terms), metrics: totals.metrics(program.metrics), gradientNorm, heatmaps };
    },
    async release() {
      for (const session of [train, counts, norm, optimizer]) await session.release();
    },
  };
}

const scalarFeed = (value: number): Feed => ({ data: Float32Array.of(value), shape: [] });

/** Everything a micro-batch feeds to a training or an evaluation program. */
export function batchFeeds(batch: MicroBatch, architecture: Architecture, rope: RopeFeed, { step }: Pick<TrainProgram, 'step'>): Record<string, Feed> {
  return feedsOf(step, { ...scoringFeeds(batch.layout, architecture, rope), ...batch.feeds });
}

async function totalCounts(counts: Session, batches: readonly MicroBatch[]): Promise<Totals> {
  const totals = new Totals();
  for (const batch of batches) {
    const out = await counts.run(feedsOf(counts.program, batch.feeds));
    totals.addAll(out);
  }
  return totals;
}

function inverse(count: number, term: number, method: string): number {
  if (count > 0) return 1 / count;
  throw new Error(`Term ${term} of the ${method} loss has nothing to count in this step: no row supervises it.`);
}
