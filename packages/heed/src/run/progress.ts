/** Progress of anything that takes longer than two seconds, on stderr, so that stdout stays for results. */
import { Presets, SingleBar } from 'cli-progress';

import { clearing } from './bars.js';
import { clock } from './numbers.js';

/** Shows how far a piece of work is. */
export interface Progress {
  /** Begins a piece of work of `total` units; ends the one before. */
  start(what: string, total: number, options?: { readonly unit?: string; readonly done?: number }): void;
  /** `done` units of the total are complete. `extra` is shown behind, such as `loss 0.41`. */
  update(done: number, extra?: string): void;
  /** What `text` gives is shown behind all else, of every piece of work, as it is at that moment. undefined: nothing more. */
  beside?(text: (() => string) | undefined): void;
  /** Takes the bar away. Safe to call at any time. */
  stop(): void;
}

/** Where progress goes: stderr, except in tests. */
export interface ProgressOptions {
  readonly stream?: NodeJS.WritableStream & { isTTY?: boolean };
  /** Milliseconds, from any origin. */
  readonly now?: () => number;
}

/** Nothing is shown before this much time. */
const QUIET_MS = 2_000;
/** Without a terminal: one line per so much time. */
const LINE_MS = 10_000;

/** `3.2/s`, and `14 s each` where a unit takes longer than a second. */
export function rate(perSecond: number, unit = ''): string {
  if (!Number.isFinite(perSecond) || perSecond <= 0) return '–';
  const name = unit ? ` ${unit}` : '';
  const digits = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(2));
  return perSecond >= 1 ? `${digits(perSecond)}${name}/s` : `${digits(1 / perSecond)} s each`;
}

/** The piece of work under way. */
interface Work {
  readonly what: string;
  readonly total: number;
  readonly unit: string;
  /** Units that were complete when it began. */
  readonly first: number;
  readonly since: number;
  done: number;
  extra: string;
  /** When the last line was written; 0 before the first. */
  said: number;
}

const FORMAT = '{what} {bar} {percent} % · {done}/{total} · {rest}{extra}';
/** Shown until the work is taken away: whoever reads 100 % thinks that it has ended. */
const MOST_PERCENT = 99;

/** Progress on the given stream: a bar on a terminal, else a plain line every ten seconds. */
export function createProgress(options: ProgressOptions = {}): Required<Progress> {
  const { stream = process.stderr, now = () => performance.now() } = options;
  let work: Work | undefined;
  let bar: SingleBar | undefined;
  let timer: NodeJS.Timeout | undefined;
  let besides: (() => string) | undefined;

  const numbersOf = (under: Work): { done: number; rest: string; percent: number } => {
    // Part of a unit, such as one of a row's samples, shortens the time left; only whole units are shown as done.
    const done = Math.floor(under.done);
    const perSecond = (under.done - under.first) / Math.max(1e-9, (now() - under.since) / 1000);
    const left = perSecond > 0 ? clock((under.total - under.done) / perSecond) : '–';
    return {
      done,
      rest: done >= under.total ? 'finishing' : `${rate(perSecond, under.unit)} · ${left} left`,
      percent: under.total > 0 ? Math.min(MOST_PERCENT, Math.floor((100 * done) / under.total)) : 0,
    };
  };
  const draw = (): void => {
    if (!work) return;
    const { done, rest, percent } = numbersOf(work);
    const extra = [work.extra, besides?.()].map((text) => (text ? ` · ${text}` : '')).join('');
    if (!stream.isTTY) {
      if (work.said !== 0 && now() - work.said < LINE_MS) return;
      work.said = now();
      stream.write(`${work.what}: ${done}/${work.total} (${percent} %) · ${rest}${extra}\n`);
      return;
    }
    const shown = { what: work.what, done, percent, rest, extra };
    const filled = Math.min(done, (work.total * MOST_PERCENT) / 100);
    if (!bar) {
      bar = new SingleBar(
        { format: FORMAT, stream, hideCursor: true, clearOnComplete: true, barsize: 24, fps: 8, gracefulExit: false },
        Presets.shades_classic,
      );
      bar.start(work.total, filled, shown);
      clearing.add(clear);
    } else bar.update(filled, shown);
  };
  // Back to the beginning of the line, the line emptied, the cursor shown.
  const clear = (): void => void stream.write('\r\u001B[2K\u001B[?25h');
  const stop = (): void => {
    if (timer) clearInterval(timer);
    clearing.delete(clear);
    bar?.stop();
    timer = bar = work = undefined;
  };

  return {
    start(what, total, { unit = '', done = 0 } = {}) {
      stop();
      work = { what, total, unit, first: done, done, extra: '', since: now(), said: 0 };
      // The timer keeps the time left moving while one unit takes long; it never keeps the process alive.
      timer = setInterval(() => {
        if (work && now() - work.since >= QUIET_MS) draw();
      }, 500);
      timer.unref();
    },
    update(done, extra) {
      if (!work) return;
      work.done = done;
      if (extra !== undefined) work.extra = extra;
      if (now() - work.since >= QUIET_MS) draw();
    },
    beside(text) {
      besides = text;
    },
    stop,
  };
}

/** Shows nothing: what library calls use by default. */
export const silentProgress: Progress = { start: () => undefined, update: () => undefined, stop: () => undefined };
