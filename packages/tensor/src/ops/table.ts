import { type Tensor, constant, op1 } from '../tensor.js';
import { cast } from './elementwise.js';

/** A frozen matrix [V, H] that is read in parts. Each part is widened to float32 where it is used, and so is short-lived. */
export interface Table {
  readonly shape: readonly [number, number];
  /** Rows `from` to `to` (not included), float32 [to − from, H]. Traced anew at each call: two uses of a part share no copy. */
  part(from: number, to: number): Tensor;
  /** Rows by number: int32 [n] → float32 [n, H]. */
  rows(index: Tensor): Tensor;
}

/** A table of one value: float32, float16 or bfloat16 [V, H]. */
export function tableOf(matrix: Tensor): Table {
  const [height, width] = matrix.shape as [number, number];
  const whole = (from: number, to: number): boolean => from === 0 && to === height;
  const vector = (...values: number[]): Tensor => constant(values, [values.length], 'int64');
  return {
    shape: [height, width],
    part(from, to) {
      if (whole(from, to)) return cast(matrix, 'float32');
      const type = { dtype: matrix.dtype, shape: [to - from, width] };
      return cast(op1('Slice', [matrix, vector(from), vector(to), vector(0)], type), 'float32');
    },
    rows(index) {
      const shape = [...index.shape, width];
      return cast(op1('Gather', [matrix, index], { dtype: matrix.dtype, shape }, { attributes: { axis: { int: 0 } } }), 'float32');
    },
  };
}
