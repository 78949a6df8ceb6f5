import { type Tensor, call, op1 } from '../tensor.js';
import { add, exp, log, mul, sub } from './elementwise.js';
import { linear, matmul } from './matmul.js';
import { onlyKept } from './model.js';
import { max, softmax, sum } from './reduce.js';
import { concat, reshape, split } from './shape.js';
import type { Table } from './table.js';
import { boundsOf, piecesOf } from './vocabulary-pieces.js';

/** What `tokenLogProbs` may be told. */
export interface TokenLogProbsOptions {
  /** bool [n, V], in the same pieces as the labels: the tokens that each row's distribution is over, its label among them. Default: all. */
  readonly kept?: readonly Tensor[];
  /** Pieces that the vocabulary is worked through in. Default: 1 for a head of at most 2^26 numbers, else pieces of about 2^23. */
  readonly pieces?: number;
}

/** Logits [n, V] of hidden [n, H] by a frozen head [V, H]. A large head is widened in pieces, one after the other. It gets no gradient. */
export function headLogits(hidden: Tensor, head: Table, pieces = piecesOf(head.shape)): Tensor {
  const parts = boundsOf(head.shape[0], pieces).map(([from, to]) => linear(hidden, head.part(from, to)));
  return parts.length === 1 ? parts[0]! : concat(parts, 1);
}

/**
 * log p(label | hidden) for each row, and nothing else of the vocabulary: hidden [n, H], a frozen head [V, H], labels int32 [n] → [n].
 * The gradient by `hidden` is (E[label] − p·E)·d(logp), which needs no scatter. No gradient reaches the head.
 *
 * A small head is worked through by rows: labels may come in several pieces, whose lengths add up to n, and the logits of one piece exist
 * at a time. The backward pass keeps the probabilities p alone, [n, V]. A large one is worked through by pieces of the vocabulary, all
 * rows at once: neither the logits nor a widened head exist as a whole. The way back computes each piece's logits again.
 */
export function tokenLogProbs(
  hidden: Tensor, head: Table, labels: readonly Tensor[], { kept = [], pieces = piecesOf(head.shape) }: TokenLogProbsOptions = {},
): Tensor {
  return pieces === 1 ? byRows(hidden, head, labels, kept) : byVocabulary(hidden, head, labels, kept, pieces);
}

function byRows(hidden: Tensor, head: Table, labels: readonly Tensor[], kept: readonly Tensor[]): Tensor {
  const n = hidden.shape[0]!;
  const [V] = head.shape;
  const piece = (h: Tensor, y: Tensor, among?: Tensor): [Tensor, Tensor] => {
    const size = h.shape[0]!;
    // The head is widened at each use: the products below run far apart, and a shared copy would stay alive between them.
    const all = matmul(h, head.part(0, V), { transB: true });
    const logits = among === undefined ? all : onlyKept(all, among);
    const p = softmax(logits);
    const column = reshape(y, [size, 1]);
    const picked = op1('GatherElements', [logits, column], { dtype: 'float32', shape: [size, 1] }, { attributes: { axis: { int: 1 } } });
    // log Σ exp(logits) = max logit − log max p: no second pass of exponentials over the vocabulary.
    const logp = sub(picked, sub(max(logits, 1, true), log(max(p, 1, true))));
    return [reshape(logp, [size]), sub(head.rows(y), matmul(p, head.part(0, V)))];
  };
  return call(
    [hidden, ...labels, ...kept],
    (h, ...given) => {
      const [ys, masks] = [given.slice(0, labels.length), given.slice(labels.length)];
      const hs = split(h, 0, ys.map((y) => y.shape[0]!));
      const parts = hs.map((part, i) => piece(part, ys[i]!, masks[i]));
      return [concat(parts.map(([l]) => l), 0), concat(parts.map(([, d]) => d), 0)];
    },
    ({ inputs, outputs: [, direction], dOutputs: [d] }) => [mul(direction!, reshape(d!, [n, 1])), ...inputs.slice(1).map(() => undefined)],
  )[0]!;
}

function byVocabulary(hidden: Tensor, head: Table, labels: readonly Tensor[], kept: readonly Tensor[], pieces: number): Tensor {
  const n = hidden.shape[0]!;
  const [V] = head.shape;
  const bounds = boundsOf(V, pieces);
  /** The logits of each piece, with the part of the head that they are of; `use` makes of them what is kept. */
  const sweep = (h: Tensor, among: Tensor | undefined, use: (logits: Tensor, part: Tensor) => Tensor): Tensor[] => {
    const masks = among && split(among, 1, bounds.map(([from, to]) => to - from));
    return bounds.map(([from, to], i) => {
      const part = head.part(from, to);
      const all = matmul(h, part, { transB: true });
      return use(masks === undefined ? all : onlyKept(all, masks[i]!), part);
    });
  };
  const joined = (list: readonly Tensor[]): Tensor | undefined => (list.length === 0 ? undefined : concat(list, 0));
  const normaliser = (x: Tensor): Tensor => sub(max(x, 1, true), log(max(softmax(x), 1, true)));
  const [y, among] = [joined(labels)!, joined(kept)];
  return call(
    [hidden, y, ...(among === undefined ? [] : [among])],
    (h, ids, mask) => {
      const normalised = normaliser(concat(sweep(h, mask, normaliser), 1));
      const logits = sum(mul(h, head.rows(ids)), [1], true);
      return [reshape(sub(logits, normalised), [n]), normalised];
    },
    ({ inputs: [h, ids, mask], outputs: [, normalised], dOutputs: [d] }) => {
      const mean = sweep(h!, mask, (logits, part) => matmul(exp(sub(logits, normalised!)), part)).reduce((a, b) => add(a, b));
      return [mul(sub(head.rows(ids!), mean), reshape(d!, [n, 1])), undefined, undefined].slice(0, mask === undefined ? 2 : 3);
    },
  )[0]!;
}
