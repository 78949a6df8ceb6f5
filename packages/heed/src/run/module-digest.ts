import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** `from './x.js'`, `import('./x.js')`, `import './x.js'`, `require('./x.js')`: a file beside the module. */
const IMPORT = /\b(?:from|import|require)\s*\(?\s*['"](\.{1,2}\/[^'"\n]+)['"]/g;
const ENDINGS = ['', '.ts', '.mts', '.js', '.mjs', '.json', '/index.ts', '/index.js'];

/**
 * A digest (SHA-256, 12 hex digits) of a user's module: of its file, and of every file that it imports by a relative path, however deep.
 * Packages, and files that the module reads as it runs, do not count.
 */
export async function moduleDigest(file: string): Promise<string> {
  const hash = createHash('sha256');
  const seen = new Set<string>();
  const take = async (path: string): Promise<void> => {
    if (seen.has(path)) return;
    seen.add(path);
    const text = await readFile(path, 'utf8');
    hash.update(`${text}\u0000`);
    for (const [, specifier] of text.matchAll(IMPORT)) {
      const next = fileOf(resolve(dirname(path), specifier!));
      if (next !== undefined) await take(next);
    }
  };
  await take(resolve(file));
  return hash.digest('hex').slice(0, 12);
}

/** The file that a path of an import stands for; undefined where there is none, which loading the module says better. */
function fileOf(path: string): string | undefined {
  const plain = ENDINGS.map((ending) => `${path}${ending}`);
  // TypeScript names ./x.ts by ./x.js.
  const written = plain.concat(path.replace(/\.(m?)js$/, '.$1ts'));
  return written.find((one) => existsSync(one) && statSync(one).isFile());
}
