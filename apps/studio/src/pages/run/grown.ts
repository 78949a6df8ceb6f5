/** Curves to which lines of a log are added. */
import type { Curve, Curves } from '../../api.js';

/** A line of a log: its numbers by name, and the step. */
export type Row = Readonly<Record<string, number | null>>;

/** Points of a curve that are asked for. */
export const POINTS = 600;

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
