/** From a file to a run: `api/data/upload`, `look`, `rows` and `write`. */
import { join } from 'node:path';
import { Hono } from 'hono';
import { z } from 'zod';

import { UserError } from '../../errors.js';
import { type Foresight, foresee } from '../../loop/foresee.js';
import { size } from '../../run/numbers.js';
import { badRequest } from '../../serve/api-error.js';
import { type StartPlan, writeStart } from '../../start/plan.js';
import type { Prepared } from '../api.js';
import type { StudioContext } from '../context.js';
import { LookBody, inspected, look, planned } from '../data-look.js';
import { seenRows } from '../data-rows.js';
import type { Project } from '../project.js';
import { bodyOf, queryOf } from '../request.js';
import { keepUpload } from '../uploads.js';

const Rows = LookBody.extend({ offset: z.int().min(0).default(0), limit: z.int().min(1).max(20).default(3) });

export function dataRoutes({ project, models, log }: StudioContext): Hono {
  const app = new Hono();

  app.post('/data/upload', async (c) => {
    const { name } = queryOf(c, z.object({ name: z.string().min(1).max(300) }));
    if (c.req.raw.body === null) throw badRequest('The file is empty.');
    return c.json({ file: await keepUpload(project, name, c.req.raw.body) });
  });
  app.post('/data/look', async (c) => c.json(await look(project, await bodyOf(c, LookBody))));
  app.post('/data/rows', async (c) => {
    const { offset, limit, ...body } = await bodyOf(c, Rows);
    const plan = await planned(project, await inspected(project, body), body);
    return c.json(await seenRows(plan, await models.read(body.speaker), { offset, limit }));
  });
  app.post('/data/write', async (c) => {
    const body = await bodyOf(c, LookBody);
    const plan = await planned(project, await inspected(project, body), body);
    const files = Object.values(plan.files);
    await Promise.all([...files, plan.runDir].map((path) => project.inside(path)));
    await writeStart(absolute(project, plan));
    const prepared: Prepared = { files, recipe: plan.recipe, run: plan.runDir, foreseen: await foreseen(project, plan, log) };
    return c.json(prepared);
  });
  return app;
}

/** The plan with paths that mean the same wherever the studio was started; what it writes into the recipe stays as it is. */
function absolute({ folder }: Project, plan: StartPlan): StartPlan {
  const { train, heldOut, recipe } = plan.files;
  return {
    ...plan,
    files: { train: join(folder, train), recipe: join(folder, recipe), ...(heldOut !== undefined && { heldOut: join(folder, heldOut) }) },
  };
}

async function foreseen(project: Project, plan: StartPlan, log: (line: string) => void): Promise<string[]> {
  const { files } = absolute(project, plan);
  try {
    return wordsOf(await foresee(files.recipe, () => undefined, [
      `data.path=${files.train}`, ...(files.heldOut === undefined ? [] : [`data.eval=${files.heldOut}`]),
    ]));
  } catch (error) {
    if (!(error instanceof UserError)) log(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return [`Nothing is foreseen: ${error instanceof Error ? error.message : String(error)}`];
  }
}

function wordsOf(foresight: Foresight): string[] {
  if ('unknown' in foresight) return [`Nothing is foreseen: ${foresight.unknown}.`];
  const { steps, rows, minutes, memory } = foresight;
  const time = minutes < 1 ? 'under a minute' : `about ${Math.round(minutes)} minutes`;
  return [
    `${steps} steps over ${rows} rows, ${time} on two cores.`,
    `${size(memory.needed.total)} of memory at the peak, which ${memory.fits ? 'fits into' : 'does not fit into'} the `
      + `${size(memory.available)} that are free.`,
    ...memory.ways.map(({ settings, total }) => `${settings} would need about ${size(total)}.`),
  ];
}
