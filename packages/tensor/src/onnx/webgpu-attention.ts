import { type Dim, times } from '../dims.js';
import type { OnnxNode } from './model.js';
import type { Draft } from './webgpu-draft.js';

/** A score that no probability is left of. */
const NEVER = -1e30;

/**
 * `GroupQueryAttention` as Heed uses it, in elementary operations: S new positions of B sequences, whose keys and values are put into
 * caches [B, keyHeads, L, d], and attention over those. From an empty cache (as many positions in all as new ones) new positions begin
 * at 0, and rows behind a sequence's end are padding; else they end at `lengths` [B], each sequence's last position.
 *
 * Putting is a product with a matrix of ones and zeros [L, S], which is exact.
 */
export function attentionOverCache(draft: Draft, { inputs, outputs, attributes }: OnnxNode): void {
  const { emit, number, size, shapeOf } = draft;
  const [q, k, v, pastKey, pastValue] = inputs as [string, string, string, string, string];
  const [y, presentKey, presentValue] = outputs as [string, string, string];
  const [B, S, width] = shapeOf(q) as [Dim, Dim, number];
  const [, keyHeads, L, d] = shapeOf(pastKey) as [Dim, number, Dim, number];
  const group = width / d / keyHeads;
  const { placed, written, visible } = places(draft, inputs, { B, S, L, window: (attributes['local_window_size'] as { int: number }).int });

  const put = (x: string, past: string, name: string): void => {
    const rows = emit('Transpose', [emit('Reshape', [x, size([B, S, keyHeads, d])])], { perm: { ints: [0, 2, 1, 3] } });
    emit('Where', [written, emit('MatMul', [placed, rows]), past], {}, name);
  };
  put(k, pastKey, presentKey);
  put(v, pastValue, presentValue);

  const split = emit('Transpose', [emit('Reshape', [q, size([B, S, keyHeads, group, d])])], { perm: { ints: [0, 2, 3, 1, 4] } });
  const queries = emit('Reshape', [split, size([B, keyHeads, times(group, S), d])]);
  const products = emit('MatMul', [queries, emit('Transpose', [presentKey], { perm: { ints: [0, 1, 3, 2] } })]);
  const { float: scale } = attributes['scale'] as { float: number };
  const scores = emit('Reshape', [emit('Mul', [products, number(scale)]), size([B, keyHeads, group, S, L])]);
  const p = emit('Softmax', [emit('Where', [visible, scores, number(NEVER)])], { axis: { int: -1 } });
  const mixed = emit('MatMul', [emit('Reshape', [p, size([B, keyHeads, times(group, S), L])]), presentValue]);
  const joined = emit('Transpose', [emit('Reshape', [mixed, size([B, keyHeads, group, S, d])])], { perm: { ints: [0, 3, 1, 2, 4] } });
  emit('Reshape', [joined, size([B, S, width])], {}, y);
}

/** What all layers have in common. */
interface Places {
  /** float32 [B, 1, L, S]: 1 where a new position is put. */
  readonly placed: string;
  /** bool [B, 1, L, 1]: whether one is put there. */
  readonly written: string;
  /** bool [B, 1, 1, S, L]: what a new position sees. */
  readonly visible: string;
}

function places(
  { emit, number, vector, size, once }: Draft, inputs: readonly string[],
  { B, S, L, window }: { readonly B: Dim; readonly S: Dim; readonly L: Dim; readonly window: number },
): Places {
  const [lengths, longest] = [inputs[5]!, inputs[6]!];
  const float = (x: string): string => emit('Cast', [x], { to: { int: 1 } });
  const ones = (n: Dim): string => emit('Expand', [number(1), size([n])]);
  /** 0, 1, … */
  const counted = (n: Dim): string => emit('CumSum', [ones(n), vector(0)], { exclusive: { int: 1 } });
  const key = `${lengths} ${longest} ${S} ${L}`;
  const columns = once(`columns ${key}`, () => counted(L));
  /** The place of each new position: [B, S]. */
  const at = once(`at ${key}`, () => {
    const count = emit('ReduceSum', [ones(S), vector(0)], { keepdims: { int: 1 } });
    const before = emit('Sub', [emit('Add', [float(lengths), number(1)]), count]);
    const goesOn = float(emit('Greater', [float(longest), count]));
    const start = emit('Reshape', [emit('Mul', [before, goesOn]), size([B, 1])]);
    return emit('Add', [start, counted(S)]);
  });
  const placed = once(`placed ${key}`, () =>
    float(emit('Equal', [emit('Reshape', [columns, size([L, 1])]), emit('Reshape', [at, size([B, 1, 1, S])])])));
  const written = once(`written ${key}`, () =>
    emit('Greater', [emit('ReduceSum', [placed, vector(3)], { keepdims: { int: 1 } }), number(0)]));
  const visible = once(`visible ${key} ${window}`, () => {
    const mine = emit('Reshape', [at, size([B, 1, 1, S, 1])]);
    const past = emit('GreaterOrEqual', [mine, columns]);
    if (window < 0) return past;
    const near = emit('Greater', [columns, emit('Sub', [mine, number(window)])]);
    return emit('Greater', [emit('Mul', [float(past), float(near)]), number(0)]);
  });
  return { placed, written, visible };
}
