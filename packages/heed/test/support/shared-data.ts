import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

const folder = process.env['HEED_DATA'] ?? resolve(import.meta.dirname, '../../../../../shared/data');

/**
 * Path of a published data file that is too restricted to ship with the repository, or undefined.
 * Set HEED_DATA to a folder that holds them; tests that need one skip with a message. Default: `shared/data` beside the checkout, so that
 * several checkouts find one copy of what none of them may hold.
 */
export function sharedData(name: string): string | undefined {
  const path = join(folder, name);
  if (existsSync(path)) return path;
  console.warn(`skipped: ${name} is not in ${folder} (set HEED_DATA)`);
  return undefined;
}
