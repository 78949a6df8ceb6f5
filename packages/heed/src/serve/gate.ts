import { ApiError, badRequest } from './api-error.js';

/** Counts the answers that are being made, waited for or still asked for, and refuses more than the server has room for. */
export interface Gate {
  readonly inside: number;
  /**
   * Lets a request in before it is read, for one answer; so the requests that are read at a time are counted too.
   *
   * @throws ApiError 429 when it is full, 503 when it is closed.
   */
  enter(): Place;
  /** Takes no more requests; resolves when all that it took have ended. */
  close(): Promise<void>;
}

/** The room that a request has. */
export interface Place {
  /**
   * Gives this request room for so many answers.
   *
   * @throws ApiError 429 where too little room is left, 400 where the whole room is too small
   */
  widen(count: number): void;
  /** May be called twice. */
  leave(): void;
}

export function createGate(limit: number): Gate {
  let inside = 0;
  let closed = false;
  const empty: (() => void)[] = [];
  const take = (count: number): void => {
    if (inside + count > limit) {
      throw new ApiError(429, `The server has ${inside} answers in hand and takes at most ${limit}: try again later.`, {
        code: 'queue_full',
        retryAfter: 1,
      });
    }
    inside += count;
  };
  return {
    get inside() {
      return inside;
    },
    enter() {
      if (closed) throw new ApiError(503, 'The server is shutting down.', { code: 'shutting_down' });
      take(1);
      let held = 1;
      return {
        widen(count) {
          if (count > limit) throw badRequest(`The request asks for ${count} answers at once; this server takes at most ${limit}.`, 'n');
          take(count - held);
          held = count;
        },
        leave() {
          inside -= held;
          held = 0;
          if (closed && inside === 0) for (const tell of empty.splice(0)) tell();
        },
      };
    },
    close() {
      closed = true;
      return inside === 0 ? Promise.resolve() : new Promise((resolve) => empty.push(resolve));
    },
  };
}
