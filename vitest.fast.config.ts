import { defineConfig } from 'vitest/config';
import { fastProjects } from './vitest.config.js';

// npm run test:fast: every test that does without the default model, in a short form. A file that needs the model is named *.real.test.ts;
// a file that takes longer, or shows in all cases what another one shows in a few, is named *.long.test.ts. `npm test` runs both.
const HEED_STORE_LABELS = process.env['HEED_STORE_LABELS'] ?? '3000';

export default defineConfig({
  test: {
    projects: fastProjects.map((project) => ({ test: { ...project.test, env: { ...project.test.env, HEED_STORE_LABELS } } })),
  },
});
