import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import ts from 'typescript';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { main } from '../../src/cli/main.js';
import { heed } from '../cli/support.js';
import { tinyTalker } from '../loop/talkative.js';
import { ROOT } from '../support/installed.js';
import { scratchFolder } from '../support/scratch.js';

const { folder } = scratchFolder();
const cwd = process.cwd();
// Inside the workspace, so that the page's program finds the client.
const script = join(ROOT, 'packages/heed/test/start/page.tmp.mjs');
let model = '';
beforeAll(async () => {
  model = await tinyTalker(folder, { context: 2048 });
  process.chdir(folder);
});
afterAll(() => {
  process.chdir(cwd);
  rmSync(script, { force: true });
});

/** The program of the page, which talks to a server at another port. */
function program(url: string): string {
  const [, text] = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(ROOT, 'docs/start.md'), 'utf8'))!;
  const placed = text!.replace('http://127.0.0.1:8321/v1', url);
  expect(placed).not.toBe(text);
  return ts.transpile(placed, { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext });
}

it('docs/start.md: the log becomes an adapter that the official client calls, and what it says of an answer is kept', async () => {
  const started = await heed(['start', join(ROOT, 'examples/support-bot/log.jsonl'), '--model', model]);
  expect(started.code, started.err).toBe(0);
  expect(started.out).toMatch(/Foreseen: \d+ steps over \d+ rows, under a minute on two cores/);
  const next = [...started.out.split('Next:\n')[1]!.matchAll(/^ {2}npx heed (.*)$/gm)].map(([, line]) => line!.split(' '));
  expect(next.map(([verb]) => verb)).toEqual(['train', 'compare', 'serve']);
  const trained = await heed([...next[0]!, 'train.steps=2']);
  expect(trained.code, trained.err).toBe(0);
  const rules = join(ROOT, 'examples/support-bot/support.rules.yaml');
  const compared = await heed([...next[1]!, '--max-tokens', '8', '--reward', `rules:${rules}`, '--json']);
  expect(compared.code, compared.err).toBe(0);
  expect(compared.json()).toMatchObject({ job: 'compare', rows: 21 });

  let err = '';
  const code = main([...next[2]!, '--port', '0', '--json'], {
    stdout: { write: () => undefined }, stderr: { write: (text) => { err += text; } },
  });
  try {
    const url = await vi.waitUntil(() => /at (http:\S+?),?\s/.exec(err)?.[1], { timeout: 30_000 });
    writeFileSync(script, program(url));
    await promisify(execFile)(process.execPath, [script]);
  } finally {
    process.emit('SIGINT', 'SIGINT');
  }
  expect(await code, err).toBe(0);
  expect((await heed(['rows', 'feedback.db', '--json'])).json()).toMatchObject({ answers: 1 });
}, 120_000);
