import {
  type Dim, type Feed, type Program, type Tensor, checkpoint, concat, exp, headLogits, input, logSoftmax, mul, neg, onlyKept, plus, reshape,
  split, sum, sym, takeRows, times, tokenLogProbs, trainableLinear,
} from '@heed/tensor';
import { LAYOUT_SIZES, attentionFeeds, lastAttention, treeAttention } from './attention.js';
import type { Layout } from './layout.js';
import { type Architecture, type Checkpointing, type Weights, decoder, finalNorm, head, ropeInputs } from './decoder.js';
import { type RopeFeed, tableRows } from './rope.js';

export { type RopeFeed, ropeFeed } from './rope.js';

const { Mp, Mr, K, S } = LAYOUT_SIZES;
const [first, rest, q] = [sym('first'), sym('rest'), sym('q')];
/** Supervised tokens: those that a prompt's last row predicts, then those that response rows predict. */
export const SUPERVISED: Dim = plus(first, rest);
/** The vocabulary is worked through in pieces of the supervised rows, which bounds the logits in memory. */
const PIECES = 4;
const KEPT = 'kept';

/** What can be read off a forward pass over a layout, traced once; what is not read is not part of a program. */
export interface Read {
  /** Log-probabilities [N] of the supervised tokens. */
  logProbs(): Tensor;
  /** Entropy [N] of each supervised token's distribution, −Σ p log p over the vocabulary, in nats, with gradient. Beside `logProbs`. */
  entropies(): Tensor;
  /** Hidden states [N, width] from which the supervised tokens are predicted, after the final norm. */
  hidden(): Tensor;
  /** Logits [N, vocabulary] that predict the supervised tokens: for few of them, since all are in memory at once. */
  logits(): Tensor;
  /**
   * A linear head W [size, width] on the last token of each sequence: [S], or [S, size] where the size is not 1. Fed with
   * `lastFrom`, `lastAt`.
   */
  scores(head: Tensor): Tensor;
  /**
   * How the last token of each sequence attends in the last layer, the mean over the heads: [S, P + R], prompt slots and then response
   * slots, each row summing to 1. Without gradient; fed with `lastFrom`, `lastAt`. What `attentionOver` reads.
   */
  attention(): Tensor;
  /** A linear head W [1, width] where each supervised token is predicted, [N]: the value of the text before that token. */
  values(head: Tensor): Tensor;
}

/** The distribution that log-probabilities and entropies are taken of. */
export interface Sampled {
  /** Logits are divided by it, as sampling at that temperature does. Default: 1. */
  readonly temperature?: number;
  /** Over the tokens that `Layout.kept` names, as sampling through a filter does. Default: over all. */
  readonly filtered?: boolean;
}

/** Traces a forward pass over a layout. What it reads is fed by `scoringFeeds`. */
export function traceReads(
  architecture: Architecture, weights: Weights, keep: Checkpointing, { temperature = 1, filtered = false }: Sampled = {},
): Read {
  const rows = {
    ids: concat([input('promptIds', [Mp], 'int32'), input('responseIds', [Mr], 'int32')], 0),
    positions: input('positions', [1, plus(Mp, Mr)], 'int64'),
    ...ropeInputs(architecture),
  };
  let last: { readonly queries: Tensor; readonly keys: Tensor } | undefined;
  const attend = treeAttention(architecture, {
    recompute: keep === 'selective',
    onLayer(layer, queries, keys) {
      if (layer === architecture.layers - 1) last = { queries, keys };
    },
  });
  const hidden = decoder(architecture, weights, rows, attend, keep);
  const [prompts, responses] = split(hidden, 0, [Mp, Mr]) as [Tensor, Tensor];
  const int = (name: string, shape: Dim[]): Tensor => input(name, shape, 'int32');
  let lastTables: { readonly from: Tensor; readonly at: Tensor } | undefined;
  const ofLast = (rows: Tensor): Tensor => {
    const { from, at } = (lastTables ??= { from: int('lastFrom', [S]), at: int('lastAt', [Mr]) });
    return takeRows(rows, from, { index: at, went: 'atMostOnce' });
  };
  let rowsRead: Tensor | undefined;
  const predicting = (): Tensor =>
    (rowsRead ??= concat(
      [
        takeRows(prompts, int('firstFrom', [first]), { index: int('firstAt', [Mp, K]), went: 'often' }),
        takeRows(responses, int('restFrom', [rest]), { index: int('restAt', [Mr]), went: 'atMostOnce' }),
      ],
      0,
    ));
  // The head is linear without bias, so logits / T are the logits of hidden / T.
  const normed = (): Tensor => {
    const hidden = finalNorm(architecture, weights, predicting());
    return temperature === 1 ? hidden : mul(hidden, 1 / temperature);
  };
  const logitsOf = (rows: Tensor): Tensor => headLogits(rows, head(architecture, weights));
  const sizes = Array.from({ length: PIECES }, (_, i) => (i < PIECES - 1 ? q : plus(SUPERVISED, times(1 - PIECES, q))));
  let masks: readonly Tensor[] | undefined;
  const kept = (): readonly Tensor[] | undefined => {
    if (filtered) masks ??= sizes.map((size, i) => input(`${KEPT}${i}`, [size, architecture.vocabulary], 'bool'));
    return masks;
  };
  return {
    hidden: () => finalNorm(architecture, weights, predicting()),
    logits: () => logitsOf(finalNorm(architecture, weights, predicting())),
    logProbs() {
      const read = normed();
      const labels = sizes.map((size, i) => int(`labels${i}`, [size]));
      return tokenLogProbs(read, head(architecture, weights), labels, { kept: kept() });
    },
    entropies() {
      const read = normed();
      const ofPiece = (hidden: Tensor, among?: Tensor): Tensor => {
        const logits = logitsOf(hidden);
        const logp = logSoftmax(among === undefined ? logits : onlyKept(logits, among));
        return neg(sum(mul(exp(logp), logp), [-1]));
      };
      const among = kept();
      // The logits are computed again on the way back: kept, they would be the largest tensor of a pass.
      return concat(split(read, 0, sizes).map((piece, i) => checkpoint(() => ofPiece(piece, among?.[i]))), 0);
    },
    values: (weight) => reshape(trainableLinear(finalNorm(architecture, weights, predicting()), weight), [SUPERVISED]),
    scores(weight) {
      const scores = trainableLinear(finalNorm(architecture, weights, ofLast(responses)), weight);
      return weight.shape[0] === 1 ? reshape(scores, [S]) : scores;
    },
    attention() {
      if (keep !== 'none') throw new Error('Attention is read in passes without gradient.');
      const { heads, headSize } = architecture;
      return lastAttention(architecture, ofLast(reshape(last!.queries, [Mr, heads * headSize])), last!.keys);
    },
  };
}

