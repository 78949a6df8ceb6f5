/** The labelled rows on the page of the report: what was shown to the judge, and what it said. */
import type { Message } from '../data/rows.js';
import { finePercent } from '../run/numbers.js';
import { type Html, html } from '../run/report/html.js';
import type { OutputRow } from './labelled.js';
import type { Pair, Single } from './material.js';

/** A row that a labeler wrote, and the data that it was made of, where they are known. */
export interface ShownRow {
  readonly row: OutputRow;
  readonly given?: Pair | Single | undefined;
}

/** Rows on a page; all are in `rows.jsonl`. */
export const MOST_ROWS = 60;

/** Rows as a person reads them, the first 60. */
export function labelledRows(rows: readonly ShownRow[]): Html {
  const rest = rows.length - MOST_ROWS;
  return html`${rest > 0 && html`<p class="note">The first ${MOST_ROWS} of ${rows.length} rows are shown; all are in rows.jsonl.</p>`}
    ${rows.slice(0, MOST_ROWS).map(article)}`;
}

function article({ row, given }: ShownRow): Html {
  const id = typeof row['id'] === 'string' && html`<span class="id">${row['id']}</span> `;
  return html`<article class="pair"><p class="prompt">${id}${promptOf(row, given)}</p>${body(row, given)}</article>`;
}

function body(row: OutputRow, given: ShownRow['given']): Html {
  if ('chosen' in row) {
    const certainty = typeof row['soft_label'] === 'number' ? finePercent(row['soft_label']) : '';
    return sides(side('preferred', textOf(row['chosen']), certainty), side('rejected', textOf(row['rejected'])));
  }
  if (Array.isArray(row['rounds'])) return revised(row, given);
  if (Array.isArray(row['principles']) && Array.isArray(row['responses'])) return compared(row['principles'] as Scored[], row['responses']);
  if ('satisfied' in row) {
    const chip = row['satisfied'] === true
      ? html` <span class="chip good">✓ satisfied</span>` : html` <span class="chip bad">✗ not satisfied</span>`;
    const judgment = typeof row['judgment'] === 'string' && html`<p class="judgment"><b>judgment</b> ${row['judgment']}</p>`;
    return html`${side(html`response${chip}`, textOf(row['completion']))}${judgment}`;
  }
  if (typeof row['score'] === 'number') {
    return side(`response: score ${row['score'].toFixed(2)}, from −1 to 1`, textOf(row['completion']));
  }
  // A labeler of a user's: every column as it is.
  return html`<pre class="wrap">${JSON.stringify(row, null, 2)}</pre>`;
}

interface Round { readonly principle?: string; readonly critique?: string; readonly revision?: string }

function revised({ messages, rounds }: OutputRow, given: ShownRow['given']): Html {
  const last = textOf((messages as readonly Message[]).at(-1)?.content);
  const first = given !== undefined && 'completion' in given ? given.completion : undefined;
  const said = (rounds as readonly Round[]).map(({ principle, critique }, i) => critique !== undefined
    && html`<p class="judgment"><b>round ${i + 1}${principle === undefined ? '' : `, ${principle}`}</b> ${critique}</p>`);
  const changed = first?.trim() !== last.trim();
  return html`${sides(side('first response', first ?? '–'), side(changed ? 'revision' : 'unchanged', last))}${said}`;
}

interface Scored { readonly name: string; readonly score: number }

function compared(principles: readonly Scored[], responses: readonly unknown[]): Html {
  const verdicts = principles.map(({ name, score }) => {
    const better = score > 0 ? 'the first is better' : 'the second is better';
    return `${name}: ${score === 0 ? 'the orders disagree' : `${better} (${Math.abs(score).toFixed(2)})`}`;
  });
  const both = sides(side('first', textOf(responses[0])), side('second', textOf(responses[1])));
  return html`${both}<p class="reason">${verdicts.join('; ')}</p>`;
}

const sides = (...both: readonly Html[]): Html => html`<div class="sides">${both}</div>`;
const side = (title: string | Html, text: string, note = ''): Html =>
  html`<div class="side"><h4>${title}${note !== '' && html` <span class="chip">${note}</span>`}</h4><div class="text">${text}</div></div>`;

/** A cell that holds a text, or messages of which the last one counts. */
function textOf(cell: unknown): string {
  const last: unknown = Array.isArray(cell) ? (cell as readonly unknown[]).at(-1) : cell;
  if (typeof last === 'object' && last !== null && 'content' in last) return String(last.content);
  return typeof last === 'string' ? last : '';
}

function promptOf(row: OutputRow, given: ShownRow['given']): string {
  if (given !== undefined) return given.prompt.at(-1)?.content ?? '';
  if ('prompt' in row) return textOf(row['prompt']);
  return Array.isArray(row['messages']) ? textOf(row['messages'].slice(0, -1)) : '';
}
