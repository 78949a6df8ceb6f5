/** Tokens under a judgment, and the credit of policy gradients: `api/speakers`, `api/files`, `api/tokens/…`. */
import { Hono } from 'hono';
import { z } from 'zod';

import { MessageSchema } from '../../data/rows.js';
import type { JudgedShown, Part, Speakers } from '../api.js';
import type { StudioContext } from '../context.js';
import { creditPart } from '../credit.js';
import { createRowCache, dataFiles } from '../data-files.js';
import { bodyOf, queryOf } from '../request.js';
import { partOf, samplesOf } from '../samples.js';
import { findSpeakers, shown } from '../speakers.js';
import { scoreTokens } from '../token-scores.js';

const words = z.string().refine((text) => text.trim() !== '', 'is empty');
const Score = z.strictObject({
  speaker: z.string().min(1),
  prompt: z.array(MessageSchema).min(1).refine((turns) => turns.at(-1)?.role === 'user', 'must end with a turn of the user'),
  response: words, judgment: words,
});
const number = z.coerce.number();
const page = { offset: number.int().min(0).default(0), limit: number.int().min(1).max(100).default(20) };
const Rows = z.object({ file: z.string().min(1), ...page });
const Credit = z.object({ run: z.string().min(1), round: number.int().min(0).optional(), ...page });

export function tokensRoutes({ project, models, samples }: StudioContext): Hono {
  const app = new Hono();
  const rows = createRowCache();

  app.get('/speakers', async (c) => {
    const doing = models.doing();
    const all: Speakers = { speakers: (await findSpeakers(project)).map(shown), doing };
    return c.json(all);
  });
  app.get('/files', async (c) => c.json(await dataFiles(project)));

  app.post('/tokens/score', async (c) => {
    const { speaker, ...given } = await bodyOf(c, Score);
    return c.json(await models.use(speaker, 'scoring a response', (open) => scoreTokens(open, given)));
  });

  app.get('/tokens/rows', async (c) => {
    const { file, ...window } = queryOf(c, Rows);
    const { train } = await rows.of(await project.inside(file), 'judged');
    const judged = train.filter(({ satisfied, judgment }) => !satisfied && judgment !== null);
    const { total, items } = partOf(judged, window);
    const part: Part<JudgedShown> = {
      total,
      items: items.map(({ id, source, prompt, completion, judgment }) => ({
        id: id ?? `${source.unit ?? 'line'} ${source.line}`, prompt: prompt.map((turn) => ({ ...turn })), response: completion,
        judgment: judgment!,
      })),
    };
    return c.json(part);
  });

  app.get('/tokens/credit', async (c) => {
    const { run, round, ...window } = queryOf(c, Credit);
    const { rollouts } = await samplesOf(samples, await project.runFolder(run));
    return c.json(await creditPart(rollouts, round, window, async () => {
      const { tokenizer } = await models.read(`base:${run}`);
      return (id) => tokenizer.tokenText(id);
    }));
  });
  return app;
}
