/** A value of a table for other programs. */
export type CsvCell = string | number | undefined;

/** A cell: in quotes where it needs them. */
const written = (value: CsvCell): string => {
  const text = value === undefined ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** Lines as CSV (RFC 4180). */
export const csv = (lines: readonly (readonly CsvCell[])[]): string =>
  lines.map((line) => `${line.map(written).join(',')}\r\n`).join('');
