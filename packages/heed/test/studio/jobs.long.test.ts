import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';

import type { Curves, RunDetail, StartedJob } from '../../src/studio/api.js';
import { createStudio } from '../../src/studio/app.js';
import { openContext } from '../../src/studio/context.js';
import { tinyTalker } from '../loop/talkative.js';
import { scratchFolder } from '../support/scratch.js';

const { folder } = scratchFolder();

it('the studio starts a real run from a recipe, and shows its steps and how it ended', async () => {
  const project = join(folder, 'project');
  mkdirSync(project);
  const rows = ['Hi', 'Yes', 'No', 'Go'].map((completion) => `{"prompt":"Say it.","completion":"${completion}"}\n`);
  writeFileSync(join(project, 'rows.jsonl'), rows.join(''));
  const model = await tinyTalker(folder);
  const recipe = `model: ${model}\nmethod: sft\ndata: rows.jsonl\ntrain: { steps: 3, batch: 2 }\nrun: { dir: runs/sft }\n`;
  const app = createStudio(await openContext(project, { signal: new AbortController().signal }));
  const ask = async <T>(path: string, init: RequestInit = {}): Promise<T> => {
    const headers = { host: '127.0.0.1', 'content-type': 'application/json' };
    const answer = await app.request(`http://127.0.0.1/api/${path}`, { ...init, headers });
    return (await answer.json()) as T;
  };
  const started = await ask<StartedJob>('jobs', { method: 'POST', body: JSON.stringify({ recipe }) });
  expect(started).toMatchObject({ status: 'running', run: 'runs/sft' });
  await vi.waitUntil(async () => (await ask<StartedJob[]>('jobs'))[0]!.status !== 'running', { timeout: 110_000, interval: 200 });
  const [job] = await ask<StartedJob[]>('jobs');
  expect(job!.status, job!.log).toBe('ended');
  const { line, resumeBlocked } = await ask<RunDetail>('run?run=runs/sft');
  expect(line).toMatchObject({ status: 'ended', job: 'train', method: 'sft', steps: 3, report: true });
  expect(resumeBlocked).toBe('It has ended.');
  const { curves } = await ask<Curves>('run/curves?run=runs/sft');
  expect(curves.find(({ name }) => name === 'loss')!.x).toEqual([1, 2, 3]);
});
