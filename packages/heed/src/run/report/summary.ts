/** The headline and the numbers of `summary.json`. */
import { html } from './html.js';
import type { Html } from './html.js';
import { named, number, percent, words } from './format.js';

/** A mean with its interval, as `summary.json` holds it. */
interface Interval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  readonly n?: number;
}

const isSection = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

const isInterval = (value: unknown): value is Interval => isSection(value) && ['mean', 'low', 'high'].every((key) => typeof value[key] === 'number');

type Intervals = [name: string, interval: Interval][];

const intervalsIn = (value: Record<string, unknown>): Intervals => Object.entries(value).filter((entry): entry is [string, Interval] => isInterval(entry[1]));

/** The headline's shares are shown as percentages: values that all lie in [0, 1]. Of other intervals nobody says that they are shares: a finding an answer is not 100 %. */
const isShare = (rows: Intervals): boolean => rows.every(([, { low, high, mean }]) => [low, high, mean].every((v) => v >= 0 && v <= 1));

/** The one number that a run is about: before → after. */
export function headline(summary: Readonly<Record<string, unknown>> | undefined): Html {
  if (!summary) return html`<p class="lede">This run has not ended yet; what follows is what it has written so far.</p>`;
  const rows = intervalsIn(summary);
  const before = rows.find(([name]) => name === 'base') ?? rows[0];
  const after = rows.find(([name]) => name === 'cut' || name === 'after') ?? rows.find(([name]) => name !== before?.[0]);
  const metric = typeof summary['metric'] === 'string' ? summary['metric'] : '';
  if (!before || !after) return metric ? html`<p class="lede">${metric}</p>` : html``;
  const shown = isShare(rows) ? percent : number;
  const [, b] = before;
  const [, a] = after;
  const verdict =
    a.low > b.high ? 'The 95 % intervals do not overlap: a gain.' : a.high < b.low ? 'The 95 % intervals do not overlap: a loss.' : 'The 95 % intervals overlap: the difference may be chance.';
  return html`<div class="headline">
    <p class="metric">${metric}</p>
    <p class="big"><span class="was">${shown(b.mean)}</span> <span class="arrow" aria-label="to">→</span> <span class="is">${shown(a.mean)}</span></p>
    <p class="lede">${verdict}</p>
  </div>`;
}

function whisker({ mean, low, high }: Interval, from: number, to: number): Html {
  const x = (value: number): string => (to > from ? ((100 * (value - from)) / (to - from)).toFixed(2) : '50');
  return html`<svg class="whisker" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><line x1="0" x2="100" y1="5" y2="5" class="axis" /><line x1="${x(low)}" x2="${x(high)}" y1="5" y2="5" class="range" /><line x1="${x(mean)}" x2="${x(mean)}" y1="1" y2="9" class="mean" /></svg>`;
}

function intervalTable(title: string, rows: Intervals, share = false): Html {
  const shown = share ? percent : number;
  const from = share ? 0 : Math.min(0, ...rows.map(([, r]) => r.low));
  const to = share ? 1 : Math.max(...rows.map(([, r]) => r.high));
  return html`<div class="scroll"><table class="intervals">
    <caption>${title}</caption>
    <thead><tr><th scope="col"></th><th scope="col" class="num">mean</th><th scope="col" class="num">95 % interval</th><th scope="col" class="num">n</th><th scope="col" class="plot"><span>${shown(from)}</span><span>${shown(to)}</span></th></tr></thead>
    <tbody>${rows.map(
      ([name, r]) => html`<tr><th scope="row">${words(name)}</th><td class="num strong">${shown(r.mean)}</td><td class="num">${shown(r.low)} – ${shown(r.high)}</td><td class="num">${number(r.n)}</td><td class="plot">${whisker(r, from, to)}</td></tr>`,
    )}</tbody>
  </table></div>`;
}

/** A section whose parts have the same fields, such as fluency of base and cut: fields down, parts across. */
function matrix(title: string, parts: [string, Record<string, unknown>][]): Html {
  const fields = [...new Set(parts.flatMap(([, part]) => Object.keys(part)))];
  const cell = (value: unknown): string => (isInterval(value) ? `${number(value.mean)} (${number(value.low)} – ${number(value.high)})` : typeof value === 'number' ? number(value) : value === undefined || value === null ? '–' : named('', value).text);
  return html`<div class="scroll"><table>
    <caption>${title}</caption>
    <thead><tr><th></th>${parts.map(([name]) => html`<th scope="col" class="num">${words(name)}</th>`)}</tr></thead>
    <tbody>${fields.map((field) => html`<tr><th scope="row">${words(field)}</th>${parts.map(([, part]) => html`<td class="num">${cell(part[field])}</td>`)}</tr>`)}</tbody>
  </table></div>`;
}

/** Every number of the summary, in tables that fit their form. */
export function summaryTables(summary: Readonly<Record<string, unknown>>): Html {
  const tables: Html[] = [];
  const facts: { name: string; text: string }[] = [];
  const top = intervalsIn(summary);
  if (top.length > 0) tables.push(intervalTable(typeof summary['metric'] === 'string' ? summary['metric'] : 'result', top, isShare(top)));
  for (const [key, value] of Object.entries(summary)) {
    if (isInterval(value) || (key === 'metric' && top.length > 0)) continue;
    if (value === null || value === undefined) continue; // such as resumedFrom of a run that never stopped
    if (Array.isArray(value) && value.length > 0 && value.every(isSection)) tables.push(matrix(words(key), value.map((part, i) => [String(i + 1), part])));
    else if (!isSection(value)) facts.push(named(key, value));
    else if (Object.keys(value).length === 0) continue;
    else if (Object.values(value).every(isInterval)) tables.push(intervalTable(words(key), intervalsIn(value)));
    else {
      const inner = Object.entries(value);
      const parts = inner.filter((entry): entry is [string, Record<string, unknown>] => isSection(entry[1]));
      if (parts.length > 0) tables.push(matrix(words(key), parts));
      facts.push(...inner.filter(([, v]) => !isSection(v)).map(([name, v]) => ({ name: `${words(key)}, ${named(name, v).name}`, text: named(name, v).text })));
    }
  }
  return html`${tables}${facts.length > 0 && html`<dl class="facts">${facts.map(({ name, text }) => html`<div><dt>${name}</dt><dd>${text}</dd></div>`)}</dl>`}`;
}
