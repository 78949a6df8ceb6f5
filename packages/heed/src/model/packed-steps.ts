/** Products of few rows with matrices in codes: nothing is widened. */
import { type Tensor, blockLinear, constant, mapped } from '@heed/tensor';
import type { Checkpoint } from './checkpoint/folder.js';
import { readFactors } from './checkpoint/read.js';
import { type PackedTensor, isPacked, zeroOf } from './checkpoint/stored-tensor.js';

/** What the kernel packs beside the codes: a scale and an offset for each block, by module. */
export type Steps = ReadonlyMap<string, { readonly scales: Float32Array; readonly offsets?: Float32Array }>;

/**
 * Reads scales and minima of a checkpoint's matrices in codes, widened to float32: an eighth to a quarter of the codes' bytes, until the
 * program is compiled.
 *
 * @param only The modules that are wanted. Default: all.
 */
export async function readSteps(
  { folder, tensors }: Pick<Checkpoint, 'folder' | 'tensors'>, only: (module: string) => boolean = () => true,
): Promise<Steps> {
  const found = new Map<string, { scales: Float32Array; offsets?: Float32Array }>();
  for (const tensor of tensors.values()) {
    const module = tensor.name.replace(/\.weight$/, '');
    if (!isPacked(tensor) || !only(module)) continue;
    const { scales, minima } = await readFactors(folder, tensor);
    // The kernel's zero is the middle of the codes: (code − zero)·scale + minimum = (code − middle)·scale + (minimum + …).
    const beyond = (tensor.dtype === 'uint4' ? 8 : 128) - zeroOf(tensor);
    found.set(module, { scales, ...(minima && { offsets: minima.map((minimum, b) => minimum + beyond * scales[b]!) }) });
  }
  return found;
}

/** x·Wᵀ, x rounded to 8 bits by blocks. */
export function stepProduct(x: Tensor, tensor: PackedTensor, { scales, offsets }: NonNullable<ReturnType<Steps['get']>>): Tensor {
  const { dtype, shape: [outputs, inputs], block, codes } = tensor;
  const blocks = inputs / block;
  return blockLinear(x, {
    codes: mapped('uint8', [outputs, blocks, dtype === 'uint4' ? block / 2 : block], codes),
    scales: constant(scales, [outputs, blocks]),
    ...(offsets && { offsets: constant(offsets, [outputs, blocks]) }),
  });
}
