/** The numbers of a run's `metrics.jsonl` as columns. A long log is read once; of one that grows the new lines alone. */
import { open, stat } from 'node:fs/promises';

/** One name of a log: the lines that have it. */
export interface Column {
  /** Optimizer steps. */
  readonly step: number[];
  /** NaN where the line says null: the value was not finite. */
  readonly value: number[];
  /** Places in the log, from 0. */
  readonly line: number[];
}

/** The columns of a log. */
export interface Series {
  /** Whole lines that were read. */
  lines: number;
  /** The newest optimizer step; 0 before the first. */
  steps: number;
  readonly columns: Map<string, Column>;
}

interface Kept extends Series {
  /** Bytes that were read, up to the end of a line. */
  bytes: number;
  inode: number;
  /** Lines that were no JSON object. */
  unreadable: number;
}

/** Logs that are kept in memory. */
const MOST = 24;
const CHUNK = 1 << 20;
/** They say where a step stands in the run; nothing about them is measured. */
const PLACES = new Set(['step', 'iteration', 'round']);

/** Logs by path, the one that was asked for last at the end. */
export interface SeriesCache {
  /** The columns of a log as it is now; empty where there is none. */
  of(path: string): Promise<Series>;
}

export function createSeriesCache(): SeriesCache {
  const kept = new Map<string, Promise<Kept>>();
  return {
    of(path) {
      const before = kept.get(path) ?? Promise.resolve(empty());
      // One reader at a time for a file: the next goes on where this one ends.
      const now = before.then((series) => goOn(path, series), () => goOn(path, empty()));
      kept.delete(path);
      kept.set(path, now);
      if (kept.size > MOST) kept.delete(kept.keys().next().value!);
      return now;
    },
  };
}

const empty = (): Kept => ({ lines: 0, steps: 0, columns: new Map(), bytes: 0, inode: 0, unreadable: 0 });

async function goOn(path: string, series: Kept): Promise<Kept> {
  const info = await stat(path).catch(() => undefined);
  if (info === undefined) return empty();
  // A resume drops lines by putting another file in the place of this one.
  const going = info.ino === series.inode && info.size >= series.bytes ? series : empty();
  going.inode = info.ino;
  if (info.size === going.bytes) return going;
  const file = await open(path, 'r');
  try {
    let rest = Buffer.alloc(0);
    for (let at = going.bytes; at < info.size; ) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK), 0, Math.min(CHUNK, info.size - at), at);
      if (bytesRead === 0) break;
      at += bytesRead;
      const text = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
      const end = text.lastIndexOf(10) + 1;
      for (const line of text.subarray(0, end).toString('utf8').split('\n').slice(0, -1)) add(going, line);
      going.bytes += end;
      rest = text.subarray(end);
    }
    return going;
  } finally {
    await file.close();
  }
}

function add(series: Kept, line: string): void {
  const at = series.lines++;
  let row: Record<string, unknown> = {};
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) row = value as Record<string, unknown>;
  } catch {
    series.unreadable++;
  }
  const { step } = row;
  if (typeof step !== 'number') return;
  series.steps = step;
  // `in`, since this is done for every number of a long log: lists of entries take three times as long. JSON's objects inherit no key.
  for (const name in row) {
    const value = row[name];
    if ((typeof value !== 'number' && value !== null) || PLACES.has(name)) continue;
    let column = series.columns.get(name);
    if (column === undefined) series.columns.set(name, (column = { step: [], value: [], line: [] }));
    column.step.push(step);
    column.value.push(value ?? Number.NaN);
    column.line.push(at);
  }
}
