import { defineConfig } from 'vitest/config';

// npm run test:proofs: what takes minutes and shows in all cases what a file of `npm test` shows in a few. One at a time and on one core:
// what they compare to the last bit must not depend on how threads share the work.
export default defineConfig({
  test: {
    include: ['packages/*/test/**/*.proof.ts'], testTimeout: 300_000, hookTimeout: 300_000, pool: 'forks', maxWorkers: 1,
    setupFiles: ['packages/heed/test/support/one-core.ts'],
  },
});
