/** The page: one file with everything in it, which opens without a network. */
import { createHash } from 'node:crypto';

import { answerPairs } from './answers.js';
import { curvePlaces, curvesOf } from './curves.js';
import type { ReportData } from './data.js';
import { documentOf } from './document.js';
import { heatmaps } from './heatmap.js';
import { Html, html, jsonBlock } from './html.js';
import { nameOf } from './measurements.js';
import { RIDGE_STYLE } from './ridge.js';
import { LANGUAGE_GUARD, SCRIPT } from './script.js';
import { rolloutTables } from './rollouts.js';
import { headline, summaryTables } from './summary.js';

/** What the page needs beside the run. */
export interface PageParts {
  /** uPlot's script and style sheet. */
  readonly chartScript: string;
  readonly chartStyle: string;
  /** Name and value, such as `Node.js` and `v20.20.2`. */
  readonly environment: readonly (readonly [string, string])[];
  /** When the run finished, or when the report of one that has not was written; for people. */
  readonly written: string;
}

/** A script that only its own hash lets run: a page made of model output must not run anything else. */
function script(code: string): { element: Html; hash: string } {
  const safe = code.replaceAll('</script', '<\\/script');
  return { element: new Html(`<script>${safe}</script>`), hash: `'sha256-${createHash('sha256').update(safe).digest('base64')}'` };
}

const unfinished = (live: boolean): string => (live ? 'under way' : 'stopped before its end');

/** The method, the model and how far the run is. */
function about({ recipe, metrics, summary, live }: ReportData): (string | undefined)[] {
  const steps = `${metrics.length.toLocaleString('en-US')} steps`;
  return [nameOf(recipe['method']), nameOf(recipe['model']), steps, summary ? 'finished' : unfinished(live)];
}

/** Names with their values. */
const facts = (all: readonly (readonly [string, string])[]): Html =>
  html`<dl class="facts">${all.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;

function unreadableLines(lines: readonly string[]): Html {
  return html`<p class="note">${lines.length} lines do not have the form that this report reads:</p>
    <pre>${lines.slice(0, 20).join('\n')}</pre>`;
}

/** The report as text. Pure: the same parts give the same page. */
export function renderPage(run: ReportData, parts: PageParts): string {
  const curves = curvesOf(run.metrics);
  const charts = script(LANGUAGE_GUARD + parts.chartScript);
  const own = script(SCRIPT);

  const sections: [id: string, title: string, body: Html][] = [];
  if (run.summary) sections.push(['result', 'Result', summaryTables(run.summary)]);
  if (curves.length > 0) sections.push(['curves-section', 'Training', curvePlaces(curves)]);
  if (run.heatmaps.length > 0) sections.push(['heatmaps', 'What the judgments pushed down', heatmaps(run.heatmaps)]);
  if (run.answers.length > 0) sections.push(['answers', 'Answers before and after', answerPairs(run.answers)]);
  if (run.rollouts.some(({ reward }) => reward !== null))
    sections.push(['rollouts', 'Answers learnt from', rolloutTables(run.rollouts)]);
  if (run.unreadable.length > 0) sections.push(['unreadable', 'Samples that could not be shown', unreadableLines(run.unreadable)]);
  sections.push(['recipe', 'Recipe', html`<pre>${run.recipeText}</pre>`]);
  sections.push(['environment', 'Environment', facts(parts.environment)]);

  return documentOf(run.name, html`
<main>
<h1>${run.name}</h1>
<p class="quiet">${[...about(run), parts.written].filter(Boolean).join(' · ')}</p>
<nav aria-label="Sections">${sections.map(([id, title]) => html`<a href="#${id}">${title}</a>`)}</nav>
${headline(run)}
${sections.map(([id, title, body]) => html`<section id="${id}"><h2>${title}</h2>${body}</section>`)}
</main>
<div id="tip" role="status" hidden></div>
${jsonBlock('curves', curves)}
${charts.element}
${own.element}
`, { scripts: `${charts.hash} ${own.hash}`, style: parts.chartStyle + RIDGE_STYLE });
}
