/** The curves of a run, with what the reader wants to see of them. */
import type { Curves } from '../../api.js';
import { useKeys } from '../../keys.js';
import { Chart } from '../../parts/chart.js';
import { place, setParams } from '../../router.js';

interface Props {
  readonly curves: Curves;
  readonly from: number | undefined;
  readonly to: number | undefined;
}

const DEFAULT_SMOOTHING = 0.6;

/** How much the curves of the page are smoothed: in the address, so that a link shows the same. */
export const smoothingOf = (params: URLSearchParams): number => Number(params.get('smooth') ?? DEFAULT_SMOOTHING);

/** A field for smoothing. */
export function Smoothing() {
  const value = smoothingOf(place.value.params);
  const set = (next: number): void => setParams({ smooth: String(Math.round(100 * Math.max(0, Math.min(0.95, next))) / 100) });
  useKeys({
    '+': { does: 'smooth the curves more', run: () => set(value + 0.1) },
    '-': { does: 'smooth the curves less', run: () => set(value - 0.1) },
  });
  return (
    <label>
      Smoothing{' '}
      <input type="range" min="0" max="0.95" step="0.05" value={value} onInput={(event) => set(Number(event.currentTarget.value))} />
      {' '}<output>{value.toFixed(2)}</output>
    </label>
  );
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
        {curves.map(({ name, title, better, ...line }, i) => (
          <div key={name} class={i === 0 ? 'wide' : ''}>
            <Chart title={title} better={better} lines={linesOf(line)} smoothing={PLAIN.has(name) ? 0 : smoothing} zoom={zoom} />
          </div>
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

type Line = Omit<Curves['curves'][number], 'name' | 'title' | 'better'>;
const made = new WeakMap<object, readonly { readonly label: string; readonly colour: string }[]>();

/** The same curve gives the same lines: a chart draws anew only what changed. */
function linesOf(line: Line) {
  const kept = made.get(line.x);
  if (kept !== undefined) return kept as readonly (Line & { readonly label: string; readonly colour: string })[];
  const lines = [{ label: 'run', colour: '--accent', ...line }];
  made.set(line.x, lines);
  return lines;
}
