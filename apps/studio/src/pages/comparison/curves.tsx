/** The curves of several runs over one another. */
import { useEffect, useState } from 'preact/hooks';

import type { Curves, Side } from '../../api.js';
import { Chart } from '../../parts/chart.js';
import type { ChartLine } from '../../parts/chart-line.js';
import { Smoothing, smoothingOf } from '../../parts/smoothing.js';
import { Failure, Waiting } from '../../parts/state.js';
import { place } from '../../router.js';
import { type ServerError, apiUrl, get } from '../../server.js';
import { LOOKS, runOf, titleOf } from '../../sides.js';

/** They say how a run went, not how well: shown where a reader asks for them. */
const QUIET = new Set(['lr', 'tokens', 'num_tokens', 'seconds']);

interface Drawn { readonly name: string; readonly title: string; readonly better?: string; readonly lines: ChartLine[] }

/** A chart for each name, with a line for each run that has it; names that more runs have come first. */
export function chartsOf(sides: readonly Side[], runs: readonly string[], curves: readonly Curves[]): Drawn[] {
  const charts = new Map<string, Drawn>();
  // The look of the side that shows the run after training, where there is one: as the list of sides has it.
  const looks = runs.map((run) => LOOKS[(sides.includes(run) ? sides.indexOf(run) : sides.map(runOf).indexOf(run)) % LOOKS.length]!);
  for (const [i, { curves: own }] of curves.entries()) {
    for (const { name, title, better, x, y } of own) {
      const chart = charts.get(name) ?? { name, title, better, lines: [] };
      chart.lines.push({ label: titleOf(runs[i]!, runs), x, y, ...looks[i]! });
      charts.set(name, chart);
    }
  }
  return [...charts.values()].sort((a, b) => b.lines.length - a.lines.length);
}

export function ComparedCurves({ sides }: { readonly sides: readonly Side[] }) {
  const runs = [...new Set(sides.map(runOf))];
  const key = sides.join('\n');
  const [charts, setCharts] = useState<readonly Drawn[]>();
  const [error, setError] = useState<ServerError>();
  useEffect(() => {
    const left = new AbortController();
    Promise.all(runs.map((run) => get<Curves>(apiUrl('run/curves', { run, points: 400 }), left.signal))).then(
      (curves) => setCharts(chartsOf(sides, runs, curves)),
      (failure: ServerError) => { if (!left.signal.aborted) setError(failure); },
    );
    return () => left.abort();
  }, [key]);
  if (error) return <Failure error={error} />;
  if (charts === undefined) return <Waiting what="Reading the logs" />;
  if (charts.length === 0) return <p class="quiet">None of these runs has logged a step.</p>;
  const smoothing = smoothingOf(place.value.params);
  return (
    <>
      <div class="controls"><Smoothing /></div>
      <div class="charts">
        {charts.filter(({ name }) => !QUIET.has(name)).map(({ name, title, better, lines }, i) => (
          <div key={name} class={i === 0 ? 'wide' : ''}><Chart title={title} better={better} lines={lines} smoothing={smoothing} /></div>
        ))}
      </div>
    </>
  );
}
