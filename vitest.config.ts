import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type TestProjectInlineConfiguration, configDefaults, defineConfig } from 'vitest/config';

// Most files work with tiny models: they run two at a time, each on a core of its own, and share their modules, since to load them takes
// longer than most files do. Long proofs (*.long.test.ts) follow in the same way, each with modules of its own. Then, one at a time and
// with every core: files of the default model (*.real.test.ts), those of the engine, and some that need the machine for themselves.
// vitest.proofs.config.ts has what takes longer still.
const ALONE: readonly string[] = [
  'packages/heed/test/packed.long.test.ts', // builds dist/, which others run
];
const isOfEngine = (file: string): boolean => file.startsWith('packages/tensor/');
const isAlone = (file: string): boolean => file.endsWith('.real.test.ts') || isOfEngine(file) || ALONE.includes(file);
const isLong = (file: string): boolean => file.endsWith('.long.test.ts') && !isAlone(file);

/** Whether a file puts modules of its own in the place of others, and so needs all modules for itself. */
const isMocking = (file: string): boolean => readFileSync(file, 'utf8').includes('vi.mock(');

const files = readdirSync('packages', { recursive: true, encoding: 'utf8' })
  .map((file) => join('packages', file))
  .filter((file) => /^packages\/[\w-]+\/test\/.*\.test\.ts$/.test(file));
const alone = files.filter(isAlone);
const long = files.filter(isLong);
const mocking = files.filter((file) => !isAlone(file) && !isLong(file) && isMocking(file));

const all = { testTimeout: 120_000, hookTimeout: 300_000, pool: 'forks' } as const;
const inPairs = { ...all, maxWorkers: 2, setupFiles: ['packages/heed/test/support/one-core.ts'] };
// No folder can be made in a file: a test that asks for the default model fails here, and its file needs that name.
const tiny = { ...inPairs, env: { HEED_CACHE: fileURLToPath(import.meta.url) } };

/** Files that work with tiny models or none. */
const tinyProjects = [
  {
    test: {
      ...tiny, name: 'together', isolate: false, include: ['packages/*/test/**/*.test.ts'],
      exclude: [...configDefaults.exclude, ...alone, ...long, ...mocking],
    },
  },
  { test: { ...tiny, name: 'apart', include: mocking } },
] satisfies TestProjectInlineConfiguration[];

/** The same with the files of the engine, on one core too: what `npm run test:fast` runs. */
export const fastProjects = [...tinyProjects, {
  test: {
    ...tiny, name: 'engine', isolate: false,
    include: alone.filter((file) => isOfEngine(file) && !file.endsWith('.long.test.ts')),
  },
}];

export default defineConfig({
  test: {
    reporters: ['default', './tools/unfinished-reporter.js'],
    projects: [
      ...tinyProjects,
      { test: { ...inPairs, name: 'long', include: long, sequence: { groupOrder: 1 } } },
      { test: { ...all, name: 'alone', include: alone, maxWorkers: 1, sequence: { groupOrder: 2 } } },
    ],
  },
});
