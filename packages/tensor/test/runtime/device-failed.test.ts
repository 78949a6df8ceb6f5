import { expect, it } from 'vitest';
import type { NativeSession } from '../../src/runtime/backend.js';
import { DeviceFailed } from '../../src/runtime/device-failed.js';
import { onDevice } from '../../src/runtime/on-device.js';
import { startThread } from '../../src/runtime/thread.js';

const LOST = 'Failed to download data from buffer. wgpu::MapAsyncStatus value: 4';

it('what a run throws on a GPU is told apart, with what ONNX Runtime said', () => {
  let left = 1;
  const session: NativeSession = {
    loadModel() { throw new Error('no such kernel'); },
    run() {
      if (left-- > 0) return {};
      throw new Error(LOST);
    },
    dispose: () => undefined,
  };
  const wrapped = onDevice(session);
  expect(() => { wrapped.loadModel(new ArrayBuffer(0), 0, 0, {}); }).toThrow(/^no such kernel$/);
  expect(wrapped.run({}, {}, {})).toEqual({});
  expect(() => wrapped.run({}, {}, {})).toThrow(new DeviceFailed(`ONNX Runtime failed on the GPU: ${LOST}`));
});

it('and is still told apart on the main thread', async () => {
  const worker = new URL(`data:text/javascript,${encodeURIComponent(`
    import { parentPort } from 'node:worker_threads';
    parentPort.on('message', ({ id, request }) => parentPort.postMessage({ id, error: 'lost', ofDevice: request.buffer === 1 }));
  `)}`);
  const thread = startThread(worker);
  const errors = await Promise.all([1, 2].map((buffer) => thread.ask({ kind: 'free', buffer }).catch((error: unknown) => error)));
  expect(errors.map((error) => error instanceof DeviceFailed)).toEqual([true, false]);
  await thread.close();
});
