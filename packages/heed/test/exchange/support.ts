import type { RawRow } from '../../src/data/source.js';
import type { RowKind } from '../../src/data/rows.js';
import type { Hints } from '../../src/exchange/import/format.js';
import { IMPORT_FORMATS } from '../../src/exchange/import/formats.js';
import type { Findings } from '../../src/exchange/import/found.js';
import { byReason, importRecords } from '../../src/exchange/import/import.js';
import type { ImportName } from '../../src/exchange/import/names.js';
import { rowsOfKind, type Weighing } from '../../src/exchange/import/rows.js';

/** Records as a file of one object per line has them. */
export const records = (...all: readonly object[]): RawRow[] =>
  all.map((fields, i) => ({ source: { file: 'file.jsonl', line: i + 1 }, fields: fields as Record<string, unknown> }));

export const formatOf = (name: ImportName) => IMPORT_FORMATS.find((one) => one.name === name)!;

export const findings = (name: ImportName, all: readonly object[], hints: Partial<Hints> = {}): Findings =>
  importRecords(formatOf(name), records(...all), { labels: new Map(), fields: new Map(), ...hints });

/** The rows of one kind, without where they are from. */
export const rows = (found: Findings, kind: RowKind, weighing: Weighing = {}): object[] =>
  rowsOfKind(found, kind, weighing).rows.map(({ fields }) => fields);

/** Why what was refused was refused, and how often. */
export const refusals = ({ refused }: Pick<Findings, 'refused'>): Record<string, number> =>
  Object.fromEntries(byReason(refused).map(({ reason, times }) => [reason, times]));

/** The last record of a list, changed deeply. */
export function change<T>(value: T, alter: (copy: T) => void): T {
  const copy = structuredClone(value);
  alter(copy);
  return copy;
}
