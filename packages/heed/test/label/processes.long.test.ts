import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { scratchFolder } from '../support/scratch.js';

const WORKER = join(import.meta.dirname, 'worker.js');
/** 10^5 with HEED_STORE_LABELS=100000: what the page on labels tells of. */
const COUNT = Number(process.env['HEED_STORE_LABELS'] ?? 10_000);

interface Done {
  readonly asked: number;
  readonly reused: number;
  readonly hash: string;
  readonly seconds: number;
  readonly replies: number;
  readonly failures: number;
}

const { folder } = scratchFolder();
const [store, log] = [join(folder, 'labels.db'), join(folder, 'asked.log')];

/** Runs a worker; undefined where it was killed. */
function work(killAfter = 0): Promise<Done | undefined> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [WORKER, store, String(COUNT), log, String(killAfter)], { stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.on('data', (text: Buffer) => { out += text.toString(); });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (signal === 'SIGKILL') resolve(undefined);
      else if (code === 0) resolve(JSON.parse(out) as Done);
      else reject(new Error(`The worker ended with ${code}.`));
    });
  });
}

// The workers run what was built; the command builds what is stale.
beforeAll(() => {
  expect(spawnSync(process.execPath, [fileURLToPath(new URL('../../bin/heed.js', import.meta.url)), '--help']).status).toBe(0);
});

describe('four processes and one store', () => {
  it('lose and double nothing, kills included; after them nothing is asked', async () => {
    // Each place of the four is killed at another moment and taken by a new process; two are killed twice.
    const kills = [[COUNT * 0.02, COUNT * 0.05], [COUNT * 0.04], [COUNT * 0.01, COUNT * 0.09], [COUNT * 0.13]].map((all) =>
      all.map(Math.round),
    );
    // The first is alone: what it had claimed when it was killed is there for the four to take over.
    expect(await work(300)).toBeUndefined();
    let killed = 1;
    const ends = await Promise.all(kills.map(async (moments) => {
      for (const moment of moments) {
        const done = await work(moment);
        if (done !== undefined) return done; // the others left too little to be killed over
        killed++;
      }
      return work();
    }));
    expect(new Set(ends.map((done) => done!.hash)).size).toBe(1);
    expect(ends[0]).toMatchObject({ replies: COUNT, failures: 0 });

    const asked = readFileSync(log, 'utf8').trim().split('\n');
    expect(new Set(asked).size).toBe(COUNT);
    // Asked twice is only what a killed process had been told and not yet written: less than one turn of its loop.
    expect(asked.length - COUNT).toBeLessThanOrEqual(killed * 64);

    const again = await work();
    expect(again).toMatchObject({ asked: 0, reused: COUNT, hash: ends[0]!.hash });
    if (COUNT > 10_000)
      console.log(
        `${COUNT} labels, ${killed} kills: ${asked.length - COUNT} questions asked twice, `
          + `${ends.map((done) => `${done!.seconds.toFixed(1)} s`).join(', ')}; asking all again took ${again!.seconds.toFixed(1)} s`,
      );
  });
});
