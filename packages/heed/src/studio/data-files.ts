/** Files of rows in the project folder. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { DataOptions, type LoadedData, loadData } from '../data/load.js';
import type { RowKind, RowOf } from '../data/rows.js';
import type { DataFiles } from './api.js';
import { type Project, isRun } from './project.js';

const READABLE = /\.(?:jsonl|ndjson|json|csv|tsv)(?:\.gz)?$|\.parquet$/i;
const PASSED_OVER = new Set(['node_modules', '__pycache__', 'dist']);
/** JSON that is about a program, and not rows. */
const NO_ROWS = /^(?:package(?:-lock)?|tsconfig.*|.*config|tokenizer|vocab|special_tokens_map|added_tokens)\.json$/i;
const MOST_FOLDERS = 2_000;
const MOST_FILES = 500;
const DEEPEST = 6;

/** Looks beneath the project folder, but into no run, no folder that begins with a dot and no symbolic link. */
export async function dataFiles({ folder, named }: Project): Promise<DataFiles> {
  const files: DataFiles['files'][number][] = [];
  const level = [folder];
  let seen = 0;
  for (let depth = 0; depth <= DEEPEST && level.length > 0; depth++) {
    for (const dir of level.splice(0)) {
      if (++seen > MOST_FOLDERS || files.length >= MOST_FILES) return { files: newest(files), more: true };
      if (isRun(dir)) continue;
      for (const entry of await readdir(dir, { withFileTypes: true }).catch(() => [])) {
        if (entry.name.startsWith('.')) continue;
        const path = join(dir, entry.name);
        if (entry.isDirectory() && !PASSED_OVER.has(entry.name)) level.push(path);
        if (!entry.isFile() || !READABLE.test(entry.name) || NO_ROWS.test(entry.name)) continue;
        const { size, mtime } = await stat(path);
        files.push({ file: named(path), bytes: size, changed: mtime.toISOString() });
      }
    }
  }
  return { files: newest(files), more: level.length > 0 };
}

const newest = (files: DataFiles['files']): DataFiles['files'] => [...files].sort((a, b) => (a.changed < b.changed ? 1 : -1));

/** Rows that were read of a file. */
export interface RowCache { of<Kind extends RowKind>(path: string, kind: Kind): Promise<LoadedData<RowOf<Kind>>> }

/** Reads the rows of one file at a time and keeps them, so that turning pages does not read it again. Junk is left out. */
export function createRowCache(): RowCache {
  let kept: { readonly key: string; readonly data: Promise<unknown> } | undefined;
  return {
    async of(path, kind) {
      const { mtimeMs, size } = await stat(path).catch(() => ({ mtimeMs: 0, size: 0 }));
      const key = JSON.stringify([path, kind, mtimeMs, size]);
      if (kept?.key !== key) kept = { key, data: loadData(DataOptions.parse({ path, junk: 'skip' }), kind) };
      return kept.data as Promise<LoadedData<RowOf<typeof kind>>>;
    },
  };
}
