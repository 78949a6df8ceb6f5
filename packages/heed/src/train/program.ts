import { type Dim, type Program, type Tensor, add, gradient, input, lower, mul, sym, takeRows } from '@heed/tensor';
import type { BoundMethod } from '../method/method.js';
import type { Architecture, Checkpointing } from '../model/decoder.js';
import { type Read, SUPERVISED, type Sampled, traceReads } from '../model/scoring.js';
import type { AdaptedWeights } from '../model/weights.js';
import { type Readings, countsProgram, readingOf, scoresShape, seedsOf, sumsOf, tokensShape, traceScored } from './loss-program.js';

/** A method's loss on a micro-batch with its gradient, and the counts it is divided by, as two programs. */
export interface TrainProgram {
  /**
   * Gives what `sumsOf` names, `grad:<parameter>` added to what `acc:<parameter>` held, and `logRatio`, `flagged`.
   */
  readonly step: Program;
  /** Gives `count:i` and `metricCount:name`. */
  readonly counts: Program;
  readonly terms: number;
  readonly metrics: readonly string[];
  /** The sequence whose tokens `logRatio` and `flagged` are given of, if the method has a heat map. */
  readonly heatmapOf?: string;
}

/** Traces a method over a model with an adapter. */
export function traceTraining(
  architecture: Architecture,
  weights: AdaptedWeights,
  method: BoundMethod,
  folder: string,
  keep: Checkpointing,
): TrainProgram {
  const loss = method.loss(traceScored(method, readingsOf(method, weights, traceReads(architecture, weights, keep, method))));
  const outputs = { ...accumulated(method, weights, seedsOf(loss)), ...sumsOf(method, loss) };
  if (loss.heatmap !== undefined) Object.assign(outputs, { logRatio: loss.heatmap.logRatio.values, flagged: loss.heatmap.flagged.values });
  return {
    step: lower(outputs, { folder }), counts: countsProgram(method, loss), terms: loss.terms.length, metrics: Object.keys(loss.metrics),
    heatmapOf: loss.heatmap?.of,
  };
}

/** The two halves of a step whose loss couples rows of several micro-batches: with the loss in between, see `traceLoss`. */
export interface HalvesProgram {
  /** Gives what the loss reads, by its keys (`readingOf`). */
  readonly forward: Program;
  /** Gives `grad:<parameter>` added to `acc:<parameter>`, from `d:<reading>`. */
  readonly backward: Program;
}

/** Traces both halves: the inputs of the loss, and the inputs that it has derivatives by. */
export function traceHalves(
  architecture: Architecture, weights: AdaptedWeights, method: BoundMethod, folder: string, keep: Checkpointing,
  { reads, learns }: { readonly reads: ReadonlySet<string>; readonly learns: ReadonlySet<string> },
): HalvesProgram {
  const readings = readingsOf(method, weights, traceReads(architecture, weights, keep, method));
  const once = onceEach();
  const mask = (name: string): Tensor => once(name, () => input(`mask:${name}`, tokensShape(method, name)));
  const values = Object.fromEntries(
    [...reads].map((key): [string, Tensor] => {
      const { kind, head, name } = readingOf(key);
      if (kind === 'score') return [key, readings.score(head!, name)];
      const value = kind === 'value' ? readings.value(head!, name) : readings[kind](name);
      return [key, mul(value, mask(name))];
    }),
  );
  const seeds = Object.entries(values).flatMap(([name, of]) =>
    learns.has(name) ? [{ of, derivative: input(`d:${name}`, of.shape) }] : [],
  );
  return { forward: lower(values, { folder }), backward: lower(accumulated(method, weights, seeds), { folder }) };
}

/**
 * What a forward pass gives of a whole layout: `logp`, `entropy`, `value:<head>` for its supervised tokens, `score:<head>` for its
 * sequences, and `attention` of each sequence's last token.
 */
export type Wanted = 'logp' | 'entropy' | 'attention' | `score:${string}` | `value:${string}`;

/** What a forward pass has to give for some readings. */
export const wantedFor = (readings: Iterable<string>): Wanted[] => [...new Set([...readings].map((key): Wanted => {
  const { kind, head } = readingOf(key);
  return kind === 'score' || kind === 'value' ? `${kind}:${head!}` : kind;
}))];

/** A forward pass alone, for references and held-out rows. */
export function traceForward(
  architecture: Architecture,
  weights: Parameters<typeof traceReads>[1] & Partial<Pick<AdaptedWeights, 'heads'>>,
  folder: string,
  wanted: readonly Wanted[],
  sampled: Sampled = {},
): Program {
  const read = traceReads(architecture, weights, 'none', sampled);
  const give = (what: Wanted): Tensor => {
    if (what === 'logp') return read.logProbs();
    if (what === 'entropy') return read.entropies();
    if (what === 'attention') return read.attention();
    const [kind, head] = what.split(':') as ['score' | 'value', string];
    return kind === 'score' ? read.scores(weights.heads![head]!) : read.values(weights.heads![head]!);
  };
  return lower(Object.fromEntries(wanted.map((what) => [what, give(what)])), { folder });
}

/**
 * Gradients of Σ seeds by every parameter. What the accumulators held counts from the second micro-batch of a step on (`carry` 1), not in
 * the first (0).
 */
function accumulated(method: BoundMethod, weights: AdaptedWeights, seeds: Parameters<typeof gradient>[0]): Record<string, Tensor> {
  const derivatives = gradient(seeds, weights.parameters.map((p) => p.tensor));
  const carry = input('carry', []);
  return Object.fromEntries(weights.parameters.map((parameter, i) => {
    const derivative = derivatives[i];
    if (derivative === undefined) throw new Error(`The loss of ${method.name} does not depend on ${parameter.name}.`);
    return [`grad:${parameter.name}`, add(mul(input(`acc:${parameter.name}`, parameter.shape), carry), derivative)];
  }));
}

/** Makes a tensor the first time that its key is asked for; afterwards gives the same: a program has one input of a name. */
function onceEach(): (key: string, make: () => Tensor) => Tensor {
  const made = new Map<string, Tensor>();
  return (key, make) => {
    if (!made.has(key)) made.set(key, make());
    return made.get(key)!;
  };
}

/** What the model gives for a layout, sorted into the method's named sequences by the tables of a micro-batch. */
function readingsOf(method: BoundMethod, weights: AdaptedWeights, read: Read): Readings {
  const once = onceEach();
  const int = (name: string, shape: readonly Dim[]): Tensor => once(name, () => input(name, shape, 'int32'));
  const sorted = (all: Tensor, name: string): Tensor =>
    takeRows(all, int(`pick:${name}`, tokensShape(method, name)), { index: int(`picked:${name}`, [SUPERVISED]), went: 'atMostOnce' });
  return {
    logp: (name) => sorted(once('logp', () => read.logProbs()), name),
    entropy: (name) => sorted(once('entropy', () => read.entropies()), name),
    value: (head, name) => sorted(once(`value:${head}`, () => read.values(weights.heads[head]!)), name),
    score(head, name) {
      const scores = once(`score:${head}`, () => read.scores(weights.heads[head]!));
      const shape = scoresShape(method, head, name);
      const { size } = method.heads[head]!;
      const at = { index: int(`sequenceAt:${name}`, [sym('S')]), went: 'atMostOnce' as const };
      return takeRows(scores, int(`sequence:${name}`, size === 1 ? shape : shape.slice(0, -1)), at);
    },
  };
}
