import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const read = (page: string): string => readFileSync(join(ROOT, page), 'utf8');

interface Rule { readonly name: string; readonly to: { readonly pathNot?: readonly string[] } }
const load = createRequire(import.meta.url);
const { forbidden } = load(join(ROOT, '.dependency-cruiser.cjs')) as { readonly forbidden: readonly Rule[] };
const entries = readdirSync(join(ROOT, 'packages/heed/src'), { withFileTypes: true });
const rooms = entries.filter((one) => one.isDirectory()).map(({ name }) => name);
const all = [...rooms, 'tensor'];

/** What a room may import, by the layering check; `cli` may import everything. */
function allowed(room: string): readonly string[] {
  const rule = forbidden.find(({ name }) => name === `${room}-imports`);
  if (rule === undefined) return room === 'cli' ? all.filter((other) => other !== 'cli') : [];
  const patterns = rule.to.pathNot!.map((pattern) => new RegExp(pattern));
  const path = (name: string): string => (name === 'tensor' ? '@heed/tensor' : `packages/heed/src/${name}/file.ts`);
  return all.filter((other) => other !== room && patterns.some((pattern) => pattern.test(path(other))));
}

/** The arrows of the page's first picture: `a --> b & c`. */
const drawn = (): string[] =>
  [.../```mermaid\n([\s\S]*?)```/.exec(read('docs/architecture.md'))![1]!.matchAll(/^ +(\w+) --> (.+)$/gm)]
    .flatMap(([, from, to]) => to!.split(' & ').map((one) => `${from} → ${one}`));

describe('docs/architecture.md', () => {
  it('draws what the layering check allows, without arrows that follow from others', () => {
    const arrows = all.flatMap((from) => {
      const may = allowed(from);
      return may.filter((to) => !may.some((between) => allowed(between).includes(to))).map((to) => `${from} → ${to}`);
    });
    expect(drawn().sort()).toEqual(arrows.sort());
  });

  it.each(['docs/architecture.md', 'CONTRIBUTING.md'])('and %s has a line for each room', (page) => {
    const [, table] = /^\| room \|.*\n\|[-|]+\n((?:\|.*\n)+)/m.exec(read(page))!;
    expect([...table!.matchAll(/^\| `(\w+)` \|/gm)].map(([, room]) => room).sort()).toEqual([...rooms].sort());
  });
});
