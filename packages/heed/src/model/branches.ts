import {
  type Dim, type Feed, type Tensor, add, concat, expandTo, headRows, input, matmul, op1, plus, reshape, softmax, split, sub, sym,
  takeRows, times,
} from '@heed/tensor';
import type { Attend, HeadShape } from './architecture.js';
import { type Architecture, type Weights, decoder, logNormaliser, logitsOf, ropeInputs } from './decoder.js';
import { headsAt, slotsOfHeads } from './head-slots.js';

/**
 * What follows a shared beginning: the rest of a prompt (at least one token), and the answers whose tokens are asked for, each a
 * branch of its own.
 */
export interface Branched {
  readonly rest: readonly number[];
  readonly answers: readonly (readonly number[])[];
}

/**
 * How branched prompts lie in one forward pass behind a beginning whose keys and values are known already. Rows are flat and without
 * padding: of each prompt its rest, then each answer but for its last token, which nobody reads. A row of an answer sees the
 * beginning, its prompt's rest and its own answer, not the other answers. Attention alone is padded, to `slots` rows a prompt.
 */
export interface BranchLayout {
  readonly ids: Int32Array; // [M]
  readonly positions: Int32Array; // [M]
  readonly prompts: number; // S
  readonly slots: number; // R
  /** Columns that the beginning has in the masks: one that nobody sees, where there is no beginning. */
  readonly begun: number; // P
  readonly rowOf: Int32Array; // [S, R]; padding reads row 0
  readonly slotOf: Int32Array; // [M]
  /** Additive, 0 or −1e9: [S, R, P + R]; `local` for layers that see the last `window` positions only. */
  readonly mask: Float32Array;
  readonly local?: Float32Array;
  /** Each token of each answer of each prompt, in this order: the row that predicts it, and the token. */
  readonly from: Int32Array; // [N]
  readonly labels: Int32Array; // [N]
}

const HIDDEN = -1e9;

/** Lays prompts out behind a beginning of so many tokens. `window`: the reach of local layers, where the model has any. */
export function layOutBranches(begun: number, prompts: readonly Branched[], window?: number): BranchLayout {
  const sizes = prompts.map(({ rest, answers }) => rest.length + answers.reduce((n, a) => n + a.length - 1, 0));
  const [S, R, P] = [prompts.length, Math.max(...sizes), Math.max(1, begun)];
  const M = sizes.reduce((a, b) => a + b, 0);
  const [ids, positions, slotOf] = [new Int32Array(M), new Int32Array(M), new Int32Array(M)];
  const rowOf = new Int32Array(S * R);
  const width = P + R;
  const blank = (): Float32Array => {
    const mask = new Float32Array(S * R * width).fill(HIDDEN);
    // A padding row sees something, so that its softmax stays finite; nothing reads its result.
    for (let s = 0; s < S; s++) for (let t = sizes[s]!; t < R; t++) mask[(s * R + t) * width] = 0;
    return mask;
  };
  const mask = blank();
  const local = window === undefined ? undefined : blank();
  const [from, labels]: [number[], number[]] = [[], []];
  let row = 0;
  prompts.forEach(({ rest, answers }, s) => {
    const first = row;
    const length = begun + rest.length;
    /** A row at `position` that sees rows `first`… up to `rests` of them, and its own answer's from row `own` on. */
    const put = (id: number, position: number, rests: number, own: number): void => {
      const slot = s * R + (row - first);
      [ids[row], positions[row], slotOf[row], rowOf[slot]] = [id, position, slot, row];
      const at = slot * width;
      mask.fill(0, at, at + begun);
      mask.fill(0, at + P, at + P + rests);
      mask.fill(0, at + P + own - first, at + P + row - first + 1);
      if (local !== undefined) {
        const oldest = position - window! + 1;
        local.fill(0, at + Math.min(begun, Math.max(0, oldest)), at + begun);
        local.fill(0, at + P + Math.min(rests, Math.max(0, oldest - begun)), at + P + rests);
        local.fill(0, at + P + Math.max(own, row - window! + 1) - first, at + P + row - first + 1);
      }
      row++;
    };
    rest.forEach((id, t) => put(id, begun + t, t, row));
    const last = row - 1;
    for (const answer of answers) {
      const own = row;
      answer.forEach((id, t) => {
        from.push(t === 0 ? last : row - 1);
        labels.push(id);
        if (t < answer.length - 1) put(id, length + t, rest.length, own);
      });
    }
  });
  return {
    ids,
    positions,
    prompts: S,
    slots: R,
    begun: P,
    rowOf,
    slotOf,
    mask,
    ...(local && { local }),
    from: Int32Array.from(from),
    labels: Int32Array.from(labels),
  };
}

