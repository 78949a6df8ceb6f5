import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Table, tableOf } from '../../src/ops/table.js';
import { mapped } from '../../src/tensor.js';

/** Just past 2^26 numbers, from where on a head is worked through in parts, of about 2^23. */
const [V, H] = [2 ** 20 + 3, 68];

export interface LargeTable {
  readonly folder: string;
  readonly table: Table;
  readonly width: number;
  /** Rows at the ends of parts and within them, and the number that each of them holds everywhere: ± its own, exact in a float32. */
  readonly ids: Int32Array;
  readonly expected: Float32Array;
  remove(): void;
}

/** A file with a table as large as embeddings are. */
export function largeTable(): LargeTable {
  const folder = mkdtempSync(path.join(tmpdir(), 'heed-table-'));
  const valueOf = (row: number): number => (row % 2 === 0 ? row : -row);
  const numbers = new Float32Array(V * H);
  for (let row = 0; row < V; row++) numbers.fill(valueOf(row), row * H, (row + 1) * H);
  writeFileSync(path.join(folder, 'w'), numbers);
  const place = (from: number, to: number) => ({ file: 'w', offset: from * H * 4, length: (to - from) * H * 4 });
  const size = Math.ceil(V / 9);
  const ids = Int32Array.of(0, 1, size - 1, size, 5 * size + 7, V - 1, 1);
  return {
    folder,
    table: {
      ...tableOf(mapped('float32', [V, H], place(0, V))), part: (from, to) => mapped('float32', [to - from, H], place(from, to)),
    },
    width: H,
    ids,
    expected: Float32Array.from({ length: ids.length * H }, (_, i) => valueOf(ids[Math.floor(i / H)]!)),
    remove: () => { rmSync(folder, { recursive: true }); },
  };
}
