import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.js';
import { defineMethod } from '../../src/index.js';
import { loadExport } from '../../src/run/user-module.js';
import { scratchFolder } from '../support/scratch.js';

const { folder, write } = scratchFolder();
const at = (name: string): string => join(folder, name);

async function problemOf(spec: string): Promise<UserError> {
  const problem: unknown = await loadExport(spec).catch((error: unknown) => error);
  expect(problem).toBeInstanceOf(UserError);
  return problem as UserError;
}

describe('an export of a user\'s module', () => {
  it.each(['ts', 'mts', 'js', 'mjs'])('is loaded from a .%s file; its imports from Heed are those of this process', async (extension) => {
    const types = extension.endsWith('ts') ? ': number' : '';
    write(`helper-${extension}.${extension}`, `export const four${types} = 4;\n`);
    const imports = "import { UserError, defineMethod } from '@heed/heed';\nimport { startEngine } from '@heed/tensor';\n";
    const file = write(`mine.${extension}`, `${imports}import { four } from './helper-${extension}.${extension}';\n`
      + `export const eight${types} = 2 * (await Promise.resolve(four));\n`
      + 'export const error = new UserError("x");\nexport { defineMethod, startEngine };\n');
    expect(await loadExport(`${file}#eight`)).toBe(8);
    expect(await loadExport(`${file}#error`)).toBeInstanceOf(UserError);
    expect(await loadExport(`${file}#defineMethod`)).toBe(defineMethod);
    expect(await loadExport(`${file}#startEngine`)).toBe((await import('@heed/tensor')).startEngine);
    // The module is evaluated once.
    expect(await loadExport(`${file}#error`)).toBe(await loadExport(`${file}#error`));
  });

  it('takes a path relative to the working directory', async () => {
    write('near.ts', 'export const here = 1;\n');
    const before = process.cwd();
    try {
      process.chdir(folder);
      expect(await loadExport('./near.ts#here')).toBe(1);
      expect(await loadExport('near.ts#here')).toBe(1);
    } finally {
      process.chdir(before);
    }
  });

  it('is asked for in words that say what is wrong', async () => {
    const file = write('rewards.ts', 'export const short = 1;\nexport const polite = 2;\n');
    expect((await problemOf(`${file}#shorty`)).message).toBe(`${file} exports no "shorty"; did you mean "short"?`);
    expect((await problemOf(`${file}#zzzzzz`)).hints).toEqual(['It exports polite, short.']);
    expect((await problemOf(`${at('reward.ts')}#short`)).message).toBe(`There is no file ${at('reward.ts')}; did you mean ${file}?`);
    expect((await problemOf(`${at('no/where.ts')}#a`)).message).toContain(`the folder ${at('no')} does not exist`);
    for (const spec of [file, `${file}#`, `${at('x.py')}#a`]) {
      expect((await problemOf(spec)).message).toBe(`"${spec}" names no export of a module.`);
    }
  });

  it('that cannot be loaded is reported with file and line', async () => {
    const bad = write('bad.ts', 'export const a = 1;\n\nexport const b = = 2;\n');
    expect((await problemOf(`${bad}#a`)).message).toBe(`${bad} cannot be loaded: ParseError: Unexpected token, at ${bad}:3`);
    const outer = write('outer.ts', "import './bad.ts';\nexport const a = 1;\n");
    expect((await problemOf(`${outer}#a`)).message).toContain(`${bad}:3`);
    const throws = write('throws.ts', 'export const a = 1;\nconst x: { y?: { z: number } } = {};\nexport const z = x.y!.z;\n');
    const problem = await problemOf(`${throws}#a`);
    expect(problem.message).toBe(`${throws} cannot be loaded: Cannot read properties of undefined (reading 'z'), at ${throws}:3`);
    expect(problem.cause).toBeInstanceOf(TypeError);
    const misses = write('misses.ts', "import { x } from 'no-such-package-here';\nexport const a = x;\n");
    expect((await problemOf(`${misses}#a`)).hints).toEqual(['Install it beside the module: npm install no-such-package-here']);
  });
});
