/** The headline and the numbers of `summary.json`. */
import type { LogRow } from '../metrics.js';
import type { ReportData } from './data.js';
import { SCROLLING, html } from './html.js';
import type { Html } from './html.js';
import { named, number, words } from './format.js';
import {
  CHANGE_NOTE, directionOf, isInterval, isNotDifference, isSection, measurementOf, middle, withoutRounding, writerOf,
} from './measurements.js';
import type { Interval, Writer } from './measurements.js';

type Summary = Readonly<Record<string, unknown>>;

/** One measurement on held-out rows, before and after. */
export interface Measured {
  /** As the summary names it. */
  readonly name: string;
  readonly title: string;
  readonly better?: 'higher' | 'lower';
  readonly before: unknown;
  readonly after: unknown;
  /** The paired change, where it was measured. */
  readonly change: unknown;
  readonly write: Writer;
}

/** The measurements in `before` and `after`, in the order of the summary: a job names its chief one first. */
export function measuredOf(summary: Summary): Measured[] {
  const [before, after, change] = ['before', 'after', 'change'].map((key): Summary => (isSection(summary[key]) ? summary[key] : {}));
  return [...new Set([...Object.keys(after!), ...Object.keys(before!)])].map((name) => {
    const scale = Math.max(...[before![name], after![name]].map((value) => Math.abs(middle(value) ?? 0)));
    const [was, is, by] = [before!, after!, change!].map((values) => withoutRounding(values[name], scale));
    const known = measurementOf(name);
    return { name, ...known, before: was, after: is, change: by, write: writerOf(known) };
  });
}

const range = (low: string, high: string): string => `${low} to ${high}`;

/** "Better" or "Worse"; "Higher" or "Lower" where neither is good by itself. */
function outcome(rise: boolean, better: Measured['better']): string {
  if (better === undefined) return rise ? 'Higher' : 'Lower';
  return rise === (better === 'higher') ? 'Better' : 'Worse';
}

/** What before and after say together, and how sure that is. */
export function verdict({ before, after, change, better, write }: Measured): string {
  if (isInterval(change)) {
    const interval = range(write.difference(change.low), write.difference(change.high));
    const rows = change.n === undefined ? '' : `, ${number(change.n)} held-out rows`;
    if (change.low <= 0 && change.high >= 0) {
      return `The difference may be chance: the 95 % interval of the change is ${interval}${rows}.`;
    }
    const by = write.difference(change.mean);
    return `${outcome(change.low > 0, better)} after training: ${by} on average (95 % interval ${interval}${rows}).`;
  }
  if (isInterval(before) && isInterval(after)) {
    if (after.low > before.high) return `${outcome(true, better)} after training: the 95 % intervals do not overlap.`;
    if (after.high < before.low) return `${outcome(false, better)} after training: the 95 % intervals do not overlap.`;
    return 'The difference may be chance: the 95 % intervals overlap.';
  }
  return 'No interval was measured: the difference may be chance.';
}

const arrow = (was: string, is: string): Html =>
  html`<p class="big"><span class="was">${was}</span> <span class="arrow" aria-label="to">→</span> <span class="is">${is}</span></p>`;

/** Steps of whose losses the mean is taken at either end. */
const ENDS = 10;

/** The loss of the rows that were learnt from, of a run that held none out. */
function lossHeadline(metrics: readonly LogRow[]): Html {
  const losses = metrics.flatMap(({ loss }) => (typeof loss === 'number' && Number.isFinite(loss) ? [loss] : []));
  if (losses.length < 2) return html``;
  const ends = Math.min(ENDS, Math.floor(losses.length / 2));
  const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;
  return html`<div class="headline">
    <p class="metric">loss of the rows that were learnt from, first ${ends} to last ${ends} of ${losses.length} steps</p>
    ${arrow(number(mean(losses.slice(0, ends))), number(mean(losses.slice(-ends))))}
    <p class="lede">Lower is better. No rows were held out, so nothing here says how the model does on others: set data.eval.</p>
  </div>`;
}

/** What a run is about in one line, for a list of runs: "good enough answers 33 % → 88 %". */
export function headlineText(summary: Summary): string | undefined {
  const chief = measuredOf(summary).find(({ before, after }) => middle(before) !== undefined && middle(after) !== undefined);
  if (chief === undefined) return undefined;
  const [was, is] = [chief.before, chief.after].map((value) => chief.write.value(middle(value)!));
  const direction = directionOf(chief);
  return `${chief.title} ${was} → ${is}${direction === undefined ? '' : ` (${direction})`}`;
}

