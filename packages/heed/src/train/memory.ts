import { type Program, predictPeak } from '@heed/tensor';
import { type AdaptedWeights, adaptedWeights } from '../model/weights.js';
import { asIfRounded } from '../model/quantize.js';
import { ropeFeed } from '../model/scoring.js';
import type { Reference } from '../method/method.js';
import { NODE_BYTES, PROCESS_BYTES, availableMemory, memoryLimit } from '../run/memory.js';
import type { TrainOptions } from '../run/recipe-schemas.js';
import { type Item, tokensOf } from './item.js';
import { type MicroBatch, makeMicroBatch } from './micro-batch.js';
import { readingsOf, traceLoss } from './loss-program.js';
import { predictOptimizer } from './optimizer.js';
import { lengthOfRun, stepOrder } from './order.js';
import { splitPasses } from './passes.js';
import { traceForward, traceHalves, traceTraining, wantedFor } from './program.js';
import { batchFeeds } from './feeds.js';
import { copiesOf } from './state.js';
import type { TrainerSetup } from './trainer.js';

/** The parts of a training that its memory depends on. */
export interface MemorySetup extends Pick<TrainerSetup, 'model' | 'method' | 'plan' | 'options'> {
  readonly items: readonly Item[];
  /** Rows that are scored before and after training. Their program stays loaded in between. */
  readonly held?: readonly Item[];
}

/** The predicted peak of a training's resident memory, in bytes, and its parts. */
export interface TrainingMemory {
  readonly total: number;
  readonly parts: {
    /** Node, the libraries, the tokenizer and the compiled programs. */
    readonly process: number;
    /** The model's weights, mapped from its files. */
    readonly weights: number;
    /** Parameters, gradients and moments, and what of them is on the host. */
    readonly state: number;
    /** Tables and masks of one pass. */
    readonly feeds: number;
    /** Activations and derivatives of the largest pass. */
    readonly activations: number;
    readonly optimizer: number;
    /** Scoring under references that change while training. */
    readonly references: number;
    /** Scoring of the held-out rows. */
    readonly evaluation: number;
  };
  /** The pass that takes the most: rows, and tokens as they are laid out. */
  readonly largest: { readonly rows: number; readonly tokens: number };
}

/** Flat arrays of all parameters: parameters, gradients, two moments; and on the host the initial ones, later those that are saved. */
const ARRAYS = 5;

/** Predicts the peak resident memory of a training, by following each of its programs through ONNX Runtime's allocator. */
export function predictTraining(setup: MemorySetup): TrainingMemory {
  const { model, method, items, plan, options, held = [] } = setup;
  const { architecture, checkpoint } = model;
  const weights = adaptedWeights(checkpoint, plan, { dropout: true });
  const passes = passesOf(items, options);
  const programs = programsOf(setup, weights, passes);
  const flat = 4 * plan.size;
  const rope = ropeFeed(architecture);
  const peaks = largest(passes).map((pass) => {
    const batch = makeMicroBatch(method, pass);
    const of = (program: Program) =>
      predictPeak(program, shapesOf({ ...batchFeeds(batch, architecture, rope, program), ...maskShapes(weights, batch) }));
    const worst = of(programs.backward);
    const peak = worst.peak + (programs.forward === undefined ? 0 : of(programs.forward).peak);
    return { rows: pass.length, tokens: rowsOf(batch), ...worst, peak };
  });
  const worst = peaks.reduce((a, b) => (b.peak > a.peak ? b : a));
  const evaluation = held.length === 0 ? { peak: 0, nodes: 0 } : predictForward(setup, held);
  // References that never change are scored before training and closed. Those that change stay open during training.
  const moves = (is: Reference): boolean => is === 'policy' || is === 'round' || (typeof is === 'object' && 'ema' in is);
  const moving = Object.values(method.references).some(({ is }) => moves(is));
  const references = moving ? predictForward(setup, items) : { peak: 0, nodes: 0 };

  const parts = {
    process: PROCESS_BYTES + NODE_BYTES * (programs.nodes + evaluation.nodes + references.nodes),
    weights: worst.mapped,
    state: (ARRAYS + copiesOf(method).length) * flat,
    // The inputs without parameters and gradients, which count as state. Twice: one thread makes them, and the other gets a copy.
    feeds: 2 * (worst.inputs - 2 * flat),
    activations: worst.peak,
    optimizer: predictOptimizer(plan.size),
    references: references.peak,
    evaluation: evaluation.peak,
  };
  return { total: Object.values(parts).reduce((a, b) => a + b, 0), parts, largest: { rows: worst.rows, tokens: worst.tokens } };
}

