// @ts-check
// Packs the packages as npm would publish them. Needs a build.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { PACKAGES, packageFiles } from './package-files.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * @param {string} into a folder that is there
 * @returns {{ name: string, version: string, file: string, size: number, unpackedSize: number, files: { path: string, size: number }[] }[]}
 */
export function packAll(into) {
  packageFiles();
  return PACKAGES.map((name) => {
    const packed = spawnSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', into], {
      cwd: path.join(ROOT, 'packages', name), encoding: 'utf8', maxBuffer: 2 ** 26,
    });
    if (packed.status !== 0) throw new Error(`npm pack of packages/${name} failed:\n${packed.stderr}`);
    const [made] = JSON.parse(packed.stdout);
    return { ...made, file: path.join(into, made.filename) };
  });
}
