/** A sweep as a page that loads nothing. */
import { documentOf } from '../run/report/document.js';
import { type Html, SCROLLING, html } from '../run/report/html.js';
import { measurementOf, writerOf } from '../run/report/measurements.js';
import type { Axis } from './grid.js';
import { type Setting, describeMeasurement } from './outcomes.js';
import { PLOT_STYLE, plot } from './plot.js';
import type { SweptRun } from './run.js';
import { overview, tableOf } from './table.js';

/** What the page shows. */
export interface SweepPageParts {
  /** The sweep's folder, as its title. */
  readonly name: string;
  readonly axes: readonly Pick<Axis, 'key'>[];
  readonly settings: readonly Setting[];
  /** The measurements to plot. */
  readonly chosen: readonly string[];
  /** The others. */
  readonly others: readonly string[];
  /** What a reader should know of the measurements. */
  readonly notes: readonly string[];
}

/** A plot and a table of each chosen measurement, tables of the others, and every run with a link to its report. */
export function sweepPage({ name, axes, settings, chosen, others, notes }: SweepPageParts): string {
  const runs = settings.flatMap((setting) => setting.runs);
  const finished = runs.filter(({ state }) => state === 'finished').length;
  return documentOf(name, html`<main>
<h1>${name}</h1>
<p class="quiet">${finished} of ${runs.length} runs have finished. In brackets: 95 % intervals over seeds, by Student's t.</p>
${notes.map((note) => html`<p class="note">${note}</p>`)}
${chosen.map((one) => html`<h2>${describeMeasurement(one)}</h2>
${plotOf(settings, one)}${tableIn(tableOf(settings, axes, one))}`)}
${others.length > 0 && html`<h2>Other measurements, after training</h2>${tableIn(overview(settings, axes, others))}`}
<h2>Runs</h2>
${runTable(runs)}
</main>`, { style: PLOT_STYLE });
}

function plotOf(settings: readonly Setting[], name: string): Html {
  const lines = settings.flatMap(({ name: setting, outcomes }) => {
    const outcome = outcomes[name];
    return outcome === undefined ? [] : [{ name: setting, before: outcome.before, after: outcome.after }];
  });
  if (lines.length === 0) return html``;
  const before = lines.some((line) => line.before !== undefined) ? ', a grey line for what it was before training' : '';
  return html`${plot(lines, `${measurementOf(name).title} by setting`, writerOf(measurementOf(name)))}
<p class="note">A ring for each run, a line for their mean, a bar for its interval${before}.</p>`;
}

function tableIn([head, ...lines]: readonly (readonly string[])[]): Html {
  return html`<div ${SCROLLING}><table class="cards">
<thead><tr>${head!.map((title) => html`<th scope="col">${title}</th>`)}</tr></thead>
<tbody>${lines.map((line) => html`<tr>${line.map((cell, i) => (i === 0
    ? html`<th scope="row">${cell}</th>` : html`<td data-label="${head![i]}">${cell}</td>`))}</tr>`)}</tbody>
</table></div>`;
}

const runTable = (runs: readonly SweptRun[]): Html => html`<div ${SCROLLING}><table class="cards">
<thead><tr><th scope="col">run</th><th scope="col">state</th></tr></thead>
<tbody>${runs.map(({ name, state, error, summary }) => html`<tr><th scope="row">${
  summary === undefined ? name : html`<a href="${encodeURIComponent(name)}/report.html">${name}</a>`
}</th><td data-label="state">${state}${error !== undefined && html`: ${error}`}</td></tr>`)}</tbody>
</table></div>`;
