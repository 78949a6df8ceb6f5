/** The server is killed again and again while feedback is posted: none is lost, none counts twice. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { openFeedback } from '../../src/feedback/store.js';
import { createRandom } from '../../src/run/random.js';
import { tinyChat } from '../cli/support.js';
import { scratchFolder } from '../support/scratch.js';

const { folder } = scratchFolder();
const POSTS = Number(process.env['HEED_TEST_POSTS'] ?? 1000);
const KILLS = Number(process.env['HEED_TEST_KILLS'] ?? 4);
const CLIENTS = 8;
const bin = fileURLToPath(new URL('../../bin/heed.js', import.meta.url));

it('loses and doubles nothing', async () => {
  const { model } = await tinyChat(folder, { context: 256 });
  const file = join(folder, 'feedback.db');
  const random = createRandom('feedback kills', 1);
  let port = 0;
  const start = async (): Promise<ChildProcess> => {
    const child = spawn(process.execPath, [bin, 'serve', '--model', model, '--feedback', file, '--port', String(port), '--quiet'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    for await (const chunk of child.stderr.setEncoding('utf8')) {
      said += String(chunk);
      const at = /http:\/\/127\.0\.0\.1:(\d+)\/v1/.exec(said);
      if (at === null) continue;
      port = Number(at[1]);
      break;
    }
    if (port === 0) throw new Error(`The server did not start: ${said}`);
    return child;
  };
  let server = await start();
  const post = async (path: string, body: object, headers: Record<string, string> = {}): Promise<Record<string, unknown> | undefined> => {
    try {
      const reply = await fetch(`http://127.0.0.1:${port}${path}`, {
        method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers },
      });
      if (!reply.ok) throw new Error(`${reply.status} ${await reply.text()}`);
      return await reply.json() as Record<string, unknown>;
    } catch (error) {
      // A connection that the kill cut: as a client does, the same post is made again.
      if (error instanceof TypeError) return undefined;
      throw error;
    }
  };
  const chat = { messages: [{ role: 'user', content: 'Why?' }], max_tokens: 2 };
  const names = await (await fetch(`http://127.0.0.1:${port}/v1/models`)).json() as { data: { id: string }[] };
  const { id } = (await post('/v1/chat/completions', { ...chat, model: names.data[0]!.id }))!;

  let taken = 0;
  let left = KILLS;
  let restarting: Promise<void> | undefined;
  const killAt = Array.from({ length: KILLS }, () => random.int(POSTS)).sort((a, b) => a - b);
  const restart = async (): Promise<void> => {
    server.kill('SIGKILL');
    await once(server, 'exit');
    server = await start();
  };
  const ids = new Map<number, unknown>();
  await Promise.all(Array.from({ length: CLIENTS }, async (_, client) => {
    for (let n = client; n < POSTS; n += CLIENTS) {
      for (;;) {
        await restarting;
        const reply = await post('/v1/feedback', { inference_id: id, metric_name: 'stars', value: n }, { 'Idempotency-Key': `post-${n}` });
        if (reply === undefined) continue;
        ids.set(n, reply['feedback_id']);
        break;
      }
      taken++;
      if (left > 0 && taken > killAt[KILLS - left]! && restarting === undefined) {
        left--;
        restarting = restart().then(() => { restarting = undefined; });
      }
    }
  }));
  await restarting;
  server.kill('SIGKILL');
  await once(server, 'exit');

  expect(left).toBe(0);
  expect(new Set(ids.values()).size).toBe(POSTS);
  const store = await openFeedback(file);
  const [answer] = await store.all();
  expect(answer!.id).toBe(id);
  expect(answer!.feedback.map(({ value }) => value as number).sort((a, b) => a - b)).toEqual(Array.from({ length: POSTS }, (_, n) => n));
  store.close();
}, 600_000 + 100 * POSTS);
