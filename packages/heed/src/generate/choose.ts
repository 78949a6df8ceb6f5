import {
  type Tensor,
  add, atLeast, cast, concat, constant, input, log, mul, op, op1, reshape, softmax, split, sub, sum, takeRows, times, toFloat, zeros,
} from '@heed/tensor';
import { logNormaliser } from '../model/decoder.js';
import type { StepChoice } from './options.js';

/**
 * Chooses the next token of each row from logits [B, V] inside the engine, so that no array of the vocabulary's size leaves it:
 * - `greedy`: `chosen` int64 [B, 1] and `logprobs` [B];
 * - `sample`: the same, `chosen` int32, drawn from softmax(logits · `inverseTemperature` [B, 1]) by the uniform numbers `uniform`
 *   [B, 2], and `sampled` [B], the log-probability under that softmax;
 * - `candidates`: the likeliest tokens in falling order, `values` and `indices` (int64) [B, count], and `normaliser` [B, 2];
 * - `logits`: `normaliser`;
 * - `mixed`: all of `sample` and of `candidates`, whose first is what `greedy` would choose.
 * Log-probabilities, and column 0 of the normaliser (log Σ exp of the logits), are those of the model itself; column 1 of the
 * normaliser is log Σ exp(logit / temperature).
 */
export function traceChoice(logits: Tensor, choice: StepChoice): Readonly<Record<string, Tensor>> {
  const rows = logits.shape[0]!;
  const plain = logNormaliser(logits);
  const result = (ids: Tensor): Record<string, Tensor> => {
    const picked = op1('GatherElements', [logits, ids], { dtype: 'float32', shape: [rows, 1] }, { attributes: { axis: { int: 1 } } });
    return { chosen: ids, logprobs: reshape(sub(picked, plain), [rows]) };
  };
  if (choice.kind === 'greedy') {
    const attributes = { axis: { int: 1 }, keepdims: { int: 1 } };
    return result(op1('ArgMax', [logits], { dtype: 'int64', shape: [rows, 1] }, { attributes }));
  }
  const scaled = mul(logits, input('inverseTemperature', [rows, 1]));
  const sampling = (): Record<string, Tensor> => {
    const p = softmax(scaled);
    const ids = drawn(p);
    const shape = { dtype: 'float32', shape: [rows, 1] } as const;
    const picked = op1('GatherElements', [p, ids], shape, { attributes: { axis: { int: 1 } } });
    return { ...result(ids), sampled: reshape(log(picked), [rows]) };
  };
  if (choice.kind === 'sample') return sampling();
  const normaliser = concat([plain, logNormaliser(scaled)], 1);
  if (choice.kind === 'logits') return { normaliser };
  const shape = [rows, choice.count];
  const [values, indices] = op(
    'TopK',
    [logits, constant([choice.count], [1], 'int64')],
    [{ dtype: 'float32', shape }, { dtype: 'int64', shape }],
    { attributes: { axis: { int: 1 }, largest: { int: 1 }, sorted: { int: 1 } } },
  ) as [Tensor, Tensor];
  return { values, indices, normaliser, ...(choice.kind === 'mixed' ? sampling() : {}) };
}

/**
 * Draws a token for each row of p [B, V] → int32 [B, 1]: first a block of the vocabulary by its probability, then a token in that
 * block, each by a uniform number of its own. The draw is exact, reads p once, and has the resolution of a float32 twice over.
 */
function drawn(p: Tensor): Tensor {
  const [rows, vocabulary] = p.shape as [Tensor['shape'][number], number];
  const width = blockWidth(vocabulary);
  const blocks = Math.ceil(vocabulary / width);
  const padding = blocks * width - vocabulary;
  const padded = padding === 0 ? p : concat([p, zeros([rows, padding])], 1);
  const uniform = split(input('uniform', [rows, 2]), 1, [1, 1]) as [Tensor, Tensor];
  const block = drawnOf(sum(reshape(padded, [rows, blocks, width]), [2]), uniform[0]);
  // Row b's blocks begin at b·blocks; the base is fed, since a range over a symbolic batch would be several nodes.
  const own = takeRows(reshape(padded, [times(rows, blocks), width]), reshape(add(block, input('blockBase', [rows, 1], 'int32')), [rows]));
  const inner = drawnOf(own, uniform[1]);
  return add(mul(block, constant([width], [1], 'int32')), inner);
}

/** The first column at which the running sum exceeds uniform · total, int32 [B, 1]: never one whose mass is zero. */
function drawnOf(mass: Tensor, uniform: Tensor): Tensor {
  const [rows, n] = mass.shape as [Tensor['shape'][number], number];
  const running = op1('CumSum', [mass, constant([1], [], 'int32')], { dtype: 'float32', shape: mass.shape });
  const total = n === 1 ? running : split(running, 1, [n - 1, 1])[1]!;
  const passed = sum(toFloat(atLeast(mul(uniform, total), running)), [1], true);
  return cast(reshape(passed, [rows, 1]), 'int32');
}

/** Tokens in a block: a divisor of the vocabulary near its square root, so that no padding is needed, or the square root itself. */
export function blockWidth(vocabulary: number): number {
  const root = Math.sqrt(vocabulary);
  for (let d = Math.floor(root); d > root / 4; d--) if (vocabulary % d === 0) return d;
  return Math.ceil(root);
}

/** The largest float32 below 1: a uniform number that is rounded up to 1 would point beyond the last token. */
const BELOW_ONE = 1 - 2 ** -24;
export const uniform32 = (u: number): number => Math.min(Math.fround(u), BELOW_ONE);
