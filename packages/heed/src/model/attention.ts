import {
  type Dim, type Feed, type Tensor, add, concat, headRows, input, matmul, mean, plus, recompute, reshape, softmax, split, sym, takeRows,
  times,
} from '@heed/tensor';
import type { Attend, HeadShape } from './architecture.js';
import { headsAt, invert, slotsOfHeads } from './head-slots.js';
import { type Layout, windowMasks } from './layout.js';

const [G, P, S, R, Mp, Mr, K] = ['G', 'P', 'S', 'R', 'Mp', 'Mr', 'K'].map(sym) as [Dim, Dim, Dim, Dim, Dim, Dim, Dim];

/** Symbols of a layout's sizes: prompts, prompt slots, sequences, response slots, prompt rows, response rows, shares. */
export const LAYOUT_SIZES = { G, P, S, R, Mp, Mr, K };

/**
 * Attention over a layout, for training and scoring. A slot is one (sequence, head group, position); rows go to slots and back
 * by index tables, which at once pack, pad, transpose to heads and repeat shared prompts. Its gradient is again index tables.
 */
export function treeAttention(
  { heads, keyHeads, headSize, scale, local }: HeadShape,
  options: {
    readonly recompute: boolean;
    /** Told of each layer's response queries [Mr·heads, d], and of the keys that they may see, [S, keyHeads, P + R, d]. */
    readonly onLayer?: (layer: number, queries: Tensor, keys: Tensor) => void;
  },
): Attend {
  const group = heads / keyHeads;
  const int = (name: string, shape: Dim[]): Tensor => input(name, shape, 'int32');
  const [qp, kp, kk, qr, kr] = [
    int('promptQuery', [G, keyHeads, times(P, group)]), int('promptKey', [G, keyHeads, P]), int('sharedKey', [S, keyHeads, P]),
    int('responseQuery', [S, keyHeads, times(R, group)]), int('responseKey', [S, keyHeads, R]),
  ];
  const back = {
    qp: int('promptQueryAt', [times(Mp, heads)]),
    kp: int('promptKeyAt', [times(Mp, keyHeads)]),
    kk: int('sharedKeyAt', [times(Mp, keyHeads), K]),
    qr: int('responseQueryAt', [times(Mr, heads)]),
    kr: int('responseKeyAt', [times(Mr, keyHeads)]),
    // Where a slot's result went: padding slots went nowhere, so their derivative is zero.
    op: int('promptOutOf', [times(G, heads, P)]),
    or: int('responseOutOf', [times(S, heads, R)]),
  };
  const masks = (prompt: string, response: string) => ({
    prompt: input(prompt, [G, 1, 1, P, P]),
    response: input(response, [S, 1, 1, R, plus(P, R)]),
  });
  const everything = masks('promptMask', 'responseMask');
  const window = local && masks('localPromptMask', 'localResponseMask');
  const drop = options.recompute ? recompute : (x: Tensor): Tensor => x;

  /** One group of slots: queries [n, keyHeads, group·t, d] over keys and values [n, keyHeads, s, d]. */
  const attendSlots = (q: Tensor, k: Tensor, v: Tensor, mask: Tensor, t: Dim, s: Dim): Tensor => {
    const n = q.shape[0]!;
    const scores = drop(matmul(q, k, { transB: true, alpha: scale }));
    const masked = drop(add(drop(reshape(scores, [n, keyHeads, group, t, s])), mask));
    const probabilities = drop(softmax(masked));
    return matmul(drop(reshape(probabilities, [n, keyHeads, times(t, group), s])), v);
  };
  const rowsOf = (slots: Tensor, index: Tensor, came: Tensor): Tensor =>
    takeRows(reshape(slots, [times(slots.shape[0]!, keyHeads, slots.shape[2]!), headSize]), index, { index: came, went: 'atMostOnce' });

  return (layer, q, k, v) => {
    const mask = local?.layers[layer] === true ? window! : everything;
    const [qP, qR] = split(headRows(q, heads), 0, [times(Mp, heads), times(Mr, heads)]) as [Tensor, Tensor];
    const halves = (x: Tensor) => split(headRows(x, keyHeads), 0, [times(Mp, keyHeads), times(Mr, keyHeads)]) as [Tensor, Tensor];
    const [kP, kR] = halves(k);
    const [vP, vR] = halves(v);
    const own = (x: Tensor) => takeRows(x, kp, { index: back.kp, went: 'once' });
    const joined = (xP: Tensor, xR: Tensor) =>
      concat([takeRows(xP, kk, { index: back.kk, went: 'often' }), takeRows(xR, kr, { index: back.kr, went: 'once' })], 2);
    const prompt = attendSlots(takeRows(qP, qp, { index: back.qp, went: 'once' }), own(kP), own(vP), mask.prompt, P, P);
    const keys = joined(kP, kR);
    options.onLayer?.(layer, qR, keys);
    const response = attendSlots(
      takeRows(qR, qr, { index: back.qr, went: 'once' }),
      keys,
      joined(vP, vR),
      mask.response,
      R,
      plus(P, R),
    );
    const out = concat([rowsOf(prompt, back.qp, back.op), rowsOf(response, back.qr, back.or)], 0);
    return reshape(out, [plus(Mp, Mr), heads * headSize]);
  };
}

