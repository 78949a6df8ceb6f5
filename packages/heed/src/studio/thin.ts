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

/** Neighbouring points become one, where there are more than `points`: their mean step and mean value, with the least and the greatest. */
export function thin(
  { step, value: column }: Pick<Column, 'step' | 'value'>, { from = -Infinity, to = Infinity, points }: Window,
): Pick<Curve, 'x' | 'y' | 'low' | 'high'> {
  const shown: number[] = [];
  for (let i = 0; i < step.length; i++) if (step[i]! >= from && step[i]! <= to) shown.push(i);
  const group = Math.ceil(shown.length / points);
  const at = (i: number): number | null => (Number.isFinite(column[i]) ? column[i]! : null);
  if (group <= 1) return { x: shown.map((i) => step[i]!), y: shown.map(at) };
  const [x, y, low, high]: [number[], (number | null)[], (number | null)[], (number | null)[]] = [[], [], [], []];
  for (let first = 0; first < shown.length; first += group) {
    const end = Math.min(shown.length, first + group);
    let [n, sum, least, most] = [0, 0, Infinity, -Infinity];
    for (let k = first; k < end; k++) {
      const one = column[shown[k]!]!;
      if (!Number.isFinite(one)) continue;
      n++;
      sum += one;
      least = Math.min(least, one);
      most = Math.max(most, one);
    }
    x.push((step[shown[first]!]! + step[shown[end - 1]!]!) / 2);
    y.push(n === 0 ? null : sum / n);
    low.push(n === 0 ? null : least);
    high.push(n === 0 ? null : most);
  }
  return { x, y, low, high };
}
