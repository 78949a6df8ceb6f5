import type { Dim } from '../dims.js';
import { type Tensor, call, op, op1 } from '../tensor.js';
import { add, cast, log, mul, neg, sub, where } from './elementwise.js';
import { matmul } from './matmul.js';
import { max, mean, softmax } from './reduce.js';
import { concat, reshape, split } from './shape.js';

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

/**
 * log p(label | hidden) for each row, and nothing else of the vocabulary: hidden [n, H], head [V, H] (frozen), labels int32 [n]
 * → [n]. The gradient by `hidden` is (E[label] − p·E)·d(logp), which needs no scatter and no logits: the backward pass keeps the
 * probabilities p alone. Labels may come in several pieces, whose lengths add up to n: the logits of one piece exist at a time.
 *
 * @param kept bool [n, V], in the same pieces: the tokens that each row's distribution is over, its label among them. Default: all.
 */
export function tokenLogProbs(
  hidden: Tensor, head: Tensor, labels: Tensor | readonly Tensor[], kept?: Tensor | readonly Tensor[],
): Tensor {
  const n = hidden.shape[0]!;
  const pieces = (h: Tensor, e: Tensor, y: Tensor, among?: Tensor): [Tensor, Tensor] => {
    // A 16-bit head is widened at each use: the products below run far apart, and a shared copy would stay alive between them.
    const wide = (): Tensor => cast(e, 'float32');
    const size = h.shape[0]!;
    const column = reshape(y, [size, 1]);
    const all = matmul(h, wide(), { transB: true });
    const logits = among === undefined ? all : onlyKept(all, among);
    const p = softmax(logits);
    const picked = op1('GatherElements', [logits, column], { dtype: 'float32', shape: [size, 1] }, { attributes: { axis: { int: 1 } } });
    // log Σ exp(logits) = max logit − log max p: no second pass of exponentials over the vocabulary.
    const logp = sub(picked, sub(max(logits, 1, true), log(max(p, 1, true))));
    const target = cast(
      op1('Gather', [e, y], { dtype: e.dtype, shape: [size, h.shape[1]!] }, { attributes: { axis: { int: 0 } } }),
      'float32',
    );
    return [reshape(logp, [size]), sub(target, matmul(p, wide()))];
  };
  const listOf = (given: Tensor | readonly Tensor[]): readonly Tensor[] =>
    (Array.isArray(given) ? (given as readonly Tensor[]) : [given as Tensor]);
  const targets = listOf(labels);
  return call(
    [hidden, head, ...targets, ...(kept === undefined ? [] : listOf(kept))],
    (h, e, ...given) => {
      const [ys, masks] = [given.slice(0, targets.length), given.slice(targets.length)];
      const hs = split(h, 0, ys.map((y) => y.shape[0]!));
      const parts = hs.map((part, i) => pieces(part, e, ys[i]!, masks[i]));
      return [concat(parts.map(([l]) => l), 0), concat(parts.map(([, d]) => d), 0)];
    },
    ({ inputs, outputs: [, direction], dOutputs: [d] }) => [mul(direction!, reshape(d!, [n, 1])), ...inputs.slice(1).map(() => undefined)],
  )[0]!;
}

/** A logit that no token is drawn by, and that stays a number when it is multiplied by 0. */
const NEVER = -1e30;

/** Logits whose softmax is over the kept tokens alone; `kept`: bool of the logits' shape. */
export const onlyKept = (logits: Tensor, kept: Tensor): Tensor => where(kept, logits, NEVER);

/** x + bias, where there is one. */
export const addBias = (x: Tensor, bias: Tensor | undefined): Tensor => (bias === undefined ? x : add(x, cast(bias, 'float32')));
