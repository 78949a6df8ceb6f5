/** Work that may run together, and work that has to run alone. */
export interface Turns {
  /** Runs beside other such work, after what ran alone before. */
  together<T>(body: () => Promise<T>): Promise<T>;
  /** Runs after all work that was given before, and before what is given later. */
  alone(body: () => Promise<void>): Promise<void>;
}

export function createTurns(): Turns {
  /** The last `alone` body, which new work waits for, and the work that is under way. */
  let barrier: Promise<unknown> = Promise.resolve();
  const open = new Set<Promise<unknown>>();
  return {
    together(body) {
      const result = barrier.then(body);
      const done = result.then(() => undefined, () => undefined);
      open.add(done);
      void done.then(() => open.delete(done));
      return result;
    },
    alone(body) {
      const result = Promise.allSettled([barrier, ...open]).then(body);
      barrier = result.catch(() => undefined);
      return result;
    },
  };
}
