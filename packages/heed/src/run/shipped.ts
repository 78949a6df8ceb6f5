/** The recipes and examples that come with Heed. */
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGE = fileURLToPath(new URL('../../', import.meta.url));

/**
 * A file or folder that comes with Heed, as a path from the folder where the command is run: of the installed package, or of the checkout,
 * which keeps recipes and examples at its root.
 *
 * @param path such as `recipes/cut.yaml`
 */
export function shipped(path: string): string {
  const root = existsSync(join(PACKAGE, 'tsconfig.json')) ? join(PACKAGE, '..', '..') : PACKAGE;
  return relative('.', join(root, path));
}
