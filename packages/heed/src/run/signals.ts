/** Ctrl-C: the first asks the loop to finish its step and save; the second kills. */
import { constants } from 'node:os';
import { clearBars } from './bars.js';
import type { Progress } from './progress.js';

/** Thrown by a job that saved and stopped because the user asked for it (`onInterrupt`). The exit code is then `exitCodeOfSignal`. */
export class Interrupted extends Error {
  constructor(message = 'Interrupted') {
    super(message);
    this.name = 'Interrupted';
  }
}

let asked: NodeJS.Signals = 'SIGINT';
/** The exit code of a command that stopped because it was asked to, as Unix counts: 130 after SIGINT, 143 after SIGTERM. */
export const exitCodeOfSignal = (): number => 128 + constants.signals[asked];

/** A watch for Ctrl-C. */
export interface Interrupt {
  /** Whether the user has asked to stop. */
  readonly requested: boolean;
  /** Aborted as soon as the user asks: ends requests that may take long. */
  readonly signal: AbortSignal;
  /** Stops watching. */
  dispose(): void;
}

/** Where signals come from: the process, except in tests. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  kill(pid: number, signal: NodeJS.Signals): unknown;
  readonly pid: number;
}

const sayOnStderr = (line: string): void => void process.stderr.write(`${line}\n`);

/**
 * Watches for SIGINT, and SIGTERM, which schedulers send before they kill. Check `requested` after every step.
 *
 * The progress bar is taken away first, so that the line stands alone.
 *
 * @param say how the user is told (default: a line on stderr).
 */
export function onInterrupt(say = sayOnStderr, source: SignalSource = process): Interrupt {
  asked = 'SIGINT';
  const stop = new AbortController();
  const signals: NodeJS.Signals[] = ['SIGINT', 'SIGTERM'];
  const dispose = (): void => {
    for (const signal of signals) source.off(signal, listener);
  };
  const listener = (signal: NodeJS.Signals): void => {
    if (stop.signal.aborted) {
      dispose();
      source.kill(source.pid, signal); // with our listener gone, the signal does what it always does
      return;
    }
    asked = signal;
    stop.abort();
    clearBars();
    say('Stopping after this step and saving. Press Ctrl-C again to stop at once.');
  };
  for (const signal of signals) source.on(signal, listener);
  return {
    get requested() {
      return stop.signal.aborted;
    },
    signal: stop.signal,
    dispose,
  };
}

/** Progress of work that can be left after any unit, because a resume does it again: `update` throws once the user asked to stop. */
export const stoppable = (progress: Progress, interrupt: Pick<Interrupt, 'requested'> | undefined, doing: string): Progress => ({
  ...progress,
  update(done, extra) {
    progress.update(done, extra);
    if (interrupt?.requested === true) throw new Interrupted(`Stopped while ${doing}; go on with --resume.`);
  },
});
