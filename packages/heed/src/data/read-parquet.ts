import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { UserError } from '../errors.js';
import type { RawRow } from './source.js';

/** Parquet with any of its usual compressions. 64-bit integers become numbers where they fit exactly. */
export async function readParquet(path: string): Promise<RawRow[]> {
  let records: Record<string, unknown>[];
  try {
    const file = await asyncBufferFromFile(path);
    records = await parquetReadObjects({ file, compressors });
  } catch (cause) {
    throw new UserError(`${path} is not readable as Parquet: ${(cause as Error).message}`, [], { cause });
  }
  return records.map((fields, index) => ({
    source: { file: path, line: index + 1, unit: 'row' },
    fields: plain(fields) as Record<string, unknown>,
  }));
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Date) return value.toISOString();
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
}
