/** Adapters and controllers as a command names them. */
import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';

/**
 * NAME=FOLDER, or a folder: a run's `adapter` or `controller` goes by the run's name. What is there as it stands is a folder, also with an
 * equals sign: a sweep's runs are called `seed=0`.
 */
export function named(specs: readonly string[]): readonly (readonly [name: string, folder: string])[] {
  return specs.map((spec) => {
    const at = spec.indexOf('=');
    if (at > 0 && !existsSync(spec)) return [spec.slice(0, at), spec.slice(at + 1)];
    const folder = resolve(spec);
    const own = basename(folder);
    return [['adapter', 'controller'].includes(own) ? basename(resolve(folder, '..')) : own, spec];
  });
}
