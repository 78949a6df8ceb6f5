/** Matrices in codes, traced: widened to float32 where they are used. */
import {
  type BlockFactors, type Blocks, type Table, type Tensor, add, cast, mapped, mul, op1, reshape, sub, times, widenBlocks,
} from '@heed/tensor';
import { type Factors, type PackedTensor, type Place, zeroOf } from './checkpoint/stored-tensor.js';

/** A part of a place: so many bytes for each of the values `from` … `from + count`. */
const part = ({ file, offset }: Place, from: number, count: number, bytes: number) =>
  ({ file, offset: offset + from * bytes, length: count * bytes });

/** Rows `from` … `to` of a matrix in codes, float32. */
export function widenedRows(tensor: PackedTensor, from = 0, to = tensor.shape[0]): Tensor {
  const { dtype, block, shape: [, width], codes, scales, minima, zeros } = tensor;
  const [start, count] = [from * width, (to - from) * width];
  const n = count / block;
  const factors = (of: Factors): BlockFactors => {
    if (!('codes' in of)) return mapped('float16', [n], part(of.halves, start, count, 2 / block));
    const { codes: own, halves, together } = of;
    return {
      codes: mapped('int8', [n / together, together], part(own, start, count, 1 / block)),
      factors: mapped('float16', [n / together], part(halves, start, count, 2 / (block * together))),
    };
  };
  const bytes = dtype === 'uint4' ? 1 / 2 : 1;
  const blocks: Blocks = {
    codes: mapped(dtype, [n, block], part(codes, start, count, bytes)),
    scales: factors(scales),
    ...(minima && { minima: factors(minima) }),
    ...(zeros && { zeros: mapped(dtype, [n], part(zeros, 0, n, bytes)) }),
  };
  return widenBlocks(blocks, [to - from, width]);
}

/** A matrix in codes of a byte, read in parts. */
export function packedTable(tensor: PackedTensor): Table {
  const { shape, dtype, block, codes, scales, minima } = tensor;
  if (dtype !== 'uint8') throw new Error(`${tensor.name} has codes of 4 bits, of which no row can be picked.`);
  const [height, width] = shape;
  return {
    shape,
    part: (from, to) => widenedRows(tensor, from, to),
    rows(index) {
      const picked = (place: Place, type: 'uint8' | 'int8' | 'float16', columns: number): Tensor => {
        const whole = mapped(type, [height, columns], place), rows = [...index.shape, columns];
        return cast(op1('Gather', [whole, index], { dtype: type, shape: rows }, { attributes: { axis: { int: 0 } } }), 'float32');
      };
      const blocks = width / block;
      const factors = (of: Factors): Tensor => {
        if (!('codes' in of)) return picked(of.halves, 'float16', blocks);
        const [groups, n] = [blocks / of.together, times(...index.shape)];
        const each = mul(
          reshape(picked(of.codes, 'int8', blocks), [times(n, groups), of.together]),
          reshape(picked(of.halves, 'float16', groups), [times(n, groups), 1]),
        );
        return reshape(each, [...index.shape, blocks]);
      };
      const columns = [...index.shape, blocks, block], column = [...index.shape, blocks, 1];
      const own = sub(reshape(picked(codes, 'uint8', width), columns), zeroOf(tensor));
      const scaled = mul(own, reshape(factors(scales), column));
      return reshape(minima === undefined ? scaled : add(scaled, reshape(factors(minima), column)), [...index.shape, width]);
    },
  };
}
