import { type Dim, type Tensor, input, op, reshape, sym, takeRows, times } from '@heed/tensor';
import type { Attend, HeadShape } from './architecture.js';
import { type Architecture, type Rows, type Weights, decoder, logitsOf, ropeInputs } from './decoder.js';

const [B, L] = [sym('B'), sym('L')] as [Dim, Dim];

/** Attention that keeps its keys and values, and the caches as it leaves them. */
export interface CachedAttention {
  readonly attend: Attend;
  /** `presentKey<i>` and `presentValue<i>` of each layer: bind them to the memory that `pastKey<i>` and `pastValue<i>` are fed. */
  readonly caches: Readonly<Record<string, Tensor>>;
}

/**
 * Attention over B sequences of S new positions each, whose keys and values are appended in place to caches [B, keyHeads, L, d].
 * Row b·S + s is position s of sequence b. `lengths` int32 [B] is each sequence's last position after the step, `longest` int32
 * [1] the largest number of positions after it. From an empty cache, rows after a sequence's last position are padding: what
 * they write is never read, and what they compute means nothing.
 */
export function cachedAttention({ heads, keyHeads, headSize, scale, local }: HeadShape, steps: Dim): CachedAttention {
  const caches: Record<string, Tensor> = {};
  const lengths = input('lengths', [B], 'int32');
  const longest = input('longest', [1], 'int32');
  const attend: Attend = (layer, q, k, v) => {
    const shape = [B, keyHeads, L, headSize];
    const rows = (x: Tensor, n: number): Tensor => reshape(x, [B, steps, n * headSize]);
    const [out, key, value] = op(
      'GroupQueryAttention',
      [
        rows(q, heads),
        rows(k, keyHeads),
        rows(v, keyHeads),
        input(`pastKey${layer}`, shape),
        input(`pastValue${layer}`, shape),
        lengths,
        longest,
      ],
      [
        { dtype: 'float32', shape: [B, steps, heads * headSize] },
        { dtype: 'float32', shape },
        { dtype: 'float32', shape },
      ],
      {
        domain: 'com.microsoft',
        attributes: {
          num_heads: { int: heads },
          kv_num_heads: { int: keyHeads },
          scale: { float: scale },
          local_window_size: { int: local?.layers[layer] === true ? local.window : -1 },
        },
      },
    ) as [Tensor, Tensor, Tensor];
    caches[`presentKey${layer}`] = key;
    caches[`presentValue${layer}`] = value;
    return reshape(out, [times(B, steps), heads * headSize]);
  };
  return { attend, caches };
}

const rowsOf = (ids: Tensor, architecture: Architecture): Rows => {
  const count = times(...ids.shape);
  return { ids: reshape(ids, [count]), positions: input('positions', [1, count], 'int64'), ...ropeInputs(architecture) };
};

/** Logits and the caches as a run leaves them. */
export interface Decoding {
  readonly logits: Tensor;
  readonly caches: Readonly<Record<string, Tensor>>;
}

/**
 * Appends S tokens to each of B sequences → logits [R, V] of what follows rows `read` int32 [R], of the flat rows b·S + s. One program
 * fills caches (S the longest prompt, padded on the right; nothing need be read) and steps (S = 1), so that its weights are there once.
 */
export function traceDecode(architecture: Architecture, weights: Weights): Decoding {
  const { attend, caches } = cachedAttention(architecture, sym('S'));
  const hidden = decoder(architecture, weights, rowsOf(input('ids', [B, sym('S')], 'int32'), architecture), attend, 'none');
  return { logits: logitsOf(architecture, weights, takeRows(hidden, input('read', [sym('R')], 'int32'))), caches };
}

/** The caches alone, where no program steps. */
export function tracePrefill(architecture: Architecture, weights: Weights): Decoding['caches'] {
  return traceDecode(architecture, weights).caches;
}
