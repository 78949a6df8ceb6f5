/** The folder that the studio shows. Nothing outside it is read or written, whatever a request or a symbolic link says. */
import { readdir, realpath } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';

import { UserError } from '../errors.js';
import { ApiError } from '../serve/api-error.js';

/** A project folder. */
export interface Project {
  /** Absolute, symbolic links resolved. */
  readonly folder: string;
  readonly name: string;
  /**
   * The absolute path of something in the project, which may not exist yet.
   *
   * @param path relative to the folder, with `/`
   * @throws ApiError 400 where the path leads out of the folder, by itself or through a symbolic link
   */
  inside(path: string): Promise<string>;
  /** The folder of a run. @throws ApiError 404 where it is none */
  runFolder(run: string): Promise<string>;
  /** How a path of the project is written in requests: relative, with `/`. */
  named(path: string): string;
  /** The run folders, and how many folders were left unseen. */
  runs(): Promise<{ readonly runs: readonly string[]; readonly unseen: number }>;
}

/** Folders that are looked into for runs. */
const MOST_FOLDERS = 20_000;
const DEEPEST = 8;
const PASSED_OVER = new Set(['node_modules', 'checkpoints', 'adapter', 'work', '__pycache__']);
/** What a run's folder has beside its recipe. */
const BESIDE = ['metrics.jsonl', 'checkpoints', 'summary.json'];

/** @throws UserError where there is no such folder */
export async function openProject(given: string): Promise<Project> {
  const folder = await realpath(resolve(given)).catch(() => {
    throw new UserError(`There is no folder ${given}`, ['Name the folder that holds your runs, or leave it out for the one you are in.']);
  });
  const within = (path: string): boolean => path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
  const project: Project = {
    folder,
    name: basename(folder),
    async inside(path) {
      const refused = new ApiError(400, `${JSON.stringify(path)} is not a path in the project folder.`, { code: 'outside' });
      if (path === '' || path.includes('\0') || isAbsolute(path)) throw refused;
      const wanted = resolve(folder, path);
      if (!within(wanted) || !within(await realDeepest(wanted))) throw refused;
      return wanted;
    },
    async runFolder(run) {
      const dir = await project.inside(run);
      if (!isRun(dir)) throw new ApiError(404, `${run} is not a run folder: it has no recipe.yaml.`, { code: 'no_run' });
      return dir;
    },
    named: (path) => relative(folder, path).split(sep).join('/') || '.',
    async runs() {
      const runs: string[] = [];
      const level = [folder];
      let seen = 0;
      for (let depth = 0; depth <= DEEPEST && level.length > 0; depth++) {
        for (const dir of level.splice(0)) {
          if (++seen > MOST_FOLDERS) return { runs, unseen: level.length + 1 };
          if (isRun(dir)) runs.push(dir);
          else level.push(...(await foldersIn(dir)));
        }
      }
      return { runs, unseen: level.length };
    },
  };
  return project;
}

/** Whether a folder is a run's. */
export const isRun = (dir: string): boolean => existsSync(join(dir, 'recipe.yaml')) && BESIDE.some((name) => existsSync(join(dir, name)));

/** Symbolic links are not followed: a link to a folder above would never end. */
async function foldersIn(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && !PASSED_OVER.has(entry.name))
    .map(({ name }) => join(dir, name));
}

/** The real path of what there is of a path, with the rest behind it. */
async function realDeepest(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) throw error;
    return join(await realDeepest(dirname(path)), basename(path));
  }
}
