/** The label report as a page of its own, `report.html`: no script, no network. */
import { documentOf } from '../run/report/document.js';
import { type Html, html } from '../run/report/html.js';
import { at } from '../data/source.js';
import type { LabelFailure } from './labelled.js';
import type { AnyLabeler } from './labeler.js';
import { type LabelReport, renderLabelReport } from './report.js';
import { MOST_ROWS, type ShownRow, labelledRows } from './page-rows.js';
import type { Calibration } from './statistics.js';

/** What the run made: the rows, and those that failed. */
export interface Made {
  readonly rows: readonly ShownRow[];
  readonly failures: readonly LabelFailure[];
  /** The workers of a cluster, and what was lost with them, in words. */
  readonly cluster?: string;
}

/** The page. Pure: the same report gives the same page. */
export function labelPage(report: LabelReport, labeler: AnyLabeler, recipe: string, made: Made = { rows: [], failures: [] }): string {
  const { calibration, warning, lines: [chief] } = labeler.report(report.measures, report.labelled);
  const reasons = Object.entries(report.failed.reasons);
  return documentOf(`Labels: ${report.labeler}`, html`<main>
<h1>Labels: ${report.labeler}</h1>
<p class="quiet">by ${report.judge}${made.cluster !== undefined && ` · ${made.cluster}`}</p>
<div class="headline">${warning !== undefined && html`<p class="alarm" role="alert">${warning}</p>`}
<p class="metric">rows with a label</p>
<p class="big"><span class="is">${report.labelled}</span> <span class="was">of ${report.rows}</span></p>
<p class="lede">${chief}</p></div>
<h2>Result</h2>
<pre class="wrap">${renderLabelReport(report, labeler)}</pre>
${calibration && html`<h2>Calibration</h2>${reliability(calibration)}
<p class="note">Each point is a bin of labels: what they said on average, and how often people thought so.
On the line, a label means what it says. The area of a point is the number of rows;
ECE ${calibration.ece.toFixed(3)}, Brier ${calibration.brier.toFixed(3)}.</p>`}
${reasons.length > 0 && html`<h2>What failed</h2>
<table><thead><tr><th>reason</th><th>rows</th></tr></thead>
<tbody>${reasons.map(([reason, n]) => html`<tr><td>${reason}</td><td>${n}</td></tr>`)}</tbody></table>
${made.failures.slice(0, MOST_ROWS).map(whyFailed)}`}
${made.rows.length > 0 && html`<h2>What the judge said</h2>${labelledRows(made.rows)}`}
<h2>Recipe</h2>
<pre>${recipe}</pre>
</main>`);
}

const whyFailed = ({ source, failure, detail }: LabelFailure): Html => html`<p class="reason">${at(source)}: ${failure}: ${detail}</p>`;

const SIZE = 320;
const EDGE = 40;

/** A reliability diagram as SVG: what labels said from left to right, what people said from bottom to top. */
function reliability({ bins }: Calibration): Html {
  const x = (p: number): string => (EDGE + p * SIZE).toFixed(1);
  const y = (p: number): string => (EDGE / 2 + (1 - p) * SIZE).toFixed(1);
  const most = Math.max(...bins.map(({ n }) => n));
  const side = SIZE + 1.5 * EDGE;
  const points = bins.map(({ said, seen, n }) => `said ${said.toFixed(2)}, seen ${seen.toFixed(2)}, ${n} rows`).join('; ');
  const tick = (p: number): Html => html`<text x="${x(p)}" y="${SIZE + EDGE / 2 + 16}" text-anchor="middle">${p}</text>
<text x="${EDGE - 6}" y="${y(p)}" text-anchor="end" dominant-baseline="middle">${p}</text>`;
  const point = ({ said, seen, n }: Calibration['bins'][number]): Html => {
    const radius = (3 + 7 * Math.sqrt(n / most)).toFixed(1);
    return html`<circle cx="${x(said)}" cy="${y(seen)}" r="${radius}" fill="var(--accent)" fill-opacity=".6">
<title>said ${said.toFixed(3)}, seen ${seen.toFixed(3)}, n = ${n}</title></circle>`;
  };
  return html`<svg viewBox="0 0 ${side} ${side}" width="${side}" role="img" aria-label="reliability diagram: ${points}"
 font-size="11" fill="currentColor">
<rect x="${x(0)}" y="${y(1)}" width="${SIZE}" height="${SIZE}" fill="none" stroke="var(--line)"/>
<line x1="${x(0)}" y1="${y(0)}" x2="${x(1)}" y2="${y(1)}" stroke="var(--soft)" stroke-dasharray="4 4"/>
${[0, 0.25, 0.5, 0.75, 1].map(tick)}
<polyline points="${bins.map(({ said, seen }) => `${x(said)},${y(seen)}`).join(' ')}" fill="none" stroke="var(--accent)"/>
${bins.map(point)}
</svg>`;
}
