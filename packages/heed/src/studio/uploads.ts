/** Files that a browser sends: into `data/` of the project folder, under a name of their own. */
import { existsSync } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { ApiError, badRequest } from '../serve/api-error.js';
import type { Project } from './project.js';

/** Most bytes of a file. */
export const MOST_UPLOAD = 256 * 2 ** 20;
/** Where a file is sent to; other requests are bounded more narrowly. */
export const UPLOADS = '/api/data/upload';

const READABLE = /\.(?:jsonl|ndjson|json|csv|tsv|parquet)(?:\.gz)?$/i;

/** The name of a file without folders and without the endings of its format. */
export const plainName = (file: string): string =>
  basename(file.replaceAll('\\', '/')).replace(/(\.(jsonl|ndjson|json|csv|tsv|parquet|gz))+$/i, '');

/** A path of the project at which nothing is: `start/log`, else `start/log-2`. Relative to the project folder. */
export function freeName(project: Project, wanted: string, ending = ''): string {
  for (let n = 1; ; n++) {
    const name = `${wanted}${n === 1 ? '' : `-${n}`}${ending}`;
    if (!existsSync(join(project.folder, name))) return name;
  }
}

/**
 * Keeps a file. Nothing is overwritten.
 *
 * @param named As the browser calls it; letters, digits, dots and dashes of it are kept.
 * @returns Its path, relative to the project folder.
 * @throws ApiError 400 for a kind of file that is not read here
 */
export async function keepUpload(project: Project, named: string, body: ReadableStream<Uint8Array>): Promise<string> {
  const [ending = ''] = READABLE.exec(named) ?? [];
  if (ending === '') throw badRequest('Readable are .jsonl .ndjson .json .csv .tsv (each also .gz) and .parquet.', 'name');
  const plain = plainName(named).normalize('NFC').replaceAll(/[^\p{L}\p{N}._-]+/gu, '-').replace(/^[.-]+/, '').slice(0, 80);
  const file = freeName(project, join('data', plain === '' ? 'rows' : plain), ending.toLowerCase());
  const path = await project.inside(file);
  await mkdir(dirname(path), { recursive: true });
  const handle = await open(path, 'wx');
  try {
    for await (const chunk of body) await handle.write(chunk);
    await handle.sync();
  } catch (error) {
    await rm(path, { force: true });
    if (error instanceof ApiError) throw error;
    throw new ApiError(400, `The file did not arrive whole: ${(error as Error).message}`, { code: 'cut_off' });
  } finally {
    await handle.close();
  }
  return file;
}