/** Log-probabilities [N] of the supervised tokens of a layout, traced. */
export const traceLogProbs = (architecture: Architecture, weights: Weights, keep: Checkpointing): Tensor =>
  traceReads(architecture, weights, keep).logProbs();

/** Everything `traceReads` reads of a layout. `program`: who reads it, needed where that may be `filtered`. */
export function scoringFeeds(layout: Layout, architecture: Architecture, rope: RopeFeed, program?: Program): Record<string, Feed> {
  const { promptRows: mp, responseRows: mr, shares, labels, kept } = layout;
  const int = (data: Int32Array, ...shape: number[]): Feed => ({ data, shape });
  const size = Math.floor(labels.length / PIECES);
  const filtered = program?.inputs.some(({ name }) => name === `${KEPT}0`) === true;
  const pieces = Array.from({ length: PIECES }, (_, i): [string, Feed][] => {
    const [from, to] = [i * size, i < PIECES - 1 ? (i + 1) * size : labels.length];
    const labelled: [string, Feed] = [`labels${i}`, int(labels.slice(from, to), to - from)];
    // A byte for each token of the vocabulary at each place: large, and made only where it is read.
    return filtered ? [labelled, [`${KEPT}${i}`, keptFeed(kept.slice(from, to), architecture.vocabulary)]] : [labelled];
  }).flat();
  return {
    ...attentionFeeds(layout, architecture),
    ...rope(Math.max(mp + mr, layout.longest)),
    promptIds: int(layout.ids.subarray(0, mp), mp),
    responseIds: int(layout.ids.subarray(mp), mr),
    positions: { data: tableRows(layout, architecture), shape: [1, mp + mr] },
    firstFrom: int(layout.firstFrom, layout.firstFrom.length),
    firstAt: int(layout.firstAt, mp, shares),
    restFrom: int(layout.restFrom, layout.restFrom.length),
    restAt: int(layout.restAt, mr),
    ...Object.fromEntries(pieces),
  };
}

/** A table [places, vocabulary] of the tokens that each place keeps, as bytes. */
function keptFeed(kept: Layout['kept'], vocabulary: number): Feed {
  const data = new Uint8Array(kept.length * vocabulary);
  kept.forEach((among, i) => {
    const at = i * vocabulary;
    if (among === undefined) data.fill(1, at, at + vocabulary);
    else for (const id of among) data[at + id] = 1;
  });
  return { data, shape: [kept.length, vocabulary] };
}

/** Of each sequence of a layout how much of its last token's attention lies on each of its response tokens, from `Read.attention`. */
export const attentionOver = (
  { promptSlots: p, responseSlots: r, labelOf }: Layout, attention: ArrayLike<number | bigint>,
): Float32Array[] =>
  labelOf.map(({ length }, s) => Float32Array.from({ length }, (_, t) => Number(attention[s * (p + r) + p + t])));

/** The feeds that a program reads: without gradients the tables for the way back are not part of it. */
export function feedsOf(program: Program, feeds: Readonly<Record<string, Feed>>): Record<string, Feed> {
  return Object.fromEntries(program.inputs.flatMap(({ name }) => (feeds[name] === undefined ? [] : [[name, feeds[name]]])));
}
