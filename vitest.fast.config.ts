import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';
import all from './vitest.config.js';

// npm run test:fast: every test that does without the default model, in a short form. A file that needs the model is named *.real.test.ts; a
// file that shows in all cases what another one shows in a few is named *.long.test.ts. `npm test` runs both.
const exclude = [...configDefaults.exclude, '**/*.real.test.ts', '**/*.long.test.ts'];

/** Files that put modules of their own in the place of others, and so need all modules for themselves. */
const mocking = readdirSync('packages', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts') && !file.includes('node_modules'))
  .map((file) => join('packages', file))
  .filter((file) => readFileSync(file, 'utf8').includes('vi.mock('));

const fast = {
  ...all.test,
  fileParallelism: true,
  setupFiles: ['packages/heed/test/support/one-core.ts'],
  env: {
    // No folder can be made in a file: a test that asks for the default model fails here, and its file needs that name.
    HEED_CACHE: fileURLToPath(import.meta.url),
    HEED_STORE_LABELS: process.env['HEED_STORE_LABELS'] ?? '3000',
  },
};

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      // Files share the modules of their worker: to load them takes longer than most files do.
      { test: { ...fast, name: 'together', isolate: false, exclude: [...exclude, ...mocking] } },
      { test: { ...fast, name: 'apart', include: mocking, exclude } },
    ],
  },
});
