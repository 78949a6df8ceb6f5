/**
 * ONNX Runtime failed on a GPU: the GPU was lost, or has no more memory. What lay on it alone may be gone, so the engine is of no use
 * any more.
 */
export class DeviceFailed extends Error {
  override readonly name = 'DeviceFailed';
}
