/** The routes under `api/`, a file for each page or part of one. A page is added by a file here and one in apps/studio/src/pages. */
import type { Hono } from 'hono';

import type { StudioContext } from './context.js';
import { actionRoutes } from './routes/actions.js';
import { chatRoutes } from './routes/chat.js';
import { compareRoutes } from './routes/compare.js';
import { dataRoutes } from './routes/data.js';
import { judgesRoutes } from './routes/judges.js';
import { labelRoutes } from './routes/label.js';
import { runsRoutes } from './routes/runs.js';
import { tokensRoutes } from './routes/tokens.js';

/** Makes the routes of a page. Paths are relative to `api/`. */
export type Routes = (context: StudioContext) => Hono;

export const ROUTES: readonly Routes[] = [
  runsRoutes, actionRoutes, compareRoutes, tokensRoutes, dataRoutes, labelRoutes, judgesRoutes, chatRoutes,
];
