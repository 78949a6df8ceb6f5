import { cpSync } from 'node:fs';
import { join } from 'node:path';
import OpenAI from 'openai';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { main } from '../../src/cli/main.js';
import { scratchFolder } from '../support/scratch.js';
import { heed, tinyChat } from './support.js';

const { folder } = scratchFolder();
let model = '';
let adapter = '';
beforeAll(async () => {
  ({ model, adapter } = await tinyChat(folder));
});
afterEach(() => vi.unstubAllEnvs());

it('calls a model in a folder by the folder\'s name, however the path is written', async () => {
  const cwd = process.cwd();
  process.chdir(folder);
  try {
    cpSync(model, join('models', 'x'), { recursive: true });
    await serving(['--model', 'models/x', '--quiet'], async (baseURL) =>
      expect((await new OpenAI({ baseURL, apiKey: 'none' }).models.list()).data.map(({ id }) => id)).toEqual(['x']),
    );
  } finally {
    process.chdir(cwd);
  }
});

/** Starts the command, has `body` talk to it, and presses Ctrl-C. */
async function serving(argv: readonly string[], body: (url: string) => Promise<void>): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const code = main(['serve', '--model', model, '--port', '0', '--json', ...argv], {
    stdout: {
      write: (text) => {
        out += text;
      },
    },
    stderr: {
      write: (text) => {
        err += text;
      },
    },
  });
  try {
    const url = await vi.waitUntil(() => /at (http:\S+)/.exec(err)?.[1]?.replace(/,$/, ''), { timeout: 30_000 });
    await body(url);
  } finally {
    process.emit('SIGINT', 'SIGINT');
  }
  return { code: await code, out, err };
}

describe('heed serve', () => {
  it('serves a model and adapters by their names until Ctrl-C', async () => {
    const run = join(folder, 'politeness', 'adapter');
    cpSync(adapter, run, { recursive: true });
    const { code, out, err } = await serving(['--adapter', run, `terse=${adapter}`], async (baseURL) => {
      const client = new OpenAI({ baseURL, apiKey: 'none' });
      expect((await client.models.list()).data.map(({ id }) => id)).toEqual(['tiny-256', 'politeness', 'terse']);
      const ask = async (name: string) =>
        (await client.chat.completions.create({ model: name, messages: [{ role: 'user', content: 'Hi' }], max_tokens: 30, temperature: 0 }))
          .choices[0]!.message.content;
      expect(await ask('politeness')).toBe(await ask('terse'));
      expect(await ask('terse')).not.toBe(await ask('tiny-256'));
    });
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ models: ['tiny-256', 'politeness', 'terse'], requests: 5 });
    expect(err).toContain('POST /v1/chat/completions 200');
  });

  it('takes its token from the environment and never writes it', async () => {
    vi.stubEnv('HEED_SERVE_TOKEN', 'open-sesame-42');
    const { code, out, err } = await serving(['--quiet'], async (baseURL) => {
      await expect(new OpenAI({ baseURL, apiKey: 'other', maxRetries: 0 }).models.list()).rejects.toThrow(OpenAI.AuthenticationError);
      expect((await new OpenAI({ baseURL, apiKey: 'open-sesame-42' }).models.list()).data).toHaveLength(1);
    });
    expect(code).toBe(0);
    expect(out + err).not.toContain('sesame');
    expect(err).not.toContain('GET /v1/models');
  });

  it('says what is wrong before it listens', async () => {
    vi.stubEnv('HEED_SERVE_TOKEN', '');
    const wrong = async (message: string, ...argv: string[]): Promise<void> => {
      const { code, err } = await heed(['serve', '--model', model, ...argv]);
      expect(err).toContain(message);
      expect(err).not.toContain('    at ');
      expect(code).toBe(2);
    };
    await wrong('On 0.0.0.0 others can reach the server, so it needs a token.', '--host', '0.0.0.0');
    await wrong('--batch is 0; expected a whole number, at least 1.', '--batch', '0');
    await wrong('--port is 70000; expected at most 65535.', '--port', '70000');
    await wrong(`--allow-adapters is ${join(folder, 'none')}, which is no folder`, '--allow-adapters', join(folder, 'none'));
    await wrong('Two adapters are named', '--adapter', adapter, adapter);
    await wrong('An adapter is named tiny-256, as the model is.', '--port', '0', '--adapter', `tiny-256=${adapter}`);
    await wrong('could not be read', '--adapter', join(folder, 'nothing'));
    await wrong("'poem' is invalid", '--template', 'poem');
  });
});
