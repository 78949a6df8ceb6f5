import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { takeLock } from '../../src/run/lock.js';
import { type RunningStudio, startStudio } from '../../src/studio/server.js';
import { scratchFolder } from '../support/scratch.js';

const { folder } = scratchFolder();
const metrics = join(folder, 'run/metrics.jsonl');
let studio: RunningStudio;

beforeAll(async () => {
  mkdirSync(join(folder, 'run'));
  writeFileSync(join(folder, 'index.html'), '');
  writeFileSync(join(folder, 'run/recipe.yaml'), 'model: m\n');
  studio = await startStudio(folder, { port: 0, page: folder });
});
afterAll(() => studio.stop());

interface Event { readonly event: string; readonly id?: string; readonly data: string }

/** The events of a stream, one after the other. */
async function* events(headers: Record<string, string> = {}): AsyncGenerator<Event> {
  const answer = await fetch(`${studio.url}/api/run/events?run=run`, { headers });
  let rest = '';
  for await (const bytes of answer.body!.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + bytes).split('\n\n');
    rest = parts.pop()!;
    for (const part of parts) {
      const field = (name: string): string | undefined => new RegExp(`^${name}: (.*)$`, 'm').exec(part)?.[1];
      if (field('event') !== undefined) yield { event: field('event')!, id: field('id'), data: field('data') ?? '' };
    }
  }
}

/** The next event of a name. */
async function next(stream: AsyncGenerator<Event>, name: string): Promise<Event> {
  for (let found = await stream.next(); !found.done; found = await stream.next()) if (found.value.event === name) return found.value;
  throw new Error('the stream ended');
}

describe('the events of a run', () => {
  it('are the lines that a browser does not have yet, by the number of those that it has', async () => {
    writeFileSync(metrics, '{"step":1,"loss":3}\n{"step":2,"loss":2}\n');
    const stream = events({ 'last-event-id': '1' });
    expect(await next(stream, 'rows')).toEqual({ event: 'rows', id: '2', data: '[{"step":2,"loss":2}]' });
    expect(JSON.parse((await next(stream, 'state')).data)).toMatchObject({ status: 'stopped', steps: 2 });
    appendFileSync(metrics, '{"step":3,"loss":1}\n{"step":4,');
    expect(await next(stream, 'rows')).toEqual({ event: 'rows', id: '3', data: '[{"step":3,"loss":1}]' });
    await stream.return(undefined);
  });

  it('say that curves are better asked for again, where a run went back or far ahead', async () => {
    writeFileSync(metrics, '{"step":1,"loss":3}\n');
    const back = events({ 'last-event-id': '5' });
    expect(await next(back, 'more')).toMatchObject({ id: '1' });
    await back.return(undefined);
    writeFileSync(metrics, Array.from({ length: 500 }, (_, i) => `{"step":${i + 1},"loss":1}\n`).join(''));
    const ahead = events();
    expect(await next(ahead, 'more')).toMatchObject({ id: '500' });
    await ahead.return(undefined);
  });

  it('say how the workers of a cluster are', async () => {
    const log = join(folder, 'run/cluster.jsonl');
    const at = '"time":"2026-11-30T12:00:00.000Z"';
    writeFileSync(log, `{${at},"event":"opened","workers":2,"threads":1}\n{${at},"event":"lost","worker":1}\n`);
    const stream = events();
    const heard = async (): Promise<unknown> => (JSON.parse((await next(stream, 'state')).data) as { cluster?: string }).cluster;
    expect(await heard()).toBe('2 workers; a worker was lost once');
    appendFileSync(log, `{${at},"event":"restarted","worker":1,"seconds":4.2}\n`);
    expect(await heard()).toBe('2 workers; a worker was lost once (waited 4.2 s)');
    const lock = await takeLock(join(folder, 'run/run.lock'));
    expect(await heard()).toBe('2 of 2 workers; a worker was lost once (waited 4.2 s)');
    appendFileSync(log, `{${at},"event":"rates","passesPerSecond":[0.252,31.4]}\n`);
    expect(await heard()).toBe('2 of 2 workers: 0.25, 31 passes/s; a worker was lost once (waited 4.2 s)');
    await lock();
    await stream.return(undefined);
  });

  it('end with the studio', async () => {
    const stream = events();
    await next(stream, 'state');
    await studio.stop();
    expect((await stream.next().catch(() => ({ done: true }))).done).toBe(true);
  });
});
