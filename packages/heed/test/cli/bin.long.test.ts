import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const workspace = dirname(dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url))))));

/** A workspace of its own with the real starter and tiny packages, so that building is quick and breaks nothing. */
let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'heed-bin-'));
  for (const name of ['tensor', 'heed', 'ai-sdk']) {
    mkdirSync(join(root, 'packages', name, 'src', 'cli'), { recursive: true });
    cpSync(join(workspace, 'packages', name, 'tsconfig.json'), join(root, 'packages', name, 'tsconfig.json'));
    writeFileSync(join(root, 'packages', name, 'package.json'), '{"type":"module"}');
    writeFileSync(join(root, 'packages', name, 'src', 'index.ts'), 'export {};\n');
  }
  cpSync(join(workspace, 'tsconfig.json'), join(root, 'tsconfig.json'));
  // Without Node's types, which take the compiler longer than all else here.
  const base = { target: 'ES2023', lib: ['ES2023'], module: 'NodeNext', composite: true, strict: true, types: [] };
  writeFileSync(join(root, 'tsconfig.base.json'), JSON.stringify({ compilerOptions: base }));
  mkdirSync(join(root, 'packages', 'heed', 'bin'));
  cpSync(join(workspace, 'packages', 'heed', 'bin', 'heed.js'), join(root, 'packages', 'heed', 'bin', 'heed.js'));
  symlinkSync(join(workspace, 'node_modules'), join(root, 'node_modules'), 'dir');
  say('one');
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const source = (): string => join(root, 'packages', 'heed', 'src', 'cli', 'main.ts');
const say = (word: string): void =>
  writeFileSync(
    source(),
    'declare const console: { log(...words: string[]): void };\n'
      + `export const main = async (argv: readonly string[]): Promise<number> => { console.log('${word}', ...argv); return 3; };\n`,
  );
const heed = (...argv: string[]) =>
  spawnSync(process.execPath, [join(root, 'packages', 'heed', 'bin', 'heed.js'), ...argv], {
    encoding: 'utf8',
    env: { ...process.env, FORCE_COLOR: undefined },
  });

describe('bin/heed.js', () => {
  it('builds a fresh checkout once, and once more when a source is touched', () => {
    const first = heed('a', 'b');
    expect(first).toMatchObject({ status: 3, stdout: 'one a b\n' });
    expect(first.stderr.trim().split('\n')).toHaveLength(1);
    expect(heed('c')).toMatchObject({ status: 3, stdout: 'one c\n', stderr: '' });

    const later = new Date(Date.now() + 60_000);
    utimesSync(source(), later, later);
    expect(heed().stderr).toContain('building');
    expect(heed().stderr).toBe('');
  });

  it('ends quietly when whoever reads has enough', () => {
    // `true` is gone long before Node has started.
    const script = '{ "$0" "$1"; echo "exit $?" >&2; } | true';
    const { stderr } = spawnSync('sh', ['-c', script, process.execPath, join(root, 'packages', 'heed', 'bin', 'heed.js')], {
      encoding: 'utf8',
    });
    expect(stderr).toMatch(/^exit [03]\n$/);
  });

  it('shows what does not compile and stops, every time', () => {
    writeFileSync(source(), `${readFileSync(source(), 'utf8')}export const wrong: number = 'x';\n`);
    const later = new Date(Date.now() + 120_000);
    utimesSync(source(), later, later);
    for (let start = 0; start < 2; start++) {
      const { status, stdout, stderr } = heed();
      expect(status).toBe(1);
      expect(stdout).toBe('');
      expect(stderr).toContain('main.ts(3,14): error TS2322');
    }
  });

  it('runs as installed, without what a build needs', () => {
    const later = new Date(Date.now() + 120_000);
    utimesSync(source(), later, later);
    rmSync(join(root, 'packages', 'heed', 'tsconfig.json'));
    rmSync(join(root, 'packages', 'tensor'), { recursive: true });
    expect(existsSync(join(root, 'packages', 'heed', 'dist'))).toBe(true);
    expect(heed('x')).toMatchObject({ status: 3, stdout: 'one x\n', stderr: '' });
  });
});