const [S, R, P, M, N, q] = ['S', 'R', 'P', 'M', 'N', 'q'].map(sym) as [Dim, Dim, Dim, Dim, Dim, Dim];
/** The vocabulary is worked through in pieces of the asked tokens, which bounds the logits in memory. */
const PIECES = 4;

/**
 * Log-probabilities of the asked tokens, traced; [N] in the layout's order. `pastKey<i>` and `pastValue<i>` [1, keyHeads, P, d] are
 * the beginning's, as a prefill left them.
 */
export function traceBranches(architecture: Architecture, weights: Weights): Tensor {
  const rows = { ids: input('ids', [M], 'int32'), positions: input('positions', [1, M], 'int64'), ...ropeInputs(architecture) };
  const hidden = decoder(architecture, weights, rows, branchAttention(architecture), 'none');
  const labels = Array.from({ length: PIECES }, (_, i) =>
    input(`labels${i}`, [i < PIECES - 1 ? q : plus(N, times(1 - PIECES, q))], 'int32'),
  );
  const pieces = split(takeRows(hidden, input('from', [N], 'int32')), 0, labels.map(({ shape }) => shape[0]!));
  return concat(pieces.map((rows, i) => labelLogProbs(logitsOf(architecture, weights, rows), labels[i]!)), 0);
}

/** log p of each row's label, [n]. */
function labelLogProbs(logits: Tensor, labels: Tensor): Tensor {
  const [n] = labels.shape as [Dim];
  const picked = op1(
    'GatherElements',
    [logits, reshape(labels, [n, 1])],
    { dtype: 'float32', shape: [n, 1] },
    { attributes: { axis: { int: 1 } } },
  );
  return reshape(sub(picked, logNormaliser(logits)), [n]);
}

function branchAttention({ heads, keyHeads, headSize, scale, local }: HeadShape): Attend {
  const group = heads / keyHeads;
  const queryOf = input('queryOf', [S, keyHeads, times(R, group)], 'int32');
  const keyOf = input('keyOf', [S, keyHeads, R], 'int32');
  const outAt = input('outAt', [times(M, heads)], 'int32');
  const everything = input('mask', [S, 1, 1, R, plus(P, R)]);
  const window = local && input('localMask', [S, 1, 1, R, plus(P, R)]);
  const joined = (name: string, x: Tensor): Tensor =>
    concat([expandTo(input(name, [1, keyHeads, P, headSize]), [S, keyHeads, P, headSize]), takeRows(headRows(x, keyHeads), keyOf)], 2);
  return (layer, queries, keys, values) => {
    const mask = local?.layers[layer] === true ? window! : everything;
    const scores = matmul(takeRows(headRows(queries, heads), queryOf), joined(`pastKey${layer}`, keys), { transB: true, alpha: scale });
    const probabilities = softmax(add(reshape(scores, [S, keyHeads, group, R, plus(P, R)]), mask));
    const out = matmul(reshape(probabilities, [S, keyHeads, times(R, group), plus(P, R)]), joined(`pastValue${layer}`, values));
    return reshape(takeRows(reshape(out, [times(S, heads, R), headSize]), outAt), [M, heads * headSize]);
  };
}

/** What `traceBranches` reads of a layout; `rowAt`: which row of the rotation's tables turns a position. */
export function branchFeeds(l: BranchLayout, { heads, keyHeads }: HeadShape, rowAt: (position: number) => number): Record<string, Feed> {
  const int = (data: Int32Array, ...shape: number[]): Feed => ({ data, shape });
  const [m, n, size] = [l.ids.length, l.labels.length, Math.floor(l.labels.length / PIECES)];
  const masks = (data: Float32Array): Feed => ({ data, shape: [l.prompts, 1, 1, l.slots, l.begun + l.slots] });
  return {
    ids: int(l.ids, m),
    positions: { data: BigInt64Array.from(l.positions, (p) => BigInt(rowAt(p))), shape: [1, m] },
    queryOf: int(slotsOfHeads(l.rowOf, l.prompts, l.slots, keyHeads, heads / keyHeads), l.prompts, keyHeads, (l.slots * heads) / keyHeads),
    keyOf: int(slotsOfHeads(l.rowOf, l.prompts, l.slots, keyHeads, 1), l.prompts, keyHeads, l.slots),
    outAt: int(headsAt(l.slotOf, 1, l.slots, l.prompts * l.slots, heads), m * heads),
    mask: masks(l.mask),
    ...(l.local && { localMask: masks(l.local) }),
    from: int(l.from, n),
    ...Object.fromEntries(Array.from({ length: PIECES }, (_, i) => {
      const part = l.labels.slice(i * size, i < PIECES - 1 ? (i + 1) * size : n);
      return [`labels${i}`, int(part, part.length)];
    })),
  };
}
