import type { NativeSession } from './backend.js';

/**
 * ONNX Runtime failed on a GPU: the GPU was lost, or has no more memory. What lay on it alone may be gone, so the engine is of no use
 * any more.
 */
export class DeviceFailed extends Error {
  override readonly name = 'DeviceFailed';
}

/** A session of a GPU: what a run throws there is told apart from faults of a program, which are found before it runs. */
export const onDevice = (session: NativeSession): NativeSession => ({
  loadModel: (...given) => session.loadModel(...given),
  run(...given) {
    try {
      return session.run(...given);
    } catch (error) {
      throw new DeviceFailed(`ONNX Runtime failed on the GPU: ${(error as Error).message}`, { cause: error });
    }
  },
  dispose: () => session.dispose(),
});
