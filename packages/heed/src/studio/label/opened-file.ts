/** A file that is looked into and then labelled: it is read once for both. */
import { stat } from 'node:fs/promises';

import { readRows } from '../../data/read.js';
import { LabelData, type Material, type Pair, type Single, readPairs, readSingles } from '../../label/material.js';
import type { Project } from '../project.js';

/** What a file holds; each is read when it is first asked for. */
export interface OpenedFile {
  /** Columns of its first 100 rows. */
  columns(): Promise<ReadonlySet<string>>;
  singles(): Promise<Material<Single>>;
  pairs(): Promise<Material<Pair>>;
}

/** Two files are compared at most. */
const MOST = 2;
const opened = new WeakMap<Project, Map<string, { readonly mark: string; readonly file: OpenedFile }>>();

/**
 * Opens a file of a project, or gives the one that is open, if it did not change since.
 *
 * @throws ApiError 400 where the path leads out of the project; what it gives throws UserError where the file cannot be read
 */
export async function openedFile(project: Project, name: string): Promise<OpenedFile> {
  const path = await project.inside(name);
  const files = opened.get(project) ?? new Map<string, { mark: string; file: OpenedFile }>();
  opened.set(project, files);
  const { mtimeMs, size } = await stat(path).catch(() => ({ mtimeMs: 0, size: 0 }));
  const mark = `${mtimeMs} ${size}`;
  const kept = files.get(path);
  const one = kept?.mark === mark ? kept : { mark, file: open(path) };
  files.delete(path);
  files.set(path, one);
  if (files.size > MOST) files.delete(files.keys().next().value!);
  return one.file;
}

/** Lets go of the rows, once a set was made of them. */
export const letGo = (project: Project): boolean => opened.delete(project);

function open(path: string): OpenedFile {
  const data = LabelData.parse({ path, junk: 'skip' });
  return {
    columns: once(async () => new Set((await readRows(path)).slice(0, 100).flatMap(({ fields }) => Object.keys(fields)))),
    singles: once(() => readSingles(data)),
    pairs: once(() => readPairs(data)),
  };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
