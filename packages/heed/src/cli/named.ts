/** Adapters and controllers as a command names them. */
import { basename, resolve } from 'node:path';

/** NAME=FOLDER, or a folder: a run's `adapter` or `controller` goes by the run's name. */
export function named(specs: readonly string[]): readonly (readonly [name: string, folder: string])[] {
  return specs.map((spec) => {
    const at = spec.indexOf('=');
    if (at > 0) return [spec.slice(0, at), spec.slice(at + 1)];
    const folder = resolve(spec);
    const own = basename(folder);
    return [['adapter', 'controller'].includes(own) ? basename(resolve(folder, '..')) : own, spec];
  });
}
