/** Clocks that a test moves. */
import type { Clock } from '../../src/judge/endpoint/clock.js';

/** A clock that stands until the test moves it. */
export function handClock(): Clock & { advance(milliseconds: number): void } {
  let at = 0;
  let sleepers: { readonly until: number; wake(): void }[] = [];
  return {
    now: () => at,
    sleep: (milliseconds, signal) => new Promise((resolve) => {
      sleepers.push({ until: at + milliseconds, wake: resolve });
      signal.addEventListener('abort', () => resolve());
    }),
    advance(milliseconds) {
      at += milliseconds;
      const awake = sleepers.filter(({ until }) => until <= at);
      sleepers = sleepers.filter(({ until }) => until > at);
      for (const { wake } of awake) wake();
    },
  };
}

/** A clock that only waiting moves: whoever sleeps wakes at once, and it is then so much later. */
export function rushedClock(): Clock & { at: number } {
  const clock = {
    at: 0,
    now: () => clock.at,
    sleep: async (milliseconds: number) => {
      clock.at += milliseconds;
      await Promise.resolve();
    },
  };
  return clock;
}
