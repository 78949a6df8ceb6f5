import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig, mergeConfig } from 'vitest/config';
import all from './vitest.config.js';

// npm run test:fast: every test that does without the default model; a file that needs it is named *.real.test.ts.
export default mergeConfig(all, defineConfig({
  test: {
    exclude: [...configDefaults.exclude, '**/*.real.test.ts'],
    fileParallelism: true,
    maxWorkers: 2,
    // No folder can be made in a file: a test that asks for the default model fails here, and its file needs that name.
    env: { HEED_CACHE: fileURLToPath(import.meta.url) },
  },
}));
