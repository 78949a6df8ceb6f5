import { setTimeout as pause } from 'node:timers/promises';

/** Tells the time in milliseconds, and waits. Tests pass their own. */
export interface Clock {
  now(): number;
  /** Ends early where the signal says so. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}

export const CLOCK: Clock = {
  now: Date.now,
  sleep: async (milliseconds, signal) => pause(milliseconds, undefined, { signal }).catch(() => undefined),
};
