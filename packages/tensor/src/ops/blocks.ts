import { type Dim, showShape } from '../dims.js';
import { type Tensor, checkpoint, op1, recompute, requireShape } from '../tensor.js';
import { add, cast } from './elementwise.js';
import { matmul } from './matmul.js';
import { sum } from './reduce.js';
import { reshape } from './shape.js';

/** A number for each of n blocks: float16 or float32 [n]; or int8 codes [n/g, g], each times the float of its g blocks [n/g]. */
export type BlockFactors = Tensor | { readonly codes: Tensor; readonly factors: Tensor };

/** A frozen matrix in codes of 4 or 8 bits, by blocks of neighbours along its rows: number = (code − zero)·scale + minimum. */
export interface Blocks {
  /** uint4 or uint8 [n, block]. */
  readonly codes: Tensor;
  /** Zero points, of the codes' type [n]. Default: 0. */
  readonly zeros?: Tensor;
  readonly scales: BlockFactors;
  /** Default: 0. */
  readonly minima?: BlockFactors;
}

/**
 * The float32 matrix [rows, width] of blocks: (code − zero)·scale is rounded once, the sum with the minimum once more. A gradient that
 * reads it widens it anew, so that it is in memory only while it is used.
 */
export function widenBlocks({ codes, zeros, scales, minima }: Blocks, shape: readonly [number, number]): Tensor {
  const [n, block] = codes.shape as [number, number];
  if (!['uint4', 'uint8'].includes(codes.dtype) || n * block !== shape[0] * shape[1])
    throw new Error(`Cannot make ${showShape(shape)} of blocks ${codes.dtype} ${showShape(codes.shape)}.`);
  if (zeros !== undefined) requireShape('The zeros of blocks', zeros, [n]);
  return recompute(checkpoint(() => {
    const scaled = dequantized(codes, factorsOf(scales, n, 'scales'), zeros);
    return reshape(minima === undefined ? scaled : add(scaled, reshape(factorsOf(minima, n, 'minima'), [n, 1])), shape);
  }));
}

/** (code − zero)·scale by rows: codes [n, block], scales float32 [n]. */
function dequantized(codes: Tensor, scales: Tensor, zeros?: Tensor): Tensor {
  const inputs = zeros === undefined ? [codes, scales] : [codes, scales, zeros];
  return op1('DequantizeLinear', inputs, { dtype: 'float32', shape: codes.shape }, { attributes: { axis: { int: 0 } } });
}

function factorsOf(factors: BlockFactors, n: number, what: string): Tensor {
  const flat = 'codes' in factors
    ? reshape(dequantized(factors.codes, cast(factors.factors, 'float32')), [n])
    : cast(factors, 'float32');
  requireShape(`The ${what} of blocks`, flat, [n]);
  return flat;
}

/** A frozen matrix [out, in] as `MatMulNBits` reads it: (code − middle)·scale + offset, where the middle of the codes is 8 or 128. */
export interface BlockWeight {
  /** uint8 [out, in/block, block]; of 4 bits [out, in/block, block/2], two codes in a byte, the first in its low half. */
  readonly codes: Tensor;
  /** float32 [out, in/block], a constant: the kernel packs it. */
  readonly scales: Tensor;
  /** float32 [out, in/block]. Default: 0. */
  readonly offsets?: Tensor;
}

/**
 * y = x·Wᵀ for x float32 [n, in] and a frozen W in codes of 4 or 8 bits (`MatMulNBits`). The kernel rounds x to 8 bits by the same
 * blocks and adds in integers; offsets are multiplied with the sums of x over blocks, in float32. It is for programs compiled with
 * `prepack`: without, it widens the whole matrix at every run. No gradient flows through it. Where the rows are many, `widenBlocks` and a
 * float32 product cost less on processors without 8-bit dot products.
 */
export function blockLinear(x: Tensor, { codes, scales, offsets }: BlockWeight): Tensor {
  const [n, width] = x.shape as [Dim, number];
  const [outputs, blocks, bytes] = codes.shape as [number, number, number];
  const block = width / blocks, bits = (8 * bytes) / block;
  if (codes.dtype !== 'uint8' || (bits !== 4 && bits !== 8))
    throw new Error(`Cannot multiply ${showShape(x.shape)} by blocks ${codes.dtype} ${showShape(codes.shape)}.`);
  requireShape('The scales of blocks', scales, [outputs, blocks]);
  const y = op1('MatMulNBits', [x, codes, scales], { dtype: 'float32', shape: [n, outputs] }, {
    domain: 'com.microsoft',
    attributes: { K: { int: width }, N: { int: outputs }, bits: { int: bits }, block_size: { int: block }, accuracy_level: { int: 4 } },
  });
  if (offsets === undefined) return y;
  requireShape('The offsets of blocks', offsets, [outputs, blocks]);
  return add(y, matmul(sum(reshape(x, [n, blocks, block]), [2]), offsets, { transB: true }));
}
