import { ApiError, badRequest } from './api-error.js';

/** Counts the answers that are being made or waited for, and refuses more than the server has room for. */
export interface Gate {
  readonly inside: number;
  /** Lets `count` answers in, and returns how they leave. @throws ApiError 429 when it is full, 503 when it is closed. */
  enter(count: number): () => void;
  /** Lets nobody in any more; resolves when all have left. */
  close(): Promise<void>;
}

export function createGate(limit: number): Gate {
  let inside = 0;
  let closed = false;
  const empty: (() => void)[] = [];
  return {
    get inside() {
      return inside;
    },
    enter(count) {
      if (closed) throw new ApiError(503, 'The server is shutting down.', { code: 'shutting_down' });
      if (count > limit) throw badRequest(`The request asks for ${count} answers at once; this server takes at most ${limit}.`, 'n');
      if (inside + count > limit) {
        throw new ApiError(429, `The server is working on ${inside} answers and takes at most ${limit}: try again later.`, { code: 'queue_full', retryAfter: 1 });
      }
      inside += count;
      let left = false;
      return () => {
        if (left) return;
        left = true;
        inside -= count;
        if (closed && inside === 0) for (const tell of empty.splice(0)) tell();
      };
    },
    close() {
      closed = true;
      return inside === 0 ? Promise.resolve() : new Promise((resolve) => empty.push(resolve));
    },
  };
}
