/** Curves with few enough points to be drawn at once. */
import { directionOf, measurementOf } from '../run/report/measurements.js';
import type { Curve } from './api.js';
import type { Column, Series } from './series.js';

/** Shown first: what a policy gradient is about, and how far it has gone for it. */
const EARLY = ['reward', 'kl', 'loss'];
/** Shown last: they say how the run went, not how well. */
const LATE = ['lr', 'grad_norm', 'tokens', 'seconds'];

/** What is asked of the curves. */
export interface Window {
  /** Steps, both included. Default: all. */
  readonly from?: number;
  readonly to?: number;
  /** Most points of a curve. */
  readonly points: number;
}

/** The curves of a log: reward, KL and loss first, then by their names in the log. */
export function curvesOf(series: Series, window: Window): Curve[] {
  const rank = (name: string): number => (EARLY.includes(name) ? EARLY.indexOf(name) - EARLY.length : LATE.indexOf(name) + 1);
  return [...series.columns]
    .filter(([, { value }]) => value.some(Number.isFinite))
    .sort(([a], [b]) => rank(a) - rank(b))
    .map(([name, column]) => {
      const { title, better } = measurementOf(name);
      return { name, title, ...(directionOf({ better }) && { better }), ...thin(column, window) };
    });
}

/**
 * Neighbouring points become one, where there are more than `points`: their mean step and mean value, with the least and the greatest.
 *
 * @param column steps that rise, as a log has them
 */
export function thin(
  { step, value }: Pick<Column, 'step' | 'value'>, { from = -Infinity, to = Infinity, points }: Window,
): Pick<Curve, 'x' | 'y' | 'low' | 'high'> {
  const start = firstFrom(step, (one) => one >= from);
  const stop = firstFrom(step, (one) => one > to);
  const group = Math.ceil((stop - start) / points);
  if (group <= 1) {
    return { x: step.slice(start, stop), y: value.slice(start, stop).map((one) => (Number.isFinite(one) ? one : null)) };
  }
  const [x, y, low, high]: [number[], (number | null)[], (number | null)[], (number | null)[]] = [[], [], [], []];
  for (let first = start; first < stop; first += group) {
    const end = Math.min(stop, first + group);
    let [n, sum, least, most] = [0, 0, Infinity, -Infinity];
    for (let i = first; i < end; i++) {
      const one = value[i]!;
      if (!Number.isFinite(one)) continue;
      n++;
      sum += one;
      if (one < least) least = one;
      if (one > most) most = one;
    }
    x.push((step[first]! + step[end - 1]!) / 2);
    y.push(n === 0 ? null : sum / n);
    low.push(n === 0 ? null : least);
    high.push(n === 0 ? null : most);
  }
  return { x, y, low, high };
}

/** The place of the first value that is far enough, in values that rise; their number where none is. */
function firstFrom(values: readonly number[], farEnough: (value: number) => boolean): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (farEnough(values[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}