/** The programs that a run compiles for its passes: one, or two halves where the loss couples rows of several passes. */
function programsOf(
  { model: { architecture, checkpoint }, method, options }: MemorySetup,
  weights: AdaptedWeights,
  passes: readonly Item[][],
): { backward: Program; forward?: Program; nodes: number } {
  if (method.scope === 'row' || passes.every((pass) => pass.length >= options.batch)) {
    const { step } = traceTraining(architecture, weights, method, checkpoint.folder, options.checkpointing);
    return { backward: step, nodes: step.model.nodes.length };
  }
  const readings = readingsOf(traceLoss(method, { derivatives: true }));
  const { forward, backward } = traceHalves(architecture, weights, method, checkpoint.folder, options.checkpointing, readings);
  return { forward, backward, nodes: forward.model.nodes.length + backward.model.nodes.length };
}

/** Whether a training fits into memory, and if not, what would make it fit. */
export interface MemoryCheck {
  readonly needed: TrainingMemory;
  /** Bytes that this process can have: the free part of the machine's or the container's memory, and what the process has already. */
  readonly available: number;
  /** What of it cannot be dropped and read again: all but the weights, which are mapped from files. */
  readonly resident: number;
  readonly fits: boolean;
  /** All the memory of the machine, or of the container: what `resident` must stay below in any case. */
  readonly capacity: number;
  /**
   * Changes of the recipe that are predicted to fit, the mildest first; one that rounds the base only where nothing else helps. Empty when
   * it fits, or when none helps.
   */
  readonly ways: readonly { readonly settings: string; readonly total: number }[];
}

/** Predicts a training's memory and compares it with the available memory. */
export function checkMemory(
  setup: MemorySetup, available: number = availableMemory(), capacity: number = memoryLimit(),
): MemoryCheck {
  const needed = predictTraining(setup);
  const fits = needed.total <= available;
  const resident = needed.total - needed.parts.weights;
  return { needed, available, capacity, resident, fits, ways: fits ? [] : waysOut(setup, needed, available) };
}

/**
 * Tries to keep less for the backward pass, then smaller micro-batches, then both, none of which changes what is learnt; then the same with
 * a base rounded to 4 bits.
 */
function waysOut(setup: MemorySetup, { largest: { rows } }: TrainingMemory, available: number): MemoryCheck['ways'] {
  const modes = ['none', 'selective', 'full'] as const;
  const frugal = modes.slice(modes.indexOf(setup.options.checkpointing) + 1);
  const sizes: number[] = [];
  for (let size = Math.floor(rows / 2); size >= 1; size = Math.floor(size / 2)) sizes.push(size);
  const changes: Partial<TrainOptions>[] = [
    ...frugal.map((checkpointing) => ({ checkpointing })),
    ...sizes.map((microBatch) => ({ microBatch })),
    ...(frugal.length > 0 ? sizes.map((microBatch) => ({ checkpointing: 'full' as const, microBatch })) : []),
  ];
  const ways: { settings: string; total: number }[] = [];
  const kinds = new Set<string>();
  for (const change of changes) {
    // One of each kind is enough: the first that fits is the mildest.
    const kind = Object.keys(change).join();
    if (kinds.has(kind) || (kind.includes(',') && ways.length > 0)) continue;
    const { total } = predictTraining({ ...setup, options: { ...setup.options, ...change } });
    if (total > available) continue;
    kinds.add(kind);
    ways.push({ settings: settingsOf(change), total });
  }
  return ways.length > 0 ? ways : rounding(setup, [{}, ...changes], available);
}

