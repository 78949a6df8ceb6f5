import { type Socket, connect } from 'node:net';
import type { Request } from '@heed/tensor';
import { type Frame, encodeFrame, frameReader } from './frames.js';

/** A request with who answers it. */
export interface Asking {
  readonly request: Request | SumRequest | BindRequest | WeightsRequest;
  /** A worker's number, or all of them. */
  readonly to: number | 'all';
  /** Whether one worker may do it twice: where it is lost, it does so without a word. */
  readonly again: boolean;
  /** How often that worker had been lost when it was given what this needs. Left out: it needs only what all have. */
  readonly life?: number;
}

/** Adds up what the first `count` workers hold in a view. */
export interface SumRequest {
  readonly kind: 'sum';
  readonly view: Float64Array;
  readonly count: number;
}

/** Views that a session has from now on. */
export interface BindRequest {
  readonly kind: 'bind';
  readonly session: number;
  readonly bind?: Float64Array;
  readonly bindInto?: Float64Array;
}

/** Weights by their content: whether all machines have them; a part of a file; the end, after which they are there. */
export type WeightsRequest =
  | { readonly kind: 'weights'; readonly digest: string }
  | { readonly kind: 'piece'; readonly digest: string; readonly name: string; readonly offset: number; readonly data: Uint8Array }
  | { readonly kind: 'seal'; readonly digest: string; readonly files: readonly { readonly name: string; readonly size: number }[] };

/** What the gateway says of its workers, as of its last answer: a value for each of them. */
export interface Standing {
  /** Whether it works. False from when it was found lost until it was started again and filled. */
  readonly alive: readonly boolean[];
  /** How often it was lost. */
  readonly losses: readonly number[];
  /** Seconds that it has worked. */
  readonly seconds: readonly number[];
  /** Seconds that it was waited for after it was lost. */
  readonly lostSeconds: readonly number[];
}

/** A connection to a gateway. */
export interface Link {
  readonly workers: number;
  /** Threads of each worker's sessions, the fewest of all. */
  readonly threads: number;
  readonly standing: Standing;
  /** Called with each answer, as soon as `standing` is that of it. `done`: not where a worker was lost over it, or it failed. */
  onAnswer?: (asking: Asking, done: boolean) => void;
  /** The arrays of the answer. @throws WorkerLost, StateLost, LinkLost */
  ask(asking: Asking): Promise<readonly Frame['arrays'][number][]>;
  close(): void;
}

/** A worker was lost, and with it what only that worker held. */
export class WorkerLost extends Error {
  override readonly name = 'WorkerLost';
}

/** No worker is left that holds the state of the training, or one that was lost does not come back. */
export class StateLost extends Error {
  override readonly name = 'StateLost';
}

/** The gateway cannot be reached any more. */
export class LinkLost extends Error {
  override readonly name = 'LinkLost';
}

interface Waiting {
  readonly asking: Asking;
  resolve(arrays: Frame['arrays']): void;
  reject(error: Error): void;
}

/** Connects to a gateway. @throws LinkLost where nobody answers, or the token is refused */
export async function openLink(host: string, port: number, token: string): Promise<Link> {
  const socket = connect({ host, port, noDelay: true });
  const { workers, threads } = await greet(socket, token);
  const waiting = new Map<number, Waiting>();
  const none = Array.from({ length: workers }, () => 0);
  let standing: Standing = { alive: none.map(() => true), losses: none, seconds: none, lostSeconds: none };
  let next = 0;
  let dead: LinkLost | undefined;

  const die = (reason: string): void => {
    dead ??= new LinkLost(reason);
    for (const { reject } of waiting.values()) reject(dead);
    waiting.clear();
  };
  const read = frameReader(({ head, arrays }) => {
    const { id, lost, error, ...rest } = head as unknown as Standing & { id: number; lost?: 'worker' | 'state'; error?: string };
    standing = rest;
    const asked = waiting.get(id);
    waiting.delete(id);
    try {
      if (asked !== undefined) link.onAnswer?.(asked.asking, lost === undefined && error === undefined);
    } catch (failure) {
      asked?.reject(failure as Error);
    }
    // Nothing is asked: the process may end.
    if (waiting.size === 0) socket.unref();
    if (lost === 'worker') asked?.reject(new WorkerLost('A worker of the cluster was lost.'));
    else if (lost === 'state') asked?.reject(new StateLost(error));
    else if (error !== undefined) asked?.reject(new Error(error));
    else asked?.resolve(arrays);
  });
  socket.on('data', (piece: Buffer) => {
    try {
      read(piece);
    } catch (error) {
      die(`The cluster's gateway sent what cannot be read: ${(error as Error).message}`);
      socket.destroy();
    }
  });
  socket.on('error', (error) => die(`The connection to the cluster failed: ${error.message}`));
  socket.on('close', () => die('The cluster ended the connection.'));
  socket.unref();

  const link: Link = {
    workers,
    threads,
    get standing() { return standing; },
    ask: (asking) => new Promise((resolve, reject) => {
      if (dead !== undefined) {
        reject(dead);
        return;
      }
      const id = next++;
      waiting.set(id, { asking, resolve, reject });
      socket.ref();
      for (const part of encodeFrame({ id, ...asking })) socket.write(part);
    }),
    close() {
      die('The connection to the cluster was closed.');
      socket.destroy();
    },
  };
  return link;
}

/** Milliseconds that the gateway may take to say hello. */
const GREETING_MS = 60_000;

/** Says hello; how many workers and threads there are. */
function greet(socket: Socket, token: string): Promise<Pick<Link, 'workers' | 'threads'>> {
  return new Promise((resolve, reject) => {
    let said = '';
    const fail = (reason: string): void => {
      socket.destroy();
      reject(new LinkLost(reason));
    };
    // What a firewall drops gets no answer at all. The gateway waits no longer for a client.
    socket.setTimeout(GREETING_MS, () => fail(`The cluster's gateway does not answer within ${GREETING_MS / 1000} s.`));
    const failed = (error: Error): void => fail(`The cluster's gateway cannot be reached: ${error.message}`);
    const closed = (): void => fail('The cluster\'s gateway ended the connection before it said hello.');
    const listen = (piece: Buffer): void => {
      said += piece.toString('latin1');
      if (!said.includes('\n')) return;
      const [word, workers, threads] = said.trim().split(' ');
      socket.off('data', listen).off('error', failed).off('close', closed).setTimeout(0);
      if (word === 'ok') resolve({ workers: Number(workers), threads: Number(threads) });
      else fail(word === 'taken' ? 'The cluster\'s gateway serves another run.' : 'The cluster\'s gateway refused the token.');
    };
    socket.on('data', listen).on('error', failed).on('close', closed);
    socket.write(`heed 1 ${token}\n`);
  });
}