/** The one number that a run is about, before → after, and what it says. */
export function headline({ summary, metrics, live }: Pick<ReportData, 'summary' | 'metrics' | 'live'>): Html {
  if (!summary) {
    const state = live
      ? 'This run has not ended yet; what follows is what it has written so far.'
      : 'This run stopped before its end: it was interrupted, or it failed. What follows is what it had written. The command that '
        + 'began it goes on with --resume.';
    return html`<p class="lede">${state}</p>`;
  }
  const metric = typeof summary['metric'] === 'string' ? summary['metric'] : undefined;
  const chief = measuredOf(summary).find(({ before, after }) => middle(before) !== undefined && middle(after) !== undefined);
  if (!chief) return metric === undefined ? lossHeadline(metrics) : html`<p class="lede">${metric}</p>`;
  const { before, after, better, write } = chief;
  const direction = better === undefined ? '' : ` ${better === 'lower' ? 'Lower' : 'Higher'} is better.`;
  const [was, is] = [before, after].map((value) => write.value(middle(value)!));
  return html`<div class="headline">
    <p class="metric">${metric ?? `${chief.title} on held-out rows`}</p>
    ${arrow(was!, is!)}
    <p class="lede">${verdict(chief)}${direction}</p>
  </div>`;
}

/** A number as `show` writes it, with its interval behind it. */
function measuredCell(value: unknown, show: (value: number) => string): Html {
  if (isInterval(value)) return html`${show(value.mean)} <span class="quiet">${range(show(value.low), show(value.high))}</span>`;
  return html`${typeof value === 'number' ? show(value) : named('', value).text}`;
}

/** A measurement in words, and its good direction. */
function titleCell({ title, better }: Pick<Measured, 'title' | 'better'>): Html {
  const direction = directionOf({ better });
  return html`<th scope="row">${title}${direction && html` <span class="quiet">${direction}</span>`}</th>`;
}

/** Every measurement on held-out rows: before, after, change, and the good direction. */
function measuredTable(measured: readonly Measured[]): Html {
  const changed = measured.some(({ change }) => isInterval(change));
  const odd = measured.some(({ before, after, change }) => isNotDifference(before, after, change));
  const intervals = measured.some(({ before, after, change }) => [before, after, change].some(isInterval));
  const cell = (label: string, content: Html): Html => html`<td data-label="${label}">${content}</td>`;
  return html`<div ${SCROLLING}><table class="cards">
    <caption>Measured on held-out rows${intervals && html` <span class="quiet">with 95 % intervals</span>`}</caption>
    <thead><tr><th></th><th scope="col">before</th><th scope="col">after</th>${
      changed && html`<th scope="col">change</th>`}</tr></thead>
    <tbody>${measured.map((one) => html`<tr>${titleCell(one)}${cell('before', measuredCell(one.before, one.write.value))}${
      cell('after', html`<span class="strong">${measuredCell(one.after, one.write.value)}</span>`)}${
      changed && cell('change', measuredCell(one.change, one.write.difference))}</tr>`)}</tbody>
  </table></div>${odd && html`<p class="note">${CHANGE_NOTE}</p>`}`;
}

function whisker({ mean, low, high }: Interval, from: number, to: number): Html {
  const x = (value: number): string => (to > from ? ((100 * (value - from)) / (to - from)).toFixed(2) : '50');
  const line = (kind: string, x1: string, x2: string, y1: number, y2: number): Html =>
    html`<line x1="${x1}" x2="${x2}" y1="${y1}" y2="${y2}" class="${kind}" />`;
  return html`<svg class="whisker" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">${[
    line('axis', '0', '100', 5, 5), line('range', x(low), x(high), 5, 5), line('mean', x(mean), x(mean), 1, 9),
  ]}</svg>`;
}

type Intervals = readonly (readonly [name: string, interval: Interval])[];

/** Several means on one axis. */
function intervalTable(title: string, rows: Intervals): Html {
  const from = Math.min(0, ...rows.map(([, { low }]) => low));
  const to = Math.max(...rows.map(([, { high }]) => high));
  return html`<div ${SCROLLING}><table class="intervals cards">
    <caption>${title}</caption>
    <thead><tr><th scope="col"></th><th scope="col" class="num">mean</th><th scope="col" class="num">95 % interval</th>
      <th scope="col" class="num">n</th>
      <th scope="col" class="plot"><span>${number(from)}</span><span>${number(to)}</span></th></tr></thead>
    <tbody>${rows.map(([name, r]) => html`<tr><th scope="row">${words(name)}</th>
      <td class="num strong" data-label="mean">${number(r.mean)}</td>
      <td class="num" data-label="95 % interval">${range(number(r.low), number(r.high))}</td>
      <td class="num" data-label="n">${number(r.n)}</td>
      <td class="plot">${whisker(r, from, to)}</td></tr>`)}</tbody>
  </table></div>`;
}

