/** The curves of `metrics.jsonl`, thinned so that a long run still opens at once. */
import type { LogRow } from '../metrics.js';
import { html } from './html.js';
import type { Html } from './html.js';
import { number } from './format.js';
import { directionOf, measurementOf, withoutRounding } from './measurements.js';

/** One chart: x is the step; null where the value was not a finite number. */
export interface Curve {
  readonly name: string;
  readonly x: number[];
  readonly y: (number | null)[];
  /** A running mean; absent for short or smooth curves. */
  readonly smooth?: (number | null)[];
}

const MAX_POINTS = 1_000;
const NOISY_FROM = 30;
/** Shown first: what a policy gradient is about, and how far it has gone for it. */
const EARLY = ['reward', 'kl', 'loss'];
/** Shown last: they say how the run went, not how well. */
const LATE = ['lr', 'grad_norm', 'tokens', 'seconds'];
const PLAIN = new Set(['lr', 'tokens']);
/** They say where a step stands in the run; nothing about them is measured. */
const PLACES = new Set(['step', 'iteration', 'round']);

const finite = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null);

/** Neighbouring points become one: the mean of those that are numbers. */
function thin(x: number[], y: (number | null)[]): { x: number[]; y: (number | null)[] } {
  const group = Math.ceil(x.length / MAX_POINTS);
  if (group <= 1) return { x, y };
  const places = Array.from({ length: Math.ceil(x.length / group) }, (_, i) => i * group);
  return {
    x: places.map((at) => x[Math.min(x.length - 1, at + Math.floor(group / 2))] ?? 0),
    y: places.map((at) => {
      const values = y.slice(at, at + group).filter((value) => value !== null);
      return values.length > 0 ? values.reduce((a, b) => a + b, 0) / values.length : null;
    }),
  };
}

/** A running mean over a window centred on each point (a twelfth of the curve to either side), which does not lag behind a falling loss. */
function smooth(y: readonly (number | null)[]): (number | null)[] {
  const reach = Math.max(2, Math.round(y.length / 12));
  return y.map((value, at) => {
    if (value === null) return null;
    const near = y.slice(Math.max(0, at - reach), at + reach + 1).filter((one) => one !== null);
    return near.reduce((a, b) => a + b, 0) / near.length;
  });
}

/** Every number that the steps logged, as curves: reward, KL and loss first. */
export function curvesOf(metrics: readonly LogRow[]): Curve[] {
  const rows = metrics.filter((row) => typeof row.step === 'number');
  const keys = [...new Set(rows.flatMap((row) => Object.keys(row)))]
    .filter((key) => !PLACES.has(key) && rows.some((row) => finite(row[key]) !== null));
  const rank = (key: string): number => (EARLY.includes(key) ? EARLY.indexOf(key) - EARLY.length : LATE.indexOf(key) + 1);
  return keys
    .sort((a, b) => rank(a) - rank(b))
    .map((name) => {
      const present = rows.filter((row) => name in row);
      const { x, y } = thin(present.map((row) => row.step ?? 0), present.map((row) => finite(row[name])));
      return { name, x, y, ...(y.length >= NOISY_FROM && !PLAIN.has(name) ? { smooth: smooth(y) } : {}) };
    });
}

/** The places that the script draws into; each caption says the first and the last value, for readers who cannot see the curve. */
export function curvePlaces(curves: readonly Curve[]): Html {
  return html`<div class="curves">${curves.map(({ name, y, smooth: line }, index) => {
    const values = (line ?? y).filter((value) => value !== null);
    const known = measurementOf(name);
    // What is only rounding beside the curve's own values is 0. A learning rate is exact, however small.
    const scale = Math.max(...values.map(Math.abs));
    const shown = (value: number | undefined): string => number(PLAIN.has(name) ? value : withoutRounding(value, scale));
    const direction = directionOf(known);
    const caption = html`<figcaption><b>${known.title}</b> <span>${shown(values[0])} → ${shown(values.at(-1))}${
      direction && html`, ${direction}`}</span></figcaption>`;
    const wide = index === 0 && curves.length > 1 && html` class="wide"`;
    return html`<figure${wide}>${caption}<div class="chart" data-curve="${index}"></div></figure>`;
  })}</div>`;
}
