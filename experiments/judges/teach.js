// @ts-check
// `heed train` over rows that are made for it.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { heed, quote } from '../shared/heed.js';

/**
 * Trains recipes/<recipe>.yaml.
 *
 * @param {string} recipe @param {readonly object[]} rows @param {{ work: string, set: readonly string[] }} how
 * @returns The adapter's folder, the command as it is typed, and what `heed train` printed.
 */
export async function teach(recipe, rows, { work, set }) {
  const file = join(work, `${recipe}.jsonl`);
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const dir = join(work, recipe);
  const args = [`recipes/${recipe}.yaml`, ...set];
  const { result } = await heed(['train', ...args, `data=${file}`, `run.dir=${dir}`, '--overwrite']);
  return { adapter: join(dir, 'adapter'), command: `heed train ${args.map(quote).join(' ')} data=<rows>`, summary: result };
}
