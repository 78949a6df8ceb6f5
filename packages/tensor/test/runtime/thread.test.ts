import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import type { Request } from '../../src/runtime/messages.js';
import { startThread } from '../../src/runtime/thread.js';

const worker = (onMessage: string) => new URL(`data:text/javascript,${encodeURIComponent(`
  import { parentPort } from 'node:worker_threads';
  parentPort.on('message', ({ id, request }) => { ${onMessage} });
`)}`);
const request: Request = { kind: 'free', buffer: 1 };

it.each([
  ['throws', `throw new Error('out of luck')`, /The engine's thread died: out of luck\. Start a new engine\./],
  ['exits', 'process.exit(7)', /ended with exit code 7/],
])('a worker that %s rejects what is pending and what comes', async (_, onMessage, message) => {
  const thread = startThread(worker(onMessage));
  const asked = await Promise.allSettled([thread.ask(request), thread.ask(request)]);
  for (const result of asked) expect(String(result.status === 'rejected' ? result.reason : 'answered')).toMatch(message);
  await expect(thread.ask(request)).rejects.toThrow(message);
  await thread.close();
});

it('answers in order', async () => {
  const thread = startThread(worker('parentPort.postMessage({ id, value: request.buffer })'));
  expect(await Promise.all([3, 1, 2].map((buffer) => thread.ask({ kind: 'free', buffer })))).toEqual([3, 1, 2]);
  await thread.close();
});

it('keeps the process alive while a run is pending, and only then', () => {
  const engine = new URL('../../dist/runtime/engine.js', import.meta.url).href;
  const script = `
    import { startEngine, view } from '${engine}';
    const engine = await startEngine({ threads: 1 });
    const buffer = await engine.allocate('float32', 2);
    engine.read(view(buffer)).then((data) => console.log(data.length));
  `;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '2\n', stderr: '' });
});