/**
 * Attention of each sequence's last token over its prompt's slots and its own, the mean over the heads, [S, P + R]: each row sums to 1.
 * Without gradient.
 *
 * @param queries Of the last tokens, [S, heads·d].
 * @param keys What they may see, [S, keyHeads, P + R, d].
 */
export function lastAttention({ heads, keyHeads, headSize, scale }: HeadShape, queries: Tensor, keys: Tensor): Tensor {
  const q = reshape(queries, [S, keyHeads, heads / keyHeads, headSize]);
  const seen = add(matmul(q, keys, { transB: true, alpha: scale }), input('lastMask', [S, 1, 1, plus(P, R)]));
  return mean(reshape(softmax(seen), [S, heads, plus(P, R)]), [1]);
}

/** What the last token of each sequence sees in the last layer: its row of the mask, [S, P + R]. */
function lastMask({ sequences: s, promptSlots: p, responseSlots: r, labelOf }: Layout, responseMask: Float32Array): Float32Array {
  const rows = new Float32Array(s * (p + r));
  labelOf.forEach(({ length }, i) => {
    const from = (i * r + length - 1) * (p + r);
    rows.set(responseMask.subarray(from, from + p + r), i * (p + r));
  });
  return rows;
}

/** The tables of a layout, as `treeAttention` and `lastAttention` name them. */
export function attentionFeeds(l: Layout, { heads, keyHeads, local }: HeadShape): Record<string, Feed> {
  const group = heads / keyHeads;
  const { prompts: g, sequences: s, promptSlots: p, responseSlots: r, promptRows: mp, responseRows: mr, shares } = l;
  const int = (data: Int32Array, ...shape: number[]): Feed => ({ data, shape });
  const masks = (
    names: readonly [string, string],
    { promptMask, responseMask }: Pick<Layout, 'promptMask' | 'responseMask'>,
  ): Record<string, Feed> => ({
    [names[0]]: { data: promptMask, shape: [g, 1, 1, p, p] },
    [names[1]]: { data: responseMask, shape: [s, 1, 1, r, p + r] },
  });
  const windowed = local && windowMasks(l, local.window);
  const inLast = local?.layers.at(-1) === true ? windowed! : l;
  const promptQueryAt = headsAt(l.promptAt, 1, p, g * p, heads);
  const responseQueryAt = headsAt(l.responseAt, 1, r, s * r, heads);
  return {
    promptQuery: int(slotsOfHeads(l.promptOf, g, p, keyHeads, group), g, keyHeads, group * p),
    promptKey: int(slotsOfHeads(l.promptOf, g, p, keyHeads, 1), g, keyHeads, p),
    sharedKey: int(slotsOfHeads(l.keysOf, s, p, keyHeads, 1), s, keyHeads, p),
    responseQuery: int(slotsOfHeads(l.responseOf, s, r, keyHeads, group), s, keyHeads, group * r),
    responseKey: int(slotsOfHeads(l.responseOf, s, r, keyHeads, 1), s, keyHeads, r),
    promptQueryAt: int(promptQueryAt, mp * heads),
    promptKeyAt: int(headsAt(l.promptAt, 1, p, g * p, keyHeads), mp * keyHeads),
    sharedKeyAt: int(headsAt(l.keysAt, shares, p, s * p, keyHeads), mp * keyHeads, shares),
    responseQueryAt: int(responseQueryAt, mr * heads),
    responseKeyAt: int(headsAt(l.responseAt, 1, r, s * r, keyHeads), mr * keyHeads),
    promptOutOf: int(invert(promptQueryAt, g * heads * p), g * heads * p),
    responseOutOf: int(invert(responseQueryAt, s * heads * r), s * heads * r),
    ...masks(['promptMask', 'responseMask'], l),
    ...(windowed && masks(['localPromptMask', 'localResponseMask'], windowed)),
    lastMask: { data: lastMask(l, inLast.responseMask), shape: [s, 1, 1, p + r] },
  };
}
