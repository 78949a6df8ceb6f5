/** Distributions of one number under each other: how often an answer got which reward. */
import { bimodality } from '../statistics.js';
import { number } from './format.js';
import { type Html, html } from './html.js';

/** A line of the plot. */
export interface Ridge {
  readonly name: string;
  readonly values: readonly number[];
}

const [WIDTH, ROW, TOP, BOTTOM, LABELS, RIGHT, NOTES] = [760, 46, 8, 30, 170, 8, 120] as const;
const BINS = 25;

/** Looks of the plot, with the colours of the page. */
export const RIDGE_STYLE = `
.ridge { width: 100%; max-width: 760px; height: auto; font: 13px var(--sans); }
.ridge text { fill: currentColor; } .ridge .soft { fill: var(--soft); }
.ridge .bar { fill: var(--accent); opacity: .55; } .ridge .mean { stroke: var(--accent); stroke-width: 2.5; }
.ridge .floor { stroke: var(--line); stroke-width: 1; }
`;

/** How many values lie in each of 25 parts, equally wide, of [least, greatest]. */
export function histogram(values: readonly number[], least: number, greatest: number): number[] {
  const counts = new Array<number>(BINS).fill(0);
  for (const value of values) {
    const place = greatest === least ? (BINS - 1) / 2 : Math.min(BINS - 1, Math.floor((BINS * (value - least)) / (greatest - least)));
    counts[place]! += 1;
  }
  return counts;
}

/**
 * Histograms over the same parts, one below the other, each as high as its largest part. Beside each the mean, and the bimodality
 * coefficient where there are enough values for one. Bars and no smooth curve: rewards of rules have few values.
 *
 * @param title What is plotted, for those who cannot see it.
 */
export function ridgePlot(ridges: readonly Ridge[], title: string): Html {
  const all = ridges.flatMap(({ values }) => values);
  const [least, greatest] = [all.reduce((a, b) => Math.min(a, b), Infinity), all.reduce((a, b) => Math.max(a, b), -Infinity)];
  const width = (WIDTH - LABELS - RIGHT - NOTES) / BINS;
  const x = (value: number): number =>
    LABELS + width * BINS * (greatest === least ? 0.5 : (value - least) / (greatest - least));
  const bottom = TOP + ROW * ridges.length;
  const rows = ridges.map(({ name, values }, i) => {
    const floor = TOP + ROW * (i + 1);
    const counts = histogram(values, least, greatest);
    const most = Math.max(...counts);
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const humps = bimodality(values);
    const numbers = [number(mean), ...(humps === undefined ? [] : [humps.toFixed(2)])];
    return html`<g><text x="${LABELS - 12}" y="${floor - 6}" text-anchor="end">${name.length > 24 ? `${name.slice(0, 23)}…` : name}</text>
<line class="floor" x1="${LABELS}" x2="${WIDTH - RIGHT - NOTES}" y1="${floor}" y2="${floor}" />
${counts.map((count, bin) => count > 0 && html`<rect class="bar" x="${(LABELS + bin * width).toFixed(1)}" width="${(width - 1).toFixed(1)}"
 y="${(floor - ((ROW - 8) * count) / most).toFixed(1)}" height="${(((ROW - 8) * count) / most).toFixed(1)}" />`)}
<line class="mean" x1="${x(mean).toFixed(1)}" x2="${x(mean).toFixed(1)}" y1="${floor - ROW + 8}" y2="${floor}" />
<text class="soft" x="${WIDTH - RIGHT - NOTES + 10}" y="${floor - 6}">${numbers.join(' · ')}</text></g>`;
  });
  return html`<svg class="ridge" viewBox="0 0 ${WIDTH} ${bottom + BOTTOM}" role="img" aria-label="${title}">${rows}
<text class="soft" x="${LABELS}" y="${bottom + 20}">${number(least)}</text>
<text class="soft" x="${WIDTH - RIGHT - NOTES}" y="${bottom + 20}" text-anchor="end">${number(greatest)}</text></svg>`;
}

/** What the numbers beside a ridge are, for people. */
export const RIDGE_NOTE = 'Right of each line: the mean, and of 50 values or more the bimodality coefficient. Above 0.56 it hints at two '
  + 'humps, or at a long tail: look at the bars.';
