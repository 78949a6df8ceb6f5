import { defineConfig } from 'vitest/config';

// npm run test:ray: what needs workers in Python. tools/test-ray.js says which Python.
export default defineConfig({
  test: {
    include: ['packages/heed/test/cluster/*.ray.ts'], testTimeout: 180_000, hookTimeout: 180_000, pool: 'forks', maxWorkers: 1,
    setupFiles: ['packages/heed/test/support/one-core.ts'],
  },
});
