import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { heed } from '../cli/support.js';
import { fail } from '../judge/faulty-server.js';
import { heedStopped } from '../train/interrupted.js';
import { sampled } from './sampled.js';
import { type VllmDouble, vllmDouble } from './vllm-double.js';

// What goes wrong while servers sample the policy.
const { all, dirOf, align, answersOf, tokensOf, mismatches, asked } = sampled();

describe('a run that stopped while servers answered', () => {
  beforeAll(() => align('whole', 'loop.iterations=2'));

  it('goes on with what came, and asks for the rest alone', async () => {
    let answered = 0;
    for (const server of all().servers) {
      server.faults = {
        before: ({ body }, response) => {
          if (!/round-2/.test(String(body['model'])) || answered++ < 2) return undefined;
          return fail(response, 500, { error: { message: 'CUDA out of memory', type: 'InternalServerError' } });
        },
      };
    }
    const cut = await align('cut', 'loop.iterations=2', 'generate.endpoint.concurrency=1');
    expect(cut.code).toBe(2);
    expect(cut.err).toMatch(/generate\.endpoint: the policy gets no answer: HTTP 500: CUDA out of memory[^]*go on with --resume/);
    const kept = answersOf('cut', 2);
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.length).toBeLessThan(16);
    for (const server of all().servers) {
      server.faults = {};
      server.asked.length = 0;
    }
    const resumed = await align('cut', 'loop.iterations=2', '--resume');
    expect(resumed.code, resumed.err).toBe(0);
    expect(answersOf('cut', 2).slice(0, kept.length)).toEqual(kept);
    expect(asked()).toHaveLength(4 - kept.length / 4);
    expect(tokensOf('cut', 2)).toEqual(tokensOf('whole', 2));
  });

  // In a process of its own, at the third answer of round 2: a kill leaves half of its line, and the adapter on the servers.
  it.each(['SIGKILL', 'SIGINT'] as const)('by %s: the same, and the servers are left with no adapter', async (how) => {
    const args = [
      'align', all().recipe, `run.dir=${dirOf(how)}`, 'loop.iterations=2', 'generate.endpoint.concurrency=1',
      'generate.endpoint.replicas=null',
    ];
    const stopped = await heedStopped(args, { how, on: 'line', matching: '^\\{"round":2,"row":1,"sample":2,' });
    expect(how === 'SIGKILL' ? stopped.signal : stopped.code, stopped.err).toBe(how === 'SIGKILL' ? 'SIGKILL' : 130);
    expect([...all().servers[0]!.adapters.keys()].map((name) => name.slice(0, -9))).toEqual(how === 'SIGKILL' ? ['SIGKILL-round-2'] : []);
    const kept = readFileSync(join(dirOf(how), 'work', 'round-2', 'answers.jsonl'), 'utf8').split('\n').slice(0, -1);
    expect(kept.length).toBeGreaterThan(1);
    all().servers[0]!.asked.length = 0;
    const resumed = await heed([...args, '--resume']);
    expect(resumed.code, resumed.err).toBe(0);
    expect(readFileSync(join(dirOf(how), 'work', 'round-2', 'answers.jsonl'), 'utf8').split('\n').slice(0, kept.length)).toEqual(kept);
    expect(all().servers[0]!.completions()).toHaveLength(4 - Math.floor(kept.length / 4));
    expect(all().servers[0]!.adapters.size).toBe(0);
    expect(tokensOf(how, 2)).toEqual(tokensOf('whole', 2));
  });
});

describe('a server of several that', () => {
  it('cannot be reached gets no adapter, and the others answer', async () => {
    const gone = await vllmDouble(all().engine, all().model, 'tiny');
    await gone.close();
    const ran = await align('down', `generate.endpoint.replicas=['${gone.url}']`);
    expect(ran.code, ran.err).toBe(0);
    expect(ran.err).toContain(`${gone.url} does not answer and gets no adapter, so others answer in this round`);
    expect(all().servers[0]!.completions().length).toBeGreaterThanOrEqual(12);
    for (const mismatch of mismatches('down')) expect(Math.abs(mismatch)).toBeLessThan(2e-5);
  });

  it('loses the adapter answers nothing with another one', async () => {
    let lost = 0;
    all().servers[1]!.faults = {
      before: ({ body }, response) => {
        if (body['model'] === 'tiny') return undefined;
        lost++;
        return fail(response, 404, { error: { message: `The model \`${String(body['model'])}\` does not exist.`, type: 'NotFoundError' } });
      },
    };
    const ran = await align('lost');
    expect(ran.code, ran.err).toBe(0);
    expect(lost).toBeGreaterThan(0);
    for (const mismatch of mismatches('lost')) expect(Math.abs(mismatch)).toBeLessThan(2e-5);
  });
});

