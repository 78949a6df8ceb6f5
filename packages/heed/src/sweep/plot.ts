/** The plot of a sweep: a line for each setting, with a dot for each seed, the mean and its interval. */
import { type Html, html } from '../run/report/html.js';
import type { Writer } from '../run/report/measurements.js';
import type { OverSeeds } from './outcomes.js';

/** A line of the plot. */
export interface PlotLine {
  readonly name: string;
  readonly before?: OverSeeds | undefined;
  readonly after: OverSeeds;
}

const [WIDTH, ROW, TOP, BOTTOM, LABELS, RIGHT] = [760, 34, 10, 34, 250, 24] as const;

/** Looks of the plot, with the colours of the page. */
export const PLOT_STYLE = `
.sweep { width: 100%; max-width: 760px; height: auto; font: 13px var(--sans); }
.sweep text { fill: currentColor; } .sweep .tick { fill: var(--soft); }
.sweep .grid { stroke: var(--line); stroke-width: 1; }
.sweep .range { stroke: var(--accent); stroke-width: 5; opacity: .38; stroke-linecap: round; }
.sweep .mean { stroke: var(--accent); stroke-width: 3; }
.sweep .seed { fill: none; stroke: var(--accent); stroke-width: 1.5; }
.sweep .before { stroke: var(--soft); stroke-width: 2; }
`;

/** The plot as SVG. @param title What is plotted, for people who cannot see it. */
export function plot(lines: readonly PlotLine[], title: string, { value: write }: Writer): Html {
  const all = lines.flatMap(({ before, after }) => [...numbersIn(after), ...(before === undefined ? [] : [before.mean])]);
  const ticks = ticksOf(all);
  const [from, to] = [ticks[0]!, ticks.at(-1)!];
  const x = (value: number): string => (LABELS + ((WIDTH - LABELS - RIGHT) * (value - from)) / (to - from)).toFixed(1);
  const bottom = TOP + ROW * lines.length;
  const rows = lines.map(({ name, before, after }, i) => {
    const y = TOP + ROW * (i + 0.5);
    const upright = (kind: string, value: number): Html =>
      html`<line class="${kind}" x1="${x(value)}" x2="${x(value)}" y1="${y - 9}" y2="${y + 9}" />`;
    const { low, high } = after;
    return html`<g><text x="${LABELS - 14}" y="${y + 4}" text-anchor="end">${name.length > 34 ? `${name.slice(0, 33)}…` : name}</text>
${before !== undefined && upright('before', before.mean)}
${low !== undefined && high !== undefined && html`<line class="range" x1="${x(low)}" x2="${x(high)}" y1="${y}" y2="${y}" />`}
${after.values.map((value) => html`<circle class="seed" cx="${x(value)}" cy="${y}" r="4" />`)}${upright('mean', after.mean)}</g>`;
  });
  return html`<svg class="sweep" viewBox="0 0 ${WIDTH} ${bottom + BOTTOM}" role="img" aria-label="${title}">
${ticks.map((tick) => html`<line class="grid" x1="${x(tick)}" x2="${x(tick)}" y1="${TOP}" y2="${bottom}" />
<text class="tick" x="${x(tick)}" y="${bottom + 20}" text-anchor="middle">${write(tick)}</text>`)}
${rows}</svg>`;
}

const numbersIn = ({ mean, low, high, values }: OverSeeds): number[] => [mean, low ?? mean, high ?? mean, ...values];

/** Round numbers around all values: multiples of 1, 2 or 5 times a power of ten, from at or below the least to at or above the greatest. */
export function ticksOf(values: readonly number[]): number[] {
  const [least, greatest] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
  const span = greatest - least || Math.abs(least) || 1;
  const power = 10 ** Math.floor(Math.log10(span / 4));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => span / size <= 5)!;
  const first = Math.floor(least / step);
  const count = Math.max(1, Math.ceil(greatest / step) - first);
  // Multiples, not sums: sums of tenths would drift.
  return Array.from({ length: count + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}