const settingsOf = (change: Partial<TrainOptions>): string =>
  Object.entries(change).map(([key, value]) => `train.${key}=${value}`).join(' ');

/** The mildest of the changes that fits with a base in 4 bits. */
function rounding(setup: MemorySetup, changes: readonly Partial<TrainOptions>[], available: number): MemoryCheck['ways'] {
  const checkpoint = asIfRounded(setup.model.checkpoint, 'int4');
  if (checkpoint === undefined) return [];
  const model = { ...setup.model, checkpoint };
  for (const change of changes) {
    const { total } = predictTraining({ ...setup, model, options: { ...setup.options, ...change } });
    if (total <= available) return [{ settings: ['precision=int4', settingsOf(change)].join(' ').trim(), total }];
  }
  return [];
}

function predictForward({ model, method, plan }: MemorySetup, items: readonly Item[]): { peak: number; nodes: number } {
  const wanted = wantedFor(readingsOf(traceLoss(method, { derivatives: false })).reads);
  const weights = adaptedWeights(model.checkpoint, plan, { dropout: false });
  const program = traceForward(model.architecture, weights, model.checkpoint.folder, wanted, method);
  const rope = ropeFeed(model.architecture);
  const peaks = largest(splitPasses(items)).map(
    (pass) => predictPeak(program, shapesOf(batchFeeds(makeMicroBatch(method, pass), model.architecture, rope, program))).peak,
  );
  return { peak: Math.max(...peaks), nodes: program.model.nodes.length };
}

/** All passes of the run. */
function passesOf(items: readonly Item[], options: TrainOptions): Item[][] {
  const cost = (row: number): number => tokensOf(items[row]!);
  const length = lengthOfRun(items.length, options);
  const order = stepOrder({ rows: items.length, batch: options.batch, ...length, seed: options.seed, cost });
  return order.flatMap((rows) => splitPasses(rows.map((row) => items[row]!), options.microBatch));
}

/** The passes that may take the most memory: the one with most tokens, and the one with the largest attention, padding included. */
function largest(passes: readonly Item[][]): Item[][] {
  const tokens = (pass: readonly Item[]): number => pass.reduce((n, item) => n + tokensOf(item), 0);
  const attention = (pass: readonly Item[]): number => {
    const sequences = pass.flatMap((item) => Object.values(item.sequences).flat());
    const [prompt, response] = [Math.max(...sequences.map((s) => s.prompt.length)), Math.max(...sequences.map((s) => s.response.length))];
    return sequences.length * (prompt * prompt + response * (prompt + response));
  };
  return [...new Set([most(passes, tokens), most(passes, attention)])];
}

function most<T extends object>(values: readonly T[], measure: (value: T) => number): T {
  let best = values[0]!;
  let highest = -Infinity;
  for (const value of values) {
    const size = measure(value);
    if (size <= highest) continue;
    best = value;
    highest = size;
  }
  return best;
}

const rowsOf = ({ layout }: MicroBatch): number => layout.promptRows + layout.responseRows;

const maskShapes = ({ masks }: AdaptedWeights, batch: MicroBatch): Record<string, { shape: number[] }> =>
  Object.fromEntries(masks.map(({ name, width }) => [name, { shape: [rowsOf(batch), width] }]));

const shapesOf = (feeds: Readonly<Record<string, { readonly shape: readonly number[] }>>): Record<string, readonly number[]> =>
  Object.fromEntries(Object.entries(feeds).map(([name, { shape }]) => [name, shape]));
