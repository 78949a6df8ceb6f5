/** Comparisons: `api/compare` and `api/compare/answers`. */
import { Hono } from 'hono';
import { z } from 'zod';

import { compare, compareAnswers } from '../compare.js';
import type { StudioContext } from '../context.js';
import { queryOf } from '../request.js';

const number = z.coerce.number().int();
const Page = z.object({
  show: z.enum(['all', 'different', 'wins', 'losses']).default('all'),
  offset: number.min(0).default(0), limit: number.min(1).max(100).default(10),
});

export function compareRoutes(context: StudioContext): Hono {
  const app = new Hono();
  app.get('/compare', async (c) => c.json(await compare(context, c.req.queries('side') ?? [])));
  app.get('/compare/answers', async (c) => {
    const { show, ...page } = queryOf(c, Page);
    return c.json(await compareAnswers(context, c.req.queries('side') ?? [], show, page));
  });
  return app;
}
