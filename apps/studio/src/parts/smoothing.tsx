/** How much curves are smoothed: in the address, so that a link shows the same. */
import { useKeys } from '../keys.js';
import { place, setParams } from '../router.js';

const DEFAULT_SMOOTHING = 0.6;

/** From 0 (none) to below 1. */
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
