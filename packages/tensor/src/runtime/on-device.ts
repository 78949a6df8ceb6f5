import type { NativeSession } from './backend.js';
import { DeviceFailed } from './device-failed.js';

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
