/** The curves of a run, which grow while it trains. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

import type { Curves, RunState } from '../../api.js';
import { type ServerError, apiUrl, get } from '../../server.js';
import { POINTS, type Row, grown } from './grown.js';

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
