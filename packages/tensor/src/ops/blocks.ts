import { type Dim, showShape } from '../dims.js';
import { type Tensor, op1, requireShape } from '../tensor.js';
import { reshape } from './shape.js';

/**
 * y = x·Wᵀ for x float32 [n, in] and a frozen 8-bit W [out, in], by blocks of `block` neighbours along `in`:
 * W = (codes − 128)·scale, codes uint8 [out, in/block, block], scales float32 [out, in/block] (`MatMulNBits`). The kernel rounds x to
 * 8 bits by the same blocks and adds in integers. It is for programs compiled with `prepack`: without, it widens the whole
 * matrix at every run. No gradient flows through it. Where the rows are many, `widenBlocks` and a float32 product cost less on
 * processors without 8-bit dot products.
 */
export function blockLinear(x: Tensor, codes: Tensor, scales: Tensor): Tensor {
  const [n, width] = x.shape as [Dim, number];
  const [outputs, blocks, block] = codes.shape as [number, number, number];
  if (codes.dtype !== 'uint8' || blocks * block !== width)
    throw new Error(`Cannot multiply ${showShape(x.shape)} by 8-bit blocks ${codes.dtype} ${showShape(codes.shape)}.`);
  requireShape('The scales of 8-bit blocks', scales, [outputs, blocks]);
  return op1('MatMulNBits', [x, codes, scales], { dtype: 'float32', shape: [n, outputs] }, {
    domain: 'com.microsoft',
    attributes: { K: { int: width }, N: { int: outputs }, bits: { int: 8 }, block_size: { int: block }, accuracy_level: { int: 4 } },
  });
}

/**
 * The float32 W [out, in] of such blocks: codes uint8 [out·in/block, block], scales float32 and `zeros` uint8, all of them 128,
 * [out·in/block] (`DequantizeLinear` by rows). A third of a millisecond for 10⁶ numbers, once for all rows of a product.
 */
export function widenBlocks(codes: Tensor, scales: Tensor, zeros: Tensor, shape: readonly [number, number]): Tensor {
  const [blocks, block] = codes.shape as [number, number];
  if (codes.dtype !== 'uint8' || blocks * block !== shape[0] * shape[1])
    throw new Error(`Cannot make ${showShape(shape)} of 8-bit blocks ${codes.dtype} ${showShape(codes.shape)}.`);
  requireShape('The scales of 8-bit blocks', scales, [blocks]);
  requireShape('The zeros of 8-bit blocks', zeros, [blocks]);
  return reshape(
    op1('DequantizeLinear', [codes, scales, zeros], { dtype: 'float32', shape: codes.shape }, { attributes: { axis: { int: 0 } } }),
    shape,
  );
}
