import { type Dim, showShape } from '../dims.js';
import { type Tensor, op1, requireShape } from '../tensor.js';

/**
 * y = x·Wᵀ for x float32 [n, in] and a frozen 8-bit W [out, in], by blocks of `block` neighbours along `in`:
 * W = (codes − 128)·scale, codes uint8 [out, in/block, block], scales float32 [out, in/block] (`MatMulNBits`). The kernel rounds x to
 * 8 bits by the same blocks and adds in integers. It is for programs compiled with `prepack`: without, it widens the whole
 * matrix at every run. No gradient flows through it.
 */
export function blockLinear(x: Tensor, codes: Tensor, scales: Tensor): Tensor {
  const [n, width] = x.shape as [Dim, number];
  const [outputs, blocks, block] = codes.shape as [number, number, number];
  if (codes.dtype !== 'uint8' || blocks * block !== width) throw new Error(`Cannot multiply ${showShape(x.shape)} by 8-bit blocks ${codes.dtype} ${showShape(codes.shape)}.`);
  requireShape('The scales of 8-bit blocks', scales, [outputs, blocks]);
  return op1('MatMulNBits', [x, codes, scales], { dtype: 'float32', shape: [n, outputs] }, {
    domain: 'com.microsoft',
    attributes: { K: { int: width }, N: { int: outputs }, bits: { int: 8 }, block_size: { int: block }, accuracy_level: { int: 4 } },
  });
}
