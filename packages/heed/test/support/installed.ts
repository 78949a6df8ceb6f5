import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
// @ts-expect-error a script without types
import { packAll } from '../../../../tools/pack.js';

export const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

interface Packed {
  readonly name: string;
  readonly version: string;
  readonly file: string;
  readonly files: readonly { readonly path: string }[];
}

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Installed {
  /** The project's folder. */
  readonly folder: string;
  readonly packed: readonly Packed[];
  /** Runs a program there. */
  run(command: string, args: readonly string[], env?: Readonly<Record<string, string>>): Ran;
}

/** What a package needs to run, by name. */
const needsOf = (folder: string): readonly string[] => {
  const { dependencies = {}, optionalDependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as
    Readonly<Record<string, Readonly<Record<string, string>> | undefined>>;
  return Object.keys({ ...dependencies, ...optionalDependencies });
};

/**
 * An empty project with the packed packages in its node_modules, and beside them what their package.json names and no more, linked from
 * this checkout: as `npm install` of the tarballs leaves it, without a registry. A dependency that a package uses and does not name
 * is not found.
 *
 * @param also packages of the user's own, such as `typescript`
 */
export function installPacked(folder: string, also: readonly string[] = []): Installed {
  const modules = join(folder, 'node_modules');
  mkdirSync(modules, { recursive: true });
  const packed = (packAll as (into: string) => readonly Packed[])(folder);
  for (const { name, file } of packed) {
    const to = join(modules, name);
    mkdirSync(to, { recursive: true });
    const { status, stderr } = spawnSync('tar', ['-xzf', file, '-C', to, '--strip-components=1'], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`tar failed: ${stderr}`);
  }
  const needed = packed.flatMap(({ name }) => needsOf(join(modules, name)));
  for (const name of [...needed, ...also]) {
    const [from, to] = [join(ROOT, 'node_modules', name), join(modules, name)];
    mkdirSync(dirname(to), { recursive: true });
    if (!existsSync(to)) symlinkSync(from, to);
  }
  mkdirSync(join(modules, '.bin'));
  symlinkSync('../@heed/heed/bin/heed.js', join(modules, '.bin', 'heed'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'empty', private: true }));
  return {
    folder,
    packed,
    run(command, args, env = {}) {
      return spawnSync(command, args, { cwd: folder, encoding: 'utf8', env: { ...process.env, FORCE_COLOR: undefined, ...env } });
    },
  };
}

/** Relative links of a page that lead nowhere, anchors and addresses left out. */
export function deadLinks(page: string): readonly string[] {
  const links = [...readFileSync(page, 'utf8').matchAll(/\]\(([^)\s]+)\)/g)].map(([, to]) => to!);
  return links.filter((to) => !/^(?:\w+:|#)/.test(to) && !existsSync(join(dirname(page), to.replace(/#.*$/, ''))));
}
