/** What can be done with runs: stop, go on, start, delete and put back. */
import { Hono } from 'hono';
import { z } from 'zod';

import { ApiError } from '../../serve/api-error.js';
import { binned, restore, toBin } from '../bin.js';
import type { StudioContext } from '../context.js';
import { bodyOf } from '../request.js';
import { resume, startRecipe } from '../resume.js';
import { askToStop, stateOf } from '../state.js';

const Run = z.strictObject({ run: z.string().min(1) });
const Start = z.strictObject({ recipe: z.string().min(1).max(256 * 1024), job: z.enum(['train', 'align']).default('train') });

export function actionRoutes(context: StudioContext): Hono {
  const { project, jobs, asked } = context;
  const app = new Hono();

  app.post('/run/stop', async (c) => {
    await askToStop(await project.runFolder((await bodyOf(c, Run)).run), asked);
    return c.json({ ok: true });
  });
  app.post('/run/resume', async (c) => c.json(await resume(context, await project.runFolder((await bodyOf(c, Run)).run))));
  app.post('/run/delete', async (c) => {
    const dir = await project.runFolder((await bodyOf(c, Run)).run);
    const { status } = await stateOf(dir, jobs, asked);
    if (status === 'running' || status === 'stopping')
      throw new ApiError(409, 'A process works on this run: stop it first.', { code: 'not_deleted' });
    return c.json(await toBin(project, dir));
  });

  app.get('/bin', async (c) => c.json(await binned(project)));
  app.post('/bin/restore', async (c) => c.json(await restore(project, (await bodyOf(c, z.strictObject({ id: z.string() }))).id)));

  app.get('/jobs', async (c) => c.json(await jobs.list()));
  app.post('/jobs', async (c) => c.json(await startRecipe(context, await bodyOf(c, Start))));
  return app;
}
