import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Hono } from 'hono';
import { beforeAll, describe, expect, it } from 'vitest';

import { createStudio } from '../../src/studio/app.js';
import { type StudioContext, openContext } from '../../src/studio/context.js';
import { startStudio } from '../../src/studio/server.js';
import { scratchFolder } from '../support/scratch.js';

const { folder } = scratchFolder();
const project = join(folder, 'project');
let context: StudioContext;
let app: Hono;

function makeRun(dir: string, recipe = 'model: m\nmethod: sft\n'): void {
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'recipe.yaml'), recipe);
  writeFileSync(join(dir, 'metrics.jsonl'), '');
}

beforeAll(async () => {
  makeRun(join(project, 'runs/own'));
  makeRun(join(folder, 'outside'));
  makeRun(join(project, 'runs/keys'), 'model: m\nmethod: sft\njudge: { endpoint: { apiKey: sk-abcdefghijklmnop } }\n');
  symlinkSync(join(folder, 'outside'), join(project, 'link'));
  context = await openContext(project, { signal: new AbortController().signal });
  app = createStudio(context, { page: project });
});

const ask = (path: string, init: RequestInit = {}, to = app) => to.request(`http://127.0.0.1:8322/${path}`, {
  ...init, headers: { host: '127.0.0.1:8322', ...init.headers },
});
const post = (path: string, body: string, headers: Record<string, string> = {}) =>
  ask(path, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });

describe('the studio', () => {
  it('lets the page load nothing from elsewhere and run no script but its own', async () => {
    writeFileSync(join(project, 'index.html'), '<p>');
    const answer = await ask('');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-security-policy')).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; "
      + "form-action 'none'; frame-ancestors 'none'",
    );
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it.each([
    ['a name that resolves here', 'GET', { host: 'evil.example:8322' }],
    ['another origin', 'GET', { origin: 'https://evil.example' }],
    ['another port', 'GET', { origin: 'http://127.0.0.1:3000' }],
    ['a frame without an origin', 'GET', { origin: 'null' }],
    ['a link of another site', 'GET', { 'sec-fetch-site': 'cross-site' }],
    ['another port of the same site', 'GET', { 'sec-fetch-site': 'same-site' }],
    ['a page that posts', 'POST', { origin: 'https://evil.example', 'content-type': 'application/json' }],
  ])('refuses %s', async (_, method, headers) => {
    const answer = await ask('api/runs', { method, headers });
    expect(answer.status).toBe(403);
  });

  it('answers its own page, and programs that are no browser', async () => {
    const own: Record<string, string> = { origin: 'http://127.0.0.1:8322', 'sec-fetch-site': 'same-origin' };
    for (const headers of [own, {}]) expect((await ask('api/runs', { headers })).status).toBe(200);
  });

  it.each([
    '../outside', '/etc', 'runs/../../outside', 'link', 'link/..\\x', 'runs/own\0', '',
  ])('reads no path outside: %j', async (run) => {
    const answer = await ask(`api/run?run=${encodeURIComponent(run)}`);
    expect([400, 404]).toContain(answer.status);
    expect(await answer.text()).not.toContain('method');
  });

  it('lists runs of the project alone, not through links', async () => {
    const { runs } = (await (await ask('api/runs')).json()) as { runs: { run: string }[] };
    expect(runs.map(({ run }) => run).sort()).toEqual(['runs/keys', 'runs/own']);
  });

  it('starts no run into a folder outside', async () => {
    for (const dir of ['../outside', '/tmp/x', 'link']) {
      const answer = await post('api/jobs', JSON.stringify({ recipe: `model: m\nrun: { dir: ${dir} }\n` }));
      expect(answer.status).toBe(400);
    }
  });

  it('shows no key', async () => {
    const text = await (await ask('api/run?run=runs/keys')).text();
    expect(text).toContain('[key]');
    expect(text).not.toContain('sk-abc');
  });

  it('takes JSON of a bounded size', async () => {
    expect((await post('api/run/stop', '{}', { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await post('api/run/stop', '{')).status).toBe(400);
    expect((await post('api/run/stop', JSON.stringify({ run: 'x'.repeat(2 << 20) }))).status).toBe(413);
  });

  it('asks for its token, which no cookie gives away', async () => {
    const locked = createStudio(context, { page: project, token: 'open sesame' });
    expect((await ask('api/runs', {}, locked)).status).toBe(401);
    expect((await ask('', {}, locked)).status).toBe(200);
    expect((await ask('api/runs', { headers: { authorization: 'Bearer open sesame' } }, locked)).status).toBe(200);
    const enter = (token: string) => ask('api/session', { method: 'POST', body: JSON.stringify({ token }) }, locked);
    expect((await enter('wrong')).status).toBe(401);
    const cookie = (await enter('open sesame')).headers.get('set-cookie')!;
    expect(cookie).toMatch(/HttpOnly.*SameSite=Strict/i);
    expect(cookie).not.toContain('sesame');
    expect((await ask('api/runs', { headers: { cookie: cookie.split(';')[0]! } }, locked)).status).toBe(200);
    expect((await ask('api/runs', { headers: { cookie: 'heed_studio=guess' } }, locked)).status).toBe(401);
  });

  it('listens beyond this machine with a token alone', async () => {
    await expect(startStudio(project, { host: '0.0.0.0', port: 0, page: project })).rejects.toThrow('needs a token');
  });
});
