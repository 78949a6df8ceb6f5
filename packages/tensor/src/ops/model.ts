import type { Dim } from '../dims.js';
import { type Tensor, call, op, op1 } from '../tensor.js';
import { add, cast, mul, neg, sub, where } from './elementwise.js';
import { mean } from './reduce.js';
import { reshape } from './shape.js';

/**
 * x/√(mean x² + ε)·w over the last axis, for a frozen w (Zhang & Sennrich 2019). With x̂ = x·rstd and g = dY·w:
 * dX = rstd·(g − x̂·mean(g·x̂)).
 */
export function rmsNorm(x: Tensor, weight: Tensor, epsilon: number): Tensor {
  return call(
    [x, weight],
    (p, w) =>
      op('SimplifiedLayerNormalization', [p, cast(w, 'float32')], [
        { dtype: 'float32', shape: p.shape },
        { dtype: 'float32', shape: [...p.shape.slice(0, -1), 1] },
      ], { attributes: { axis: { int: -1 }, epsilon: { float: epsilon } } }),
    ({ inputs: [p, w], outputs: [, rstd], dOutputs: [d] }) => {
      const normalised = mul(p!, rstd!);
      const g = mul(d!, cast(w!, 'float32'));
      return [mul(rstd!, sub(g, mul(normalised, mean(mul(g, normalised), [-1], true)))), undefined];
    },
  )[0]!;
}

/**
 * Rotary position embedding (Su et al. 2021) on flat rows x [n, heads·d], split-half convention as in Hugging Face. `positions`
 * int64 [1, n]; `cosine`, `sine` [rows, t/2] with rows ≥ n and rows > every position. Where t < d, only the first t numbers of a
 * head are turned. Its gradient is the rotation by −θ.
 */
export function rope(x: Tensor, positions: Tensor, cosine: Tensor, sine: Tensor, heads: number): Tensor {
  const [n, width] = x.shape as [Dim, number];
  const flat = reshape(x, [1, n, width]);
  const turned = 2 * (cosine.shape[1] as number);
  const rotated = op1(
    'RotaryEmbedding',
    [flat, positions, cosine, sine],
    { dtype: 'float32', shape: flat.shape },
    {
      domain: 'com.microsoft',
      attributes: {
        num_heads: { int: heads },
        rotary_embedding_dim: { int: turned === width / heads ? 0 : turned },
        interleaved: { int: 0 },
      },
      gradient: ({ inputs: [, at, cos, sin], dOutputs: [d] }) => [
        reshape(rope(reshape(d!, [n, width]), at!, cos!, neg(sin!), heads), [1, n, width]),
      ],
    },
  );
  return reshape(rotated, [n, width]);
}

/** A logit that no token is drawn by, and that stays a number when it is multiplied by 0. */
const NEVER = -1e30;

/** Logits whose softmax is over the kept tokens alone; `kept`: bool of the logits' shape. */
export const onlyKept = (logits: Tensor, kept: Tensor): Tensor => where(kept, logits, NEVER);

/** x + bias, where there is one. */
export const addBias = (x: Tensor, bias: Tensor | undefined): Tensor => (bias === undefined ? x : add(x, cast(bias, 'float32')));
