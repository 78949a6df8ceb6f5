/** Where a row came from, so that every message can name it. */
export interface Source {
  readonly file: string;
  /** 1-based: the line of a JSONL or CSV file, the row of a Parquet file or JSON array. */
  readonly line: number;
  /** What `line` counts. Absent: lines. */
  readonly unit?: 'line' | 'row';
}

/** `votes.jsonl:12`, or `votes.parquet row 12` where a file has no lines. */
export function at(source: Source): string {
  return source.unit === 'row' ? `${source.file} row ${source.line}` : `${source.file}:${source.line}`;
}

/** One record of a data file before anything is known about its columns. */
export interface RawRow {
  readonly source: Source;
  readonly fields: Readonly<Record<string, unknown>>;
  /** True where the format has no types (CSV): every value is a string, or null for an empty cell. */
  readonly untyped?: boolean;
}
