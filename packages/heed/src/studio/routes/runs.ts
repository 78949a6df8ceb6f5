/** Runs and their curves: `api/runs`, `api/run`, `api/run/curves`, `api/run/events`, and the samples. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Hono } from 'hono';
import { z } from 'zod';

import { hideSettings } from '../../run/keys.js';
import { ApiError } from '../../serve/api-error.js';
import type { Curves, RunDetail, RunList } from '../api.js';
import { binned } from '../bin.js';
import { type StudioContext, metricsOf } from '../context.js';
import { streamRun } from '../events.js';
import { chiefOf, factsOf, measurementsOf } from '../measured.js';
import { queryOf } from '../request.js';
import { resumeBlocked } from '../resume.js';
import { runLine, sectionIn } from '../run-line.js';
import { CHANGES, answerPart, countsOf, heatmapsOf, partOf, rolloutsOf, samplesOf } from '../samples.js';
import { curvesOf } from '../thin.js';

const Run = z.object({ run: z.string().min(1) });
const number = z.coerce.number();
const Window = Run.extend({
  from: number.optional(), to: number.optional(), points: number.int().min(10).max(5000).default(600),
});
const Page = Run.extend({ offset: number.int().min(0).default(0), limit: number.int().min(1).max(200).default(20) });

export function runsRoutes(context: StudioContext): Hono {
  const { project, series, samples } = context;
  const app = new Hono();

  app.get('/runs', async (c) => {
    const { runs, unseen } = await project.runs();
    const lines = await Promise.all(runs.map((dir) => runLine(context, dir)));
    lines.sort((a, b) => (a.started < b.started ? 1 : -1));
    const list: RunList = { project: project.name, runs: lines, unseen, binned: (await binned(project)).length };
    return c.json(list);
  });

  app.get('/run', async (c) => {
    const dir = await project.runFolder(queryOf(c, Run).run);
    const [line, recipe, summary = {}, kept] = await Promise.all([
      runLine(context, dir), readFile(join(dir, 'recipe.yaml'), 'utf8'), sectionIn(join(dir, 'summary.json')), samplesOf(samples, dir),
    ]);
    const blocked = await resumeBlocked(context, dir);
    const all = measurementsOf(summary);
    const { metric } = summary;
    const detail: RunDetail = {
      line, recipe: hideSettings(recipe), measurements: all, facts: factsOf(summary), counts: countsOf(kept),
      ...(typeof metric === 'string' && chiefOf(all) && { metric }), resumeBlocked: blocked,
    };
    return c.json(detail);
  });

  app.get('/run/curves', async (c) => {
    const { run, ...window } = queryOf(c, Window);
    const logged = await series.of(metricsOf(await project.runFolder(run)));
    const curves: Curves = { lines: logged.lines, steps: logged.steps, curves: curvesOf(logged, window) };
    return c.json(curves);
  });

  app.get('/run/events', async (c) => {
    const { run, after } = queryOf(c, Run.extend({ after: number.int().min(0).default(0) }));
    const dir = await project.runFolder(run);
    // A browser that connects again says by itself what it had.
    const last = Number(c.req.header('last-event-id') ?? after);
    return streamRun(c, context, dir, Number.isSafeInteger(last) && last >= 0 ? last : after);
  });

  const list = <T>(path: string, read: (kept: Awaited<ReturnType<typeof samplesOf>>) => readonly T[]): void => {
    app.get(path, async (c) => {
      const { run, ...page } = queryOf(c, Page);
      return c.json(partOf(read(await samplesOf(samples, await project.runFolder(run))), page));
    });
  };
  app.get('/run/answers', async (c) => {
    const { run, change, ...page } = queryOf(c, Page.extend({ change: z.enum(CHANGES).optional() }));
    return c.json(answerPart(await samplesOf(samples, await project.runFolder(run)), change, page));
  });
  list('/run/heatmaps', heatmapsOf);
  list('/run/rollouts', rolloutsOf);

  // The report is a page of its own, whose policy lets nothing run but the two scripts that it names by their hashes.
  app.get('/run/report', async (c) => {
    const dir = await project.runFolder(queryOf(c, Run).run);
    const page = await readFile(await project.inside(`${project.named(dir)}/report.html`), 'utf8').catch(() => {
      throw new ApiError(404, 'This run has no report yet.', { code: 'no_report' });
    });
    return c.html(page, 200, { 'Content-Security-Policy': 'sandbox allow-scripts' });
  });
  return app;
}
