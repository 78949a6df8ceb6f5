import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openEngine } from '../../src/cluster/open.js';
import { tinyChat } from '../cli/support.js';
import { useEngine } from '../model/tiny.js';
import { scratchFolder } from '../support/scratch.js';
import { expectSame, manyPasses, stepOn } from './support.js';

// A Ray cluster of one machine, reached by its Jobs API alone, as one on other machines would be.

const { folder } = scratchFolder();
process.env['RAY_AUTH_TOKEN'] = randomBytes(32).toString('hex');
const engine = useEngine();
const cache = join(folder, 'cache');
let head: ChildProcess;
let temporary: string;
let url: string;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

beforeAll(async () => {
  // The paths of Ray's sockets must be short.
  temporary = mkdtempSync(join(tmpdir(), 'heed-ray-'));
  const [port, dashboard] = [await freePort(), await freePort()];
  url = `ray://127.0.0.1:${dashboard}`;
  const bin = dirname(process.env['HEED_PYTHON']!);
  head = spawn(join(bin, 'ray'), [
    'start', '--head', '--block', '--node-ip-address=127.0.0.1', `--port=${port}`, '--dashboard-host=127.0.0.1',
    '--include-dashboard=true', `--dashboard-port=${dashboard}`, '--num-cpus=1', `--temp-dir=${temporary}`, '--disable-usage-stats',
    '--object-store-memory=200000000',
  ], {
    detached: true, stdio: 'ignore',
    env: { ...process.env, RAY_AUTH_MODE: 'token', PATH: `${bin}:${process.env['PATH']}`, HEED_CACHE: cache },
  });
  for (let tries = 0; tries < 120; tries++) {
    // It asks for the token, so it is there.
    if ((await fetch(`http://127.0.0.1:${dashboard}/api/version`).catch(() => undefined))?.status === 401) return;
    await pause(500);
  }
  throw new Error('Ray did not start.');
});
afterAll(async () => {
  // --block ends what it started.
  if (head.exitCode === null) {
    process.kill(head.pid!, 'SIGTERM');
    await once(head, 'exit');
  }
  rmSync(temporary, { recursive: true, force: true });
});

it('takes a step as one machine does, with weights that were sent once', async () => {
  const { model } = await tinyChat(folder, { context: 512 });
  const work = await manyPasses(model, { name: 'dpo' });
  const expected = await stepOn(engine(), work);
  const lines: string[] = [];
  for (let run = 0; run < 2; run++) {
    const team = await openEngine(url, { say: (line) => lines.push(line) });
    expectSame(await stepOn(team, work), expected);
    await team.close();
  }
  expect(lines.filter((line) => line.startsWith('sending '))).toHaveLength(1);
  expect(readdirSync(join(cache, 'weights'))).toEqual([expect.stringMatching(/^[\da-f]{64}$/)]);
});
