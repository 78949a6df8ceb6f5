import { type Program, type Tensor, add, gradient, input, lower, mul, sum, sym, takeRows } from '@heed/tensor';
import type { BoundMethod, Loss, Scored } from '../method/method.js';
import { Tokens } from '../method/tokens.js';
import type { AdaptedWeights } from '../model/weights.js';
import type { Architecture, Checkpointing } from '../model/llama.js';
import { SUPERVISED, traceLogProbs } from '../model/scoring.js';

const B = sym('rows');
/** Tokens of the longest sequence: one width for all names, so that a loss can set them side by side. */
const T = sym('slots');

/** A method's loss on a micro-batch with its gradient, and the counts it is divided by, as two programs. */
export interface TrainProgram {
  /** Gives `term:i` and `metric:name` sums, `grad:<parameter>` added to what `acc:<parameter>` held, and `logRatio`, `flagged`. */
  readonly step: Program;
  /** Gives `count:i` and `metricCount:name`; needs no model, so counts of the whole optimizer step are known before its first backward pass. */
  readonly counts: Program;
  readonly terms: number;
  readonly metrics: readonly string[];
  /** The sequence whose tokens `logRatio` and `flagged` are given of, if the method has a heat map. */
  readonly heatmapOf?: string;
}

/** Traces a method over a model with an adapter. `scale:i` is the factor of term i: one over its count in the whole step. */
export function traceTraining(architecture: Architecture, weights: AdaptedWeights, method: BoundMethod, folder: string, keep: Checkpointing): TrainProgram {
  const logp = traceLogProbs(architecture, weights, keep);
  const scored = scoredOf(method, logp);
  const loss = method.loss(scored);
  const seeds = loss.terms.map((term, i) => ({ of: term.sum, derivative: input(`scale:${i}`, []) }));
  const derivatives = gradient(seeds, weights.parameters.map((p) => p.tensor));

  // What the accumulators held counts from the second micro-batch of a step on (`carry` 1), not in the first (0).
  const carry = input('carry', []);
  const outputs: Record<string, Tensor> = {};
  weights.parameters.forEach((parameter, i) => {
    const derivative = derivatives[i];
    if (derivative === undefined) throw new Error(`The loss of ${method.name} does not depend on ${parameter.name}.`);
    outputs[`grad:${parameter.name}`] = add(mul(input(`acc:${parameter.name}`, parameter.shape), carry), derivative);
  });
  Object.assign(outputs, sumsOf(loss));
  if (loss.heatmap !== undefined) Object.assign(outputs, { logRatio: loss.heatmap.logRatio.values, flagged: loss.heatmap.flagged.values });
  const step = lower(outputs, { folder });
  return { step, counts: countsProgram(method, loss), terms: loss.terms.length, metrics: Object.keys(loss.metrics), ...(loss.heatmap === undefined ? {} : { heatmapOf: loss.heatmap.of }) };
}

/** The method's loss alone, without gradients: for rows held out. */
export function traceEvaluation(architecture: Architecture, weights: AdaptedWeights, method: BoundMethod, folder: string): { sums: Program; counts: Program; terms: number; metrics: readonly string[] } {
  const loss = method.loss(scoredOf(method, traceLogProbs(architecture, weights, 'none')));
  return { sums: lower(sumsOf(loss), { folder }), counts: countsProgram(method, loss), terms: loss.terms.length, metrics: Object.keys(loss.metrics) };
}

function sumsOf(loss: Loss): Record<string, Tensor> {
  const outputs: Record<string, Tensor> = {};
  loss.terms.forEach((term, i) => (outputs[`term:${i}`] = term.sum));
  for (const [name, term] of Object.entries(loss.metrics)) outputs[`metric:${name}`] = term.sum;
  return outputs;
}

function countsProgram(method: BoundMethod, loss: Loss): Program {
  const outputs: Record<string, Tensor> = {};
  loss.terms.forEach((term, i) => (outputs[`count:${i}`] = term.count));
  for (const [name, term] of Object.entries(loss.metrics)) outputs[`metricCount:${name}`] = term.count;
  const program = lower(outputs);
  if (program.inputs.some((port) => port.name === 'promptIds')) throw new Error(`${method.name}: a count depends on the model; a loss is divided by what its rows say, not by what the model does.`);
  return program;
}

/** The log-probabilities of the layout's supervised tokens, sorted into the method's named sequences. */
function scoredOf(method: BoundMethod, logp: Tensor): Scored<string> {
  const named = Object.fromEntries(
    method.names.map((name) => {
      const shape = [B, T];
      const mask = input(`mask:${name}`, shape);
      const picked = takeRows(logp, input(`pick:${name}`, shape, 'int32'), { index: input(`picked:${name}`, [SUPERVISED], 'int32'), went: 'atMostOnce' });
      return [name, new Tokens(mul(picked, mask), mask)];
    }),
  );
  const columns = Object.fromEntries(method.columns.map((name) => [name, input(`column:${name}`, [B])]));
  return { logp: named, columns, rows: sum(input('one', [B])) };
}
