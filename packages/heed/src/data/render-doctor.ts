import type { DoctorReport, Finding } from './doctor.js';
import type { Lengths } from './lengths.js';
import { at } from './source.js';
import type { Table } from './table.js';
import { describeUnused } from './unused.js';

const SHOWN = 5;
const BAR = 40;

/**
 * The report as plain text for a terminal, most serious first as `examine` orders it.
 *
 * @param elsewhere Whether faults that the report does not know are told beside it. Default: false.
 */
export function renderDoctor(report: DoctorReport, elsewhere = false): string {
  const width = Math.max(...Object.keys(report.counts).map((name) => name.length));
  const counts = Object.entries(report.counts).map(([name, n]) => `  ${name.padEnd(width)}  ${n}`);
  const lengths = report.lengths === undefined ? [] : ['', ...renderLengths(report.lengths)];
  const none = elsewhere ? [] : ['Nothing found that would spoil training.'];
  const findings = report.findings.length === 0 ? none : report.findings.flatMap(renderFinding);
  const tables = report.tables.flatMap((table) => ['', ...renderTable(table)]);
  const unused = describeUnused(report.unused).flatMap((line) => ['', line]);
  return [`${report.kind} rows`, ...counts, ...unused, ...tables, ...lengths, '', ...findings].join('\n');
}

function renderLengths(lengths: Lengths): string[] {
  const most = Math.max(...lengths.histogram.map(({ rows }) => rows));
  const width = String(lengths.max * 2).length;
  const bars = lengths.histogram.map(({ from, to, rows }) => {
    const bar = '█'.repeat(Math.ceil((rows / most) * BAR));
    return `  ${String(from).padStart(width)}–${String(to - 1).padEnd(width)} ${bar} ${rows}`;
  });
  const { min, median, p95, max, total } = lengths;
  return [`tokens per row: min ${min}, median ${Math.round(median)}, 95 % ${Math.round(p95)}, max ${max}; ${total} in all`, ...bars];
}

function renderTable({ title, lines }: Table): string[] {
  const most = Math.max(...lines.map(({ rows }) => rows));
  const width = Math.max(...lines.map(({ name }) => name.length));
  return [title, ...lines.map(({ name, rows }) => `  ${name.padEnd(width)} ${'█'.repeat(Math.ceil((rows / most) * BAR))} ${rows}`)];
}

function renderFinding({ name, rows, sources, advice }: Finding): string[] {
  const shown = sources.slice(0, SHOWN).map(at).join(', ');
  const rest = rows > SHOWN ? `, … and ${rows - SHOWN} more` : '';
  return [`${name}: ${rows} row${rows === 1 ? '' : 's'}`, `  ${advice}`, `  ${shown}${rest}`];
}
