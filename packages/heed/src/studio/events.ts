/** What happens in a run while the page looks at it, as server-sent events. */
import { join } from 'node:path';

import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';

import { CLUSTER_LOG, clusterStateOf, describeCluster, describeWorkers } from '../run/cluster-log.js';
import { readLog } from '../run/metrics.js';
import type { RunState } from './api.js';
import { type StudioContext, metricsOf } from './context.js';
import { countsOf, samplesOf } from './samples.js';
import type { Series } from './series.js';
import { stateOf } from './state.js';

/** How often the files of a run are looked at, in milliseconds. */
const LOOK = 500;
/** A sign of life for what lies between server and browser, in looks. */
const SILENCE = 30;
/** More new lines than these are better asked for as curves. */
const MOST_ROWS = 100;

/** Sends what is new after the first `after` lines of the log, and how the run is, until the browser leaves or the studio ends. */
export function streamRun(c: Context, context: StudioContext, dir: string, after: number): Response {
  return streamSSE(c, async (stream) => {
    const ended = new AbortController();
    const end = (): void => ended.abort();
    stream.onAbort(end);
    context.signal.addEventListener('abort', end, { once: true });
    let sent = after;
    let state = '';
    let silent = 0;
    while (!ended.signal.aborted && !context.signal.aborted) {
      const logged = await context.series.of(metricsOf(dir));
      const now = JSON.stringify(await stateNow(context, dir, logged));
      if (logged.lines !== sent) {
        // Fewer lines than before: the run goes on from an earlier step.
        const few = logged.lines > sent && logged.lines - sent <= MOST_ROWS;
        const data = few ? JSON.stringify(rowsOf(logged, sent)) : '';
        await stream.writeSSE({ event: few ? 'rows' : 'more', id: String(logged.lines), data });
        sent = logged.lines;
        silent = 0;
      }
      if (now !== state) await stream.writeSSE({ event: 'state', data: (state = now) });
      else if (++silent % SILENCE === 0) await stream.write(': still here\n\n');
      await pause(LOOK, ended.signal);
    }
    context.signal.removeEventListener('abort', end);
  });
}

async function stateNow({ jobs, asked, samples }: StudioContext, dir: string, logged: Series): Promise<RunState> {
  const [{ status }, kept, workers] = await Promise.all([
    stateOf(dir, jobs, asked), samplesOf(samples, dir), readLog(join(dir, CLUSTER_LOG)),
  ]);
  const state = clusterStateOf(workers);
  const live = status === 'running' || status === 'stopping';
  return {
    status, steps: logged.steps, counts: countsOf(kept),
    ...(state && { cluster: describeCluster(state, live ? describeWorkers(state) : undefined) }),
  };
}

/** The lines of a log after the first `from`, with their numbers alone. */
function rowsOf({ columns, lines }: Series, from: number): Record<string, number | null>[] {
  const rows = Array.from({ length: lines - from }, (): Record<string, number | null> => ({}));
  for (const [name, { step, value, line }] of columns) {
    for (let i = line.length - 1; i >= 0 && line[i]! >= from; i--) {
      Object.assign(rows[line[i]! - from]!, { step: step[i]!, [name]: Number.isFinite(value[i]) ? value[i]! : null });
    }
  }
  return rows;
}

const pause = (milliseconds: number, signal: AbortSignal): Promise<void> => new Promise((settle) => {
  if (signal.aborted) return settle();
  const done = (): void => { clearTimeout(timer); signal.removeEventListener('abort', done); settle(); };
  const timer = setTimeout(done, milliseconds);
  signal.addEventListener('abort', done, { once: true });
});