function plainCell(value: unknown): string {
  return isInterval(value) ? `${number(value.mean)} (${range(number(value.low), number(value.high))})` : named('', value).text;
}

interface Parts {
  readonly title: string;
  readonly parts: readonly (readonly [name: string, part: Record<string, unknown>])[];
}

const fieldsOf = ({ parts }: Parts): string[] => [...new Set(parts.flatMap(([, part]) => Object.keys(part)))];

/** Parts with the same measurements, such as other methods at the same budget: measurements down, parts across. */
function partsTable(table: Parts): Html {
  return html`<div ${SCROLLING}><table class="cards">
    <caption>${table.title}</caption>
    <thead><tr><th></th>${table.parts.map(([name]) => html`<th scope="col" class="num">${words(name)}</th>`)}</tr></thead>
    <tbody>${fieldsOf(table).map((field) => {
      const known = measurementOf(field);
      const cell = (name: string, value: unknown): Html =>
        html`<td class="num" data-label="${words(name)}">${measuredCell(value, writerOf(known).value)}</td>`;
      return html`<tr>${titleCell(known)}${table.parts.map(([name, part]) => cell(name, part[field]))}</tr>`;
    })}</tbody>
  </table></div>`;
}

/** A list of parts, such as what each round did: parts down, fields across. A first field that counts them, as `round` does, names them. */
function listTable(table: Parts): Html {
  const [first, ...rest] = fieldsOf(table);
  const counts = first !== undefined && table.parts.every(([name, part]) => String(part[first]) === name);
  const fields = counts ? rest : fieldsOf(table);
  const cell = (field: string, part: Record<string, unknown>): Html =>
    html`<td class="num" data-label="${measurementOf(field).title}">${plainCell(part[field])}</td>`;
  return html`<div ${SCROLLING}><table class="cards">
    <caption>${table.title}</caption>
    <thead><tr><th>${counts && words(first)}</th>${
      fields.map((field) => html`<th scope="col" class="num">${measurementOf(field).title}</th>`)}</tr></thead>
    <tbody>${table.parts.map(([name, part]) =>
      html`<tr><th scope="row">${name}</th>${fields.map((field) => cell(field, part))}</tr>`)}</tbody>
  </table></div>`;
}

/** Every number of the summary, in tables that fit its form. */
export function summaryTables(summary: Summary): Html {
  const measured = measuredOf(summary);
  const tables: Html[] = measured.length > 0 ? [measuredTable(measured)] : [];
  const facts: { name: string; text: string }[] = [];
  const shown = ['metric', ...(measured.length > 0 ? ['before', 'after', 'change'] : [])];
  const rest = Object.entries(summary).filter(([key, value]) => value !== null && value !== undefined && !shown.includes(key));

  const single = rest.filter((entry): entry is [string, Interval] => isInterval(entry[1]));
  if (single.length > 0) tables.push(intervalTable('result', single));
  for (const [key, value] of rest) {
    if (isInterval(value)) continue;
    const title = words(key);
    if (Array.isArray(value) && value.length > 0 && value.every(isSection)) {
      tables.push(listTable({ title, parts: value.map((part, i) => [`${i + 1}`, part]) }));
    } else if (isSection(value)) {
      const inner = Object.entries(value);
      const parts = inner.filter((entry): entry is [string, Record<string, unknown>] => isSection(entry[1]));
      const intervals = inner.filter((entry): entry is [string, Interval] => isInterval(entry[1]));
      if (intervals.length > 0 && intervals.length === inner.length) tables.push(intervalTable(title, intervals));
      else {
        if (parts.length > 0) tables.push(partsTable({ title, parts }));
        const single = inner.filter(([, part]) => !isSection(part)).map(([name, part]) => named(name, part));
        facts.push(...single.map(({ name, text }) => ({ name: `${title}, ${name}`, text })));
      }
    } else facts.push(named(key, value));
  }
  const list = html`<dl class="facts">${facts.map(({ name, text }) => html`<div><dt>${name}</dt><dd>${text}</dd></div>`)}</dl>`;
  return html`${tables}${facts.length > 0 && list}`;
}
