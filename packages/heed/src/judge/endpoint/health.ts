/** Whether a server of a pool answers, by what became of the requests to it. */

/** So many failures in a row set a server aside. */
const IN_A_ROW = 3;
/** After so many answers in a row a server's past is forgotten. One that fails again and again is set aside for longer and longer. */
const STEADY = 20;
/** Longest wait, in milliseconds, before a retry or before a server that is set aside is tried again. */
export const LONGEST_WAIT = 60_000;

/** Times are in milliseconds. */
export interface Health {
  /** When a server that is set aside may be tried again; undefined of a server that is well. */
  readonly asideUntil: number | undefined;
  /** Returns whether the server was set aside until now. */
  answered(): boolean;
  /** Returns whether this failure sets the server aside. */
  failed(now: number): boolean;
}

/** @param backoff seconds until a server that is set aside is tried again; doubled each time that it fails then, up to a minute */
export function createHealth(backoff: number): Health {
  let [failures, answers, wait] = [0, 0, 0];
  let asideUntil: number | undefined;
  return {
    get asideUntil() {
      return asideUntil;
    },
    answered() {
      const wasAside = asideUntil !== undefined;
      asideUntil = undefined;
      failures = 0;
      if (++answers === STEADY) wait = 0;
      return wasAside;
    },
    failed(now) {
      const isNew = asideUntil === undefined;
      answers = 0;
      failures++;
      // A request from before the server was set aside says nothing new.
      if (isNew ? failures < IN_A_ROW : now < asideUntil!) return false;
      wait = Math.min(LONGEST_WAIT, Math.max(1000 * backoff, 2 * wait));
      asideUntil = now + wait;
      return isNew;
    },
  };
}
