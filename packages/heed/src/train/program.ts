import { type Program, type Tensor, add, gradient, input, lower, mul, sym, takeRows } from '@heed/tensor';
import type { BoundMethod } from '../method/method.js';
import type { Architecture, Checkpointing } from '../model/decoder.js';
import { type Read, SUPERVISED, traceReads } from '../model/scoring.js';
import type { AdaptedWeights } from '../model/weights.js';
import { type Readings, countsProgram, scoresShape, seedsOf, sumsOf, tokensShape, traceScored } from './loss-program.js';

/** A method's loss on a micro-batch with its gradient, and the counts it is divided by, as two programs. */
export interface TrainProgram {
  /** Gives `term:i` and `metric:name` sums, `newMemory:name`, `grad:<parameter>` added to what `acc:<parameter>` held, and `logRatio`, `flagged`. */
  readonly step: Program;
  /** Gives `count:i` and `metricCount:name`. */
  readonly counts: Program;
  readonly terms: number;
  readonly metrics: readonly string[];
  /** The sequence whose tokens `logRatio` and `flagged` are given of, if the method has a heat map. */
  readonly heatmapOf?: string;
}

/** Traces a method over a model with an adapter. */
export function traceTraining(architecture: Architecture, weights: AdaptedWeights, method: BoundMethod, folder: string, keep: Checkpointing): TrainProgram {
  const loss = method.loss(traceScored(method, readingsOf(method, weights, traceReads(architecture, weights, keep))));
  const outputs = { ...accumulated(method, weights, seedsOf(loss)), ...sumsOf(method, loss) };
  if (loss.heatmap !== undefined) Object.assign(outputs, { logRatio: loss.heatmap.logRatio.values, flagged: loss.heatmap.flagged.values });
  return {
    step: lower(outputs, { folder }), counts: countsProgram(method, loss), terms: loss.terms.length, metrics: Object.keys(loss.metrics),
    ...(loss.heatmap === undefined ? {} : { heatmapOf: loss.heatmap.of }),
  };
}

/** The two halves of a step whose loss couples rows of several micro-batches: with the loss in between, see `traceLoss`. */
export interface HalvesProgram {
  /** Gives `logp:<name>` and `score:<name>`, as the loss reads them. */
  readonly forward: Program;
  /** Gives `grad:<parameter>` added to `acc:<parameter>`, from `d:logp:<name>` and `d:score:<name>`. */
  readonly backward: Program;
}

/** Traces both halves: of `logp:<name>` and `score:<name>`, those that the loss reads and those that it has a derivative by. */
export function traceHalves(
  architecture: Architecture, weights: AdaptedWeights, method: BoundMethod, folder: string, keep: Checkpointing,
  { reads, learns }: { readonly reads: ReadonlySet<string>; readonly learns: ReadonlySet<string> },
): HalvesProgram {
  const readings = readingsOf(method, weights, traceReads(architecture, weights, keep));
  const values: Record<string, Tensor> = {};
  for (const name of method.names) {
    if (method.detached.has(name)) continue;
    const mask = input(`mask:${name}`, tokensShape(method, name));
    if (reads.has(`logp:${name}`)) values[`logp:${name}`] = mul(readings.logp(name, mask), mask);
    if (reads.has(`score:${name}`)) values[`score:${name}`] = readings.scores(name);
    if (reads.has(`entropy:${name}`)) values[`entropy:${name}`] = mul(readings.entropy(name, mask), mask);
  }
  const seeds = Object.entries(values).flatMap(([name, of]) => (learns.has(name) ? [{ of, derivative: input(`d:${name}`, of.shape) }] : []));
  return { forward: lower(values, { folder }), backward: lower(accumulated(method, weights, seeds), { folder }) };
}

/** A forward pass alone, for references and held-out rows: the flat log-probabilities `logp` of a layout, and `scores` of its sequences where there is a head. */
export function traceForward(architecture: Architecture, weights: { readonly head?: Tensor } & Parameters<typeof traceReads>[1], folder: string): Program {
  const read = traceReads(architecture, weights, 'none');
  return lower(weights.head === undefined ? { logp: read.logProbs() } : { scores: read.scores(weights.head) }, { folder });
}

/** Gradients of Σ seeds by every parameter. What the accumulators held counts from the second micro-batch of a step on (`carry` 1), not in the first (0). */
function accumulated(method: BoundMethod, weights: AdaptedWeights, seeds: Parameters<typeof gradient>[0]): Record<string, Tensor> {
  const derivatives = gradient(seeds, weights.parameters.map((p) => p.tensor));
  const carry = input('carry', []);
  return Object.fromEntries(weights.parameters.map((parameter, i) => {
    const derivative = derivatives[i];
    if (derivative === undefined) throw new Error(`The loss of ${method.name} does not depend on ${parameter.name}.`);
    return [`grad:${parameter.name}`, add(mul(input(`acc:${parameter.name}`, parameter.shape), carry), derivative)];
  }));
}

/** What the model gives for a layout, sorted into the method's named sequences by the tables of a micro-batch. */
function readingsOf(method: BoundMethod, weights: AdaptedWeights, read: Read): Readings {
  let logp: Tensor | undefined;
  let entropies: Tensor | undefined;
  let scores: Tensor | undefined;
  const sorted = (all: Tensor, name: string): Tensor =>
    takeRows(all, input(`pick:${name}`, tokensShape(method, name), 'int32'), { index: input(`picked:${name}`, [SUPERVISED], 'int32'), went: 'atMostOnce' });
  return {
    logp: (name) => sorted((logp ??= read.logProbs()), name),
    entropy: (name) => sorted((entropies ??= read.entropies()), name),
    scores(name) {
      scores ??= read.scores(weights.head!);
      const shape = scoresShape(method, name);
      const size = method.head!.size;
      const at = { index: input(`sequenceAt:${name}`, [sym('S')], 'int32'), went: 'atMostOnce' as const };
      return takeRows(scores, input(`sequence:${name}`, size === 1 ? shape : shape.slice(0, -1), 'int32'), at);
    },
  };
}
