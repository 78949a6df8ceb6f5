import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { reportError } from '../../src/cli/errors.js';
import { main } from '../../src/cli/main.js';
import { createOutput, table } from '../../src/cli/output.js';
import { UserError } from '../../src/errors.js';
import { Interrupted } from '../../src/run/signals.js';

function streams(): { stdout: { write(text: string): void }; stderr: { write(text: string): void }; out: () => string; err: () => string } {
  let out = '';
  let err = '';
  return {
    stdout: { write: (text) => void (out += text) },
    stderr: { write: (text) => void (err += text) },
    out: () => out,
    err: () => err,
  };
}

async function heed(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const s = streams();
  const code = await main(argv, s);
  return { code, out: s.out(), err: s.err() };
}

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'heed-cli-'));
  vi.stubEnv('HEED_CACHE', join(dir, 'cache'));
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(dir, { recursive: true });
});

describe('heed', () => {
  it('shows help for itself and each verb', async () => {
    const bare = await heed();
    const help = await heed('--help');
    expect(bare).toEqual(help);
    expect(help.code).toBe(0);
    expect(help.out).toContain('models');
    const verbs = [...help.out.matchAll(/^ {2}([a-z]+) /gm)].map(([, verb]) => verb ?? '').filter((verb) => verb !== 'help');
    for (const verb of verbs) {
      const { code, out } = await heed(verb, '--help');
      expect(code).toBe(0);
      expect(out).toContain('--json');
    }
  });

  it('prints its version', async () => {
    const { code, out } = await heed('--version');
    expect(code).toBe(0);
    expect(out).toBe(
      `${(JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }).version}\n`,
    );
  });

  it('suggests the nearest verb and option, with exit code 2', async () => {
    const verb = await heed('modles');
    expect(verb.code).toBe(2);
    expect(verb.err).toContain('Did you mean models?');
    const option = await heed('models', '--jsno');
    expect(option.code).toBe(2);
    expect(option.err).toContain('Did you mean --json?');
    expect(option.out).toBe('');
  });

  it('prints one result object as the last line with --json, also for errors', async () => {
    const { code, out } = await heed('models', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out.trim().split('\n').at(-1) ?? '')).toMatchObject({ default: 'smollm2-135m-instruct', cached: [] });
    const wrong = await heed('report', join(dir, 'nothing'), '--json');
    expect(wrong.code).toBe(2);
    expect(JSON.parse(wrong.out)).toMatchObject({
      ok: false,
      exitCode: 2,
      error: expect.stringContaining('is not a run folder') as string,
    });
    const usage = await heed('report', '--json');
    expect(JSON.parse(usage.out)).toMatchObject({ ok: false, exitCode: 2 });
  });

  it('writes a report', async () => {
    await writeFile(join(dir, 'recipe.yaml'), 'model: m\n');
    const { code, out } = await heed('report', dir);
    expect(code).toBe(0);
    expect(out).toBe(`The report is ${join(dir, 'report.html')}\n`);
    const wrong = await heed('report', join(dir, 'nothing'));
    expect(wrong.err).toMatch(/error:.* is not a run folder[^]*→.* Name the folder/);
    expect(wrong.err).not.toContain('    at ');
  });
});

describe('errors', () => {
  it('are in colour in a terminal alone, whatever the environment of CI says', async () => {
    vi.stubEnv('CI', 'true');
    vi.stubEnv('FORCE_COLOR', '1');
    vi.stubEnv('NO_COLOR', undefined);
    const errorOn = (isTTY: boolean): string => {
      let err = '';
      reportError(
        new UserError('no such row'),
        createOutput({
          json: false,
          stdout: { write: () => true },
          stderr: {
            write: (text) => {
              err += text;
            },
            isTTY,
          },
        }),
      );
      return err;
    };
    expect(errorOn(false)).toBe('error: no such row\n');
    expect(errorOn(true)).toBe('\u001b[31merror:\u001b[39m no such row\n');
    vi.stubEnv('NO_COLOR', '1');
    expect(errorOn(true)).toBe('error: no such row\n');
  });

  const codeOf = (error: unknown): { code: number; err: string } => {
    const s = streams();
    const code = reportError(error, createOutput({ json: false, ...s }));
    return { code, err: s.err() };
  };

  it('have the exit codes that scripts rely on', () => {
    expect(codeOf(new UserError('bad', ['do this'])).code).toBe(2);
    expect(codeOf(new Interrupted()).code).toBe(130);
    expect(codeOf('thrown text').code).toBe(1);
    const defect = codeOf(new TypeError('oops'));
    expect(defect.code).toBe(1);
    expect(defect.err).toContain('    at ');
  });
});

describe('table', () => {
  it('pads columns', () => {
    expect(table([['a', 'long'], ['wide', 'x']])).toBe('a     long\nwide  x');
  });
});
