/** An index of the runs in a folder: `index.html`. */
import { existsSync } from 'node:fs';
import { readFile, readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { parse } from 'yaml';

import { UserError } from '../../errors.js';
import { atomicWrite } from '../files.js';
import { documentOf } from './document.js';
import { type Html, SCROLLING, html } from './html.js';
import { isSection, nameOf } from './measurements.js';
import { headlineText } from './summary.js';

interface Listed {
  readonly name: string;
  /** When something was last written: the summary, or while the run goes on the recipe. */
  readonly time: Date;
  /** The job with its method or labeler: "align, cut". */
  readonly what: string;
  readonly result: string;
  readonly hasReport: boolean;
}

/** Whether a folder holds runs: folders with a recipe.yaml. */
export async function holdsRuns(folder: string): Promise<boolean> {
  return !existsSync(join(folder, 'recipe.yaml')) && (await runsIn(folder)).length > 0;
}

/**
 * Writes `index.html` into a folder of runs: each run with what it did, its chief number and its report, the newest first. It opens
 * offline.
 *
 * @returns the file's absolute path
 * @throws UserError where the folder holds no run
 */
export async function writeIndex(folder: string): Promise<string> {
  const names = await runsIn(folder);
  if (names.length === 0) {
    throw new UserError(`${folder} holds no run: none of its folders has a recipe.yaml`, ['Name the folder of your runs, such as runs.']);
  }
  const runs = await Promise.all(names.map((name) => readListed(folder, name)));
  runs.sort((a, b) => b.time.getTime() - a.time.getTime() || (a.name < b.name ? -1 : 1));
  const path = join(resolve(folder), 'index.html');
  await atomicWrite(path, indexPage(runs));
  return path;
}

/** The runs in a folder, and those of sweeps in it, as paths from there. */
async function runsIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const found = await Promise.all(entries.filter((entry) => entry.isDirectory()).map(async ({ name }) => {
    if (existsSync(join(folder, name, 'recipe.yaml'))) return [name];
    return existsSync(join(folder, name, 'sweep.json')) ? (await runsIn(join(folder, name))).map((run) => `${name}/${run}`) : [];
  }));
  return found.flat();
}

async function readListed(folder: string, name: string): Promise<Listed> {
  const path = (file: string): string => join(folder, name, file);
  const summary = await sectionIn(path('summary.json'));
  const recipe = await sectionIn(path('recipe.yaml'));
  const { mtime } = await stat(path(summary === undefined ? 'recipe.yaml' : 'summary.json'));
  const { job } = summary ?? {};
  const part = nameOf(recipe?.['method']) ?? nameOf(recipe?.['label']);
  return {
    name, time: mtime, hasReport: existsSync(path('report.html')),
    what: [typeof job === 'string' ? job : undefined, part].filter((word) => word !== undefined).join(', '),
    result: summary === undefined ? 'under way, or stopped' : resultOf(summary),
  };
}

function resultOf(summary: Readonly<Record<string, unknown>>): string {
  const { job, labelled, rows, steps } = summary;
  if (job === 'label' && typeof labelled === 'number') return `${labelled} of ${String(rows)} rows labelled`;
  return headlineText(summary) ?? (typeof steps === 'number' ? `${steps} steps, nothing held out` : 'finished');
}

/** A file of YAML or JSON that holds names with values; undefined where it is missing or something else. */
async function sectionIn(file: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    const value: unknown = parse(await readFile(file, 'utf8'), { maxAliasCount: 0 });
    return isSection(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const minute = (time: Date): string => `${time.toISOString().slice(0, 16).replace('T', ' ')} UTC`;

function line({ name, time, what, result, hasReport }: Listed): Html {
  const link = hasReport ? html`<a href="${name.split('/').map(encodeURIComponent).join('/')}/report.html">${name}</a>` : html`${name}`;
  return html`<tr><th scope="row">${link}</th><td data-label="did">${what}</td><td class="strong" data-label="result">${result}</td>
    <td class="quiet" data-label="written">${minute(time)}</td></tr>`;
}

/** The page. Pure: the same runs give the same page. */
function indexPage(runs: readonly Listed[]): string {
  return documentOf('Runs', html`<main>
<h1>Runs</h1>
<p class="quiet">${runs.length} runs, the newest first</p>
<div ${SCROLLING}><table class="cards">
<thead><tr><th scope="col">run</th><th scope="col">did</th><th scope="col">result</th><th scope="col">written</th></tr></thead>
<tbody>${runs.map(line)}</tbody>
</table></div>
</main>`);
}
