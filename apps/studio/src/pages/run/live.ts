/** The curves of a run, which grow while it trains. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

import type { Curve, Curves, RunState } from '../../api.js';
import { type ServerError, apiUrl, get } from '../../server.js';

type Row = Readonly<Record<string, number | null>>;

const POINTS = 600;

export interface LiveRun {
  readonly curves?: Curves;
  readonly state?: RunState;
  readonly error?: ServerError;
}

/** Asks for the curves of some steps, and then takes what the server says of new ones. */
export function useLiveRun(run: string, from: number | undefined, to: number | undefined): LiveRun {
  const [curves, setCurves] = useState<Curves>();
  const [state, setState] = useState<RunState>();
  const [error, setError] = useState<ServerError>();
  const asked = useRef(0);
  const ask = useCallback(async () => {
    const mine = ++asked.current;
    try {
      const answer = await get<Curves>(apiUrl('run/curves', { run, from, to, points: POINTS }));
      if (mine === asked.current) setCurves(answer);
    } catch (failure) {
      if (mine === asked.current) setError(failure as ServerError);
    }
  }, [run, from, to]);
  useEffect(() => void ask(), [ask]);

  const ready = curves !== undefined;
  const part = from !== undefined || to !== undefined;
  useEffect(() => {
    if (!ready) return;
    const events = new EventSource(apiUrl('run/events', { run, after: curves.lines }));
    events.addEventListener('state', ({ data }: MessageEvent<string>) => setState(JSON.parse(data) as RunState));
    events.addEventListener('more', () => void ask());
    events.addEventListener('rows', ({ data, lastEventId }: MessageEvent<string>) => {
      const rows = JSON.parse(data) as readonly Row[];
      setCurves((before) => {
        const next = before && !part ? grown(before, rows, Number(lastEventId)) : undefined;
        if (next === undefined) void ask();
        return next ?? before;
      });
    });
    return () => events.close();
  }, [ready, run, ask, part]);
  return { curves, state, error };
}

/** The curves with new lines behind them; undefined where they are better asked for again. */
export function grown(before: Curves, rows: readonly Row[], lines: number): Curves | undefined {
  // Lines are missing between: the stream began anew somewhere else.
  if (before.lines + rows.length !== lines) return before.lines === lines ? before : undefined;
  const names = new Set(before.curves.map(({ name }) => name));
  const unknown = rows.some((row) => Object.keys(row).some((name) => name !== 'step' && !names.has(name)));
  const crowded = before.curves.some(({ x }) => x.length + rows.length > 2 * POINTS);
  if (unknown || crowded) return undefined;
  const grow = (curve: Curve): Curve => {
    const own = rows.filter((row) => curve.name in row);
    const values = own.map((row) => row[curve.name]!);
    const more = (old: readonly (number | null)[]): (number | null)[] => [...old, ...values];
    return {
      ...curve, x: [...curve.x, ...own.map((row) => row['step']!)], y: more(curve.y), ...(curve.low && { low: more(curve.low) }),
      ...(curve.high && { high: more(curve.high) }),
    };
  };
  return { lines, steps: rows.at(-1)?.['step'] ?? before.steps, curves: before.curves.map(grow) };
}
