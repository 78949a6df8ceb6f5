/** The page: one file with everything in it, which opens without a network. */
import { createHash } from 'node:crypto';

import { answerPairs } from './answers.js';
import { curvePlaces, curvesOf } from './curves.js';
import type { ReportData } from './data.js';
import { heatmaps } from './heatmap.js';
import { Html, html, jsonBlock } from './html.js';
import { LANGUAGE_GUARD, SCRIPT } from './script.js';
import { STYLE } from './style.js';
import { headline, summaryTables } from './summary.js';

/** What the page needs that is not of the run. */
export interface PageParts {
  /** uPlot's script and style sheet. */
  readonly chartScript: string;
  readonly chartStyle: string;
  /** Name and value, such as `Node.js` and `v20.20.2`. */
  readonly environment: readonly (readonly [string, string])[];
  /** When the report was written, for people. */
  readonly written: string;
}

/** A script that only its own hash lets run: a page made of model output must not run anything else. */
function script(code: string): { element: Html; hash: string } {
  const safe = code.replaceAll('</script', '<\\/script');
  return { element: new Html(`<script>${safe}</script>`), hash: `'sha256-${createHash('sha256').update(safe).digest('base64')}'` };
}

const word = (value: unknown): string => (typeof value === 'string' ? value : typeof value === 'object' && value !== null && 'name' in value ? String(value.name) : '');

/** The report as text. Pure: the same parts give the same page. */
export function renderPage(run: ReportData, parts: PageParts): string {
  const curves = curvesOf(run.metrics);
  const charts = script(LANGUAGE_GUARD + parts.chartScript);
  const own = script(SCRIPT);
  const policy = `default-src 'none'; style-src 'unsafe-inline'; script-src ${charts.hash} ${own.hash}; base-uri 'none'; form-action 'none'`;
  const about = [word(run.recipe['method']), word(run.recipe['model']), `${run.metrics.length.toLocaleString('en-US')} steps`, run.summary ? 'finished' : 'under way', parts.written];

  const sections: [id: string, title: string, body: Html][] = [];
  if (run.summary) sections.push(['result', 'Result', summaryTables(run.summary)]);
  if (curves.length > 0) sections.push(['curves-section', 'Training', curvePlaces(curves)]);
  if (run.heatmaps.length > 0) sections.push(['heatmaps', 'What the judgments pushed down', heatmaps(run.heatmaps)]);
  if (run.answers.length > 0) sections.push(['answers', 'Answers before and after', answerPairs(run.answers)]);
  if (run.unreadable.length > 0) {
    sections.push(['unreadable', 'Samples that could not be shown', html`<p class="note">${run.unreadable.length} lines do not have the form that this report reads:</p><pre>${run.unreadable.slice(0, 20).join('\n')}</pre>`]);
  }
  sections.push(['recipe', 'Recipe', html`<pre>${run.recipeText}</pre>`]);
  sections.push(['environment', 'Environment', html`<dl class="facts">${parts.environment.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`]);

  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="generator" content="Heed">
<title>${run.name} · Heed</title>
<style>${new Html(parts.chartStyle.replaceAll('</style', '<\\/style'))}${new Html(STYLE)}</style>
</head>
<body>
<main>
<h1>${run.name}</h1>
<p class="quiet">${about.filter(Boolean).join(' · ')}</p>
<nav aria-label="Sections">${sections.map(([id, title]) => html`<a href="#${id}">${title}</a>`)}</nav>
${headline(run.summary)}
${sections.map(([id, title, body]) => html`<section id="${id}"><h2>${title}</h2>${body}</section>`)}
</main>
<div id="tip" role="status" hidden></div>
${jsonBlock('curves', curves)}
${charts.element}
${own.element}
</body>
</html>
`.text;
}
