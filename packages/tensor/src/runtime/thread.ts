import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { DeviceFailed } from './device-failed.js';
import type { Reply, Request } from './messages.js';

/** The main thread's end of the engine's worker: one answer per request, in order. */
export interface Thread {
  ask(request: Request, transfer?: readonly ArrayBufferLike[]): Promise<unknown>;
  close(): Promise<void>;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** `file` is another worker's only in tests of what happens when a worker dies. */
export function startThread(file: URL = workerFile()): Thread {
  // Without our process's flags: loaders are not needed, and some (--input-type) a worker refuses.
  const worker = new Worker(file, { execArgv: [] });
  // An idle engine must not keep the process alive.
  worker.unref();
  const pending = new Map<number, Waiting>();
  let next = 0;
  let dead: string | undefined;

  const die = (reason: string): void => {
    dead ??= reason;
    for (const { reject } of pending.values()) reject(new Error(dead));
    pending.clear();
  };
  worker.on('message', (reply: Reply) => {
    const waiting = pending.get(reply.id);
    pending.delete(reply.id);
    if (pending.size === 0) worker.unref();
    if ('error' in reply) waiting?.reject(reply.ofDevice === true ? new DeviceFailed(reply.error) : new Error(reply.error));
    else waiting?.resolve(reply.value);
  });
  worker.on('messageerror', (error) => die(`The engine's thread sent what cannot be read: ${error.message}`));
  worker.on('error', (error) =>
    die(`The engine's thread died: ${error instanceof Error ? error.message : String(error)}. Start a new engine.`),
  );
  worker.on('exit', (code) => die(`The engine's thread ended with exit code ${code}. Start a new engine.`));

  return {
    ask: (request, transfer = []) => new Promise((resolve, reject) => {
      if (dead !== undefined) {
        reject(new Error(dead));
        return;
      }
      const id = next++;
      worker.postMessage({ id, request }, transfer as ArrayBuffer[]);
      if (pending.size === 0) worker.ref();
      pending.set(id, { resolve, reject });
    }),
    async close() {
      die('The engine was closed.');
      await worker.terminate();
    },
  };
}

/** A worker runs compiled code only; from the sources (tests), it is the one of the last build. */
function workerFile(): URL {
  const url = new URL(import.meta.url.endsWith('.ts') ? '../../dist/runtime/worker.js' : './worker.js', import.meta.url);
  if (!existsSync(url)) throw new Error(`${fileURLToPath(url)} is missing: build the package first (npx tsc -b packages/tensor).`);
  return url;
}
