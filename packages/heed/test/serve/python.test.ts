/** The official Python client; skipped where there is none. HEED_TEST_PYTHON names an interpreter that has `openai`. */
import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { served } from './support.js';

const python = process.env['HEED_TEST_PYTHON'] ?? 'python3';
const there = spawnSync(python, ['-c', 'import openai']).status === 0;
const script = fileURLToPath(new URL('openai_client.py', import.meta.url));
const tiny = served();

interface Saw {
  models: string[];
  contents: string[];
  again: string[];
  other: string;
  streamed: string[];
  logprobs: number[][];
  top: number[];
  streamedLogprobs: number[][];
  usage: number;
  streamedUsage: number;
  scored: { text: string; logprobs: (number | null)[] };
  stopped: [number, string, string][];
  errors: unknown[];
}

describe.skipIf(!there)(
  `the Python client (${there ? python : `${python} has no openai: pip install openai, or set HEED_TEST_PYTHON`})`,
  () => {
    it('chats, streams, scores, stops and fails as it does elsewhere', async () => {
      const { server, voices, model } = tiny();
      const { stdout } = await promisify(execFile)(python, [script, `${server.url}/v1`, 'tiny', 'tuned'], { timeout: 100_000 });
      const saw = JSON.parse(stdout) as Saw;
      const prompt = model.template.prompt([{ role: 'user', content: 'Why?' }]);
      const wanted = await voices.all
        .get('tiny')!
        .generator.generate([{ prompt, row: 0, samples: 2 }], { maxNewTokens: 10, temperature: 1, seed: 3 });
      expect(saw.models).toEqual(['tiny', 'tuned']);
      for (const contents of [saw.contents, saw.again, saw.streamed]) expect(contents).toEqual(wanted.map(({ text }) => text));
      expect(saw.other).not.toBe(saw.contents[0]);
      expect(saw.streamedLogprobs).toEqual(saw.logprobs);
      for (const [i, { logprobs }] of wanted.entries()) logprobs.forEach((x, k) => expect(saw.logprobs[i]![k]).toBeCloseTo(x, 4));
      expect(new Set(saw.top)).toEqual(new Set([3]));
      expect(saw.streamedUsage).toBe(saw.usage);
      expect(saw.scored.text).toBe('Once upon');
      expect(saw.scored.logprobs.map((x) => x === null)).toEqual([true, ...saw.scored.logprobs.slice(1).map(() => false)]);
      expect(saw.stopped.map(([index]) => index)).toEqual([0, 1]);
      for (const [, text] of saw.stopped) expect(text).not.toMatch(/[ea]/);
      expect(saw.errors).toEqual([
        ['NotFoundError', 404, 'model_not_found'],
        ['BadRequestError', 400, 'invalid_value'],
        ['BadRequestError', 400, 'context_length_exceeded'],
        ['BadRequestError', 400, 'unknown_parameter'],
      ]);
    });
  },
);
