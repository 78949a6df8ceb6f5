/** What a run's recipe and summary say, as far as it can be read. */
import { readFile } from 'node:fs/promises';

import { parse } from 'yaml';

import { isSection } from '../run/report/measurements.js';
import type { Job } from './api.js';
import type { SummaryFile } from './measured.js';

/** A YAML or JSON file that holds names with values; undefined where it is missing or something else. */
export async function sectionIn(file: string): Promise<SummaryFile | undefined> {
  try {
    const value: unknown = parse(await readFile(file, 'utf8'), { maxAliasCount: 0 });
    return isSection(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Which verb made a run, as the recipe in its folder shows: each kind has a section of its own, written out with its defaults. */
export function jobOf(recipe: SummaryFile): Job {
  if ('tasks' in recipe) return 'control';
  if ('loop' in recipe || 'generate' in recipe) return 'align';
  return 'label' in recipe && !('method' in recipe) ? 'label' : 'train';
}
