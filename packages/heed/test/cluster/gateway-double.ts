import { once } from 'node:events';
import { type Socket, createServer } from 'node:net';
import { type Frame, encodeFrame, frameReader } from '../../src/cluster/frames.js';
import type { Asking, BindRequest } from '../../src/cluster/link.js';
import type { Thread } from '@heed/tensor';
import { startThread } from '../../../tensor/src/runtime/thread.js';
import type { Request, RunRequest } from '../../../tensor/src/runtime/messages.js';

type Sent = Frame['arrays'][number];

/** Puts the arrays of a frame back where they stood in its head. */
export function placed(value: unknown, arrays: readonly Sent[]): unknown {
  if (Array.isArray(value)) return value.map((one) => placed(one, arrays));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  if (entries.length === 1 && entries[0]![0] === 'array') return arrays[entries[0]![1] as number];
  return Object.fromEntries(entries.map(([key, inner]) => [key, placed(inner, arrays)]));
}

/** A gateway in TypeScript whose workers are engine threads of this process: what the Python one does, without its revival of workers. */
export interface GatewayDouble {
  readonly port: number;
  /** Requests that came, in order: the kind, and to whom. */
  readonly asked: { readonly kind: string; readonly to: number | 'all'; readonly on?: number }[];
  /** Called before a request is answered: what it returns is answered in place of the worker. */
  intercept: ((asking: Asking & { id: number }) => object | undefined) | undefined;
  /** Called when a worker, or all of them, did what was asked, before that is answered. */
  finished: ((asking: Asking) => void) | undefined;
  /** What every answer says of the workers. */
  readonly standing: { readonly alive: boolean[]; readonly losses: number[]; readonly seconds: number[]; readonly lostSeconds: number[] };
  /** Whether a client is connected; undefined before the first. */
  readonly connected: boolean | undefined;
  /** Ends every connection. */
  drop(): void;
  close(): Promise<void>;
}

export async function gatewayDouble(workers: number, token = 'secret'): Promise<GatewayDouble> {
  const threads: Thread[] = Array.from({ length: workers }, () => startThread());
  for (const thread of threads) await thread.ask({ kind: 'start', device: 'cpu', threads: 1, zeroCopy: true });
  const asked: { kind: string; to: number | 'all'; on?: number }[] = [];
  const sockets = new Set<Socket>();
  let connected: boolean | undefined;
  const zeros = (): number[] => Array.from({ length: workers }, () => 0);
  const standing = { alive: zeros().map(() => true), losses: zeros(), seconds: zeros(), lostSeconds: zeros() };
  const double: Pick<GatewayDouble, 'intercept' | 'finished'> = { intercept: undefined, finished: undefined };

  async function sum({ view, count }: { view: Float64Array; count: number }): Promise<Sent[]> {
    const parts = await Promise.all(threads.slice(0, count).map((one) => one.ask({ kind: 'read', view }) as Promise<Float32Array>));
    const total = parts[0]!.slice();
    for (const part of parts.slice(1)) for (let i = 0; i < total.length; i++) total[i] = Math.fround(total[i]! + part[i]!);
    await Promise.all(threads.map((one) => one.ask({ kind: 'write', view, data: total.slice() })));
    return [];
  }

  /** A session's views are bound by a run that gives nothing new: the thread has no request of its own for it. */
  const binds = new Map<string, Pick<RunRequest, 'bind' | 'bindInto'>>();
  async function one(index: number, request: Request | BindRequest): Promise<Sent[]> {
    if (request.kind === 'bind') {
      const key = `${index} ${request.session}`;
      binds.set(key, { ...binds.get(key), ...dropUndefined({ bind: request.bind, bindInto: request.bindInto }) });
      return [];
    }
    let given = request;
    if (request.kind === 'run') {
      given = { ...binds.get(`${index} ${request.session}`), ...dropUndefined(request) } as RunRequest;
      binds.delete(`${index} ${request.session}`);
    }
    const value = await threads[index]!.ask(given);
    if (request.kind === 'read') return [value as Sent];
    return request.kind === 'run' ? (value as Sent[]) : [];
  }

  async function answer({ request, to }: Asking): Promise<Sent[]> {
    asked.push({ kind: request.kind, to, ...('on' in request && request.on !== undefined ? { on: request.on } : {}) });
    if (request.kind === 'sum') return sum(request);
    if (request.kind === 'weights' || request.kind === 'piece' || request.kind === 'seal') return [];
    if (to !== 'all') return one(to, request);
    const copies = threads.map(() => structuredClone(request));
    return (await Promise.all(copies.map((copy, index) => one(index, copy))))[0]!;
  }

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      connected = sockets.size > 0;
    });
    connected = true;
    let greeted = false;
    const read = frameReader(({ head, arrays }) => {
      const asking = placed(head, arrays) as Asking & { id: number };
      const instead = double.intercept?.(asking);
      const reply = (said: object, values: readonly Sent[] = []): void => {
        for (const part of encodeFrame({ id: asking.id, ...standing, ...said, values })) socket.write(part);
      };
      if (instead !== undefined) reply(instead);
      else {
        void answer(asking).finally(() => double.finished?.(asking))
          .then((values) => reply({}, values), (error: Error) => reply({ error: error.message }));
      }
    });
    socket.on('data', (piece: Buffer) => {
      if (greeted) {
        read(piece);
        return;
      }
      greeted = true;
      if (piece.toString() === `heed 1 ${token}\n`) socket.write(`ok ${workers} 1\n`);
      else socket.end('refused\n');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    asked,
    get intercept() { return double.intercept; },
    set intercept(value) { double.intercept = value; },
    get finished() { return double.finished; },
    set finished(value) { double.finished = value; },
    standing,
    get connected() { return connected; },
    drop: () => { for (const socket of sockets) socket.destroy(); },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      for (const thread of threads) await thread.close();
    },
  };
}

const dropUndefined = <T extends object>(from: T): Partial<T> =>
  Object.fromEntries(Object.entries(from).filter(([, value]) => value !== undefined)) as Partial<T>;