describe('a run is stopped, in the server\'s words and with a way out, where a server', () => {
  it.each<[string, VllmDouble['faults'], RegExp, RegExp]>([
    ['gives no token ids', { spoil: (choice) => ({ ...choice, token_ids: null }) }, /sent no token ids/, /vLLM 0\.10\.2 or newer/],
    [
      'gives no log-probabilities', { spoil: (choice) => ({ ...choice, logprobs: null }) },
      /sent 0 log-probabilities for \d+ tokens/, /logprobs: 0/,
    ],
    [
      'reads another prompt', { spoil: (choice) => ({ ...choice, prompt_token_ids: [1, ...choice['prompt_token_ids'] as number[]] }) },
      /read another prompt than the \d+ tokens that were sent/, /--max-model-len/,
    ],
    [
      'ends answers at a token of its own',
      { spoil: (choice) => ({ ...choice, token_ids: [65], finish_reason: 'stop', logprobs: { token_logprobs: [-1] } }) },
      /ended an answer with token 65, which ends no turn of this model/, /extra: \{ ignore_eos: true \}/,
    ],
    ['has other tokens', { spoil: (choice) => ({ ...choice, token_ids: [99_999], logprobs: { token_logprobs: [-1] } }) },
      /sent token 99999, and the model has tokens 0 to \d+/, /set generate\.endpoint\.model/],
    ['gave an answer up', { spoil: (choice) => ({ ...choice, finish_reason: 'abort' }) }, /for the reason "abort"/, /Its log may say why/],
  ])('%s', async (what, faults, words, way) => {
    for (const server of all().servers) server.faults = faults;
    const ran = await align(what.replaceAll(' ', '-'));
    expect(ran.err).toMatch(words);
    expect(ran.err).toMatch(way);
    expect(ran.err).toContain(all().servers.find(({ url }) => ran.err.includes(url))!.url);
    expect(ran.code).toBe(2);
  });

  it.each<[string, VllmDouble['faults'], RegExp, RegExp]>([
    ['loads no adapters', { fixed: true }, /does not load the policy's adapter: HTTP 404/, /VLLM_ALLOW_RUNTIME_LORA_UPDATING=True/],
    [
      'does not see the run folder', { sees: () => false }, /No adapter found for .*round-2-/,
      /put run\.dir where every server finds it under the same path, .*work\/adapters\/round-2/,
    ],
    ['has room for lower ranks', { maxRank: 4 }, /LoRA rank 8 is greater than max_lora_rank 4/, /start vLLM with --max-lora-rank 8/],
  ])('%s', async (what, faults, words, way) => {
    all().servers[1]!.faults = faults;
    const ran = await align(what.replaceAll(' ', '-'));
    expect(ran.err).toContain(all().servers[1]!.url);
    expect(ran.err).toMatch(words);
    expect(ran.err).toMatch(way);
    expect(ran.code).toBe(2);
    expect(all().servers[0]!.adapters.size).toBe(0);
  });

  it('does not have the base under that name', async () => {
    const ran = await align('other', 'loop.iterations=1', 'generate.endpoint.model=other');
    expect(ran.err).toMatch(/the policy gets no answer: HTTP 404: The model `other` does not exist/);
    expect(ran.err).toContain('GET /v1/models lists their names');
    expect(ran.code).toBe(2);
    // What the message names can be mended on the way.
    const resumed = await align('other', 'loop.iterations=1', 'generate.endpoint.model=tiny', '--resume');
    expect(resumed.code, resumed.err).toBe(0);
  });
});

describe('what servers cannot do is refused by name', () => {
  it.each([
    ['generate.temperature=1.3', 'generate.temperature is 1.3'], ['generate.topK=40', 'generate.topK is 40'],
    ['generate.topP=0.9', 'generate.topP is 0.9'], ['generate.minP=0.1', 'generate.minP is 0.1'],
    ['generate.endpoint.extra={logprobs: 5}', 'these fields are filled in by Heed'], ['generate.endpoint.api=chat', 'api'],
  ])('%s', async (override, words) => {
    const ran = await align('refused', override);
    expect(ran.err).toContain(words);
    expect(ran.code).toBe(2);
    expect(all().servers.flatMap(({ asked }) => asked)).toEqual([]);
  });
});
