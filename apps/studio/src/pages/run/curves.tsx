/** The curves of a run, with what the reader wants to see of them. */
import { useMemo } from 'preact/hooks';

import type { Curve, Curves } from '../../api.js';
import { useKeys } from '../../keys.js';
import { Chart } from '../../parts/chart.js';
import { Smoothing, smoothingOf } from '../../parts/smoothing.js';
import { place, setParams } from '../../router.js';

interface Props {
  readonly curves: Curves;
  readonly from: number | undefined;
  readonly to: number | undefined;
}

const stepOf = (text: string): string | undefined => (/^\d+$/.test(text) ? text : undefined);

export function RunCurves({ curves: { curves, steps }, from, to }: Props) {
  const zoom = (first?: number, last?: number): void => setParams({ from: first?.toString(), to: last?.toString() });
  useKeys({ a: { does: 'show all steps', run: () => zoom() } });
  const smoothing = smoothingOf(place.value.params);
  if (curves.length === 0) return <p class="quiet">No step is logged yet. The curves appear here with the first one.</p>;
  const thinned = curves.some(({ low }) => low !== undefined);
  return (
    <>
      <div class="controls">
        <Smoothing />
        <span>
          Steps{' '}
          <input
            type="number" min="1" max={steps} placeholder="1" aria-label="from step" value={from ?? ''}
            onChange={(event) => setParams({ from: stepOf(event.currentTarget.value) })}
          />
          {' to '}
          <input
            type="number" min="1" max={steps} placeholder={String(steps)} aria-label="to step" value={to ?? ''}
            onChange={(event) => setParams({ to: stepOf(event.currentTarget.value) })}
          />
          {(from ?? to) !== undefined && <button type="button" class="plain" onClick={() => zoom()}>All <kbd>a</kbd></button>}
        </span>
      </div>
      <div class="charts">
        {curves.map((curve, i) => (
          <div key={curve.name} class={i === 0 ? 'wide' : ''}><RunChart curve={curve} smoothing={smoothing} zoom={zoom} /></div>
        ))}
      </div>
      <p class="note">
        Drag over a curve to see fewer steps, double-click to see all.
        {thinned && ' A point stands for several steps: the line is their mean, the pale band their least and greatest value.'}
      </p>
    </>
  );
}

/** Curves that nothing is gained from smoothing. */
const PLAIN = new Set(['lr', 'tokens', 'num_tokens']);

function RunChart({ curve, smoothing, zoom }: {
  readonly curve: Curve; readonly smoothing: number; readonly zoom: (from?: number, to?: number) => void;
}) {
  const { name, title, better } = curve;
  const lines = useMemo(() => [{ label: 'run', colour: '--accent', ...curve }], [curve]);
  return <Chart title={title} better={better} lines={lines} smoothing={PLAIN.has(name) ? 0 : smoothing} zoom={zoom} />;
}
