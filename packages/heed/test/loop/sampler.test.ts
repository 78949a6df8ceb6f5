import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Engine, startEngine } from '@heed/tensor';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AlignSummary } from '../../src/loop/align-job.js';
import type { Answer } from '../../src/loop/answer-log.js';
import { type Model, loadModel } from '../../src/model/load.js';
import { type Ran, heed } from '../cli/support.js';
import { fail } from '../judge/faulty-server.js';
import { promptLines } from '../support/rows.js';
import { scratchFolder } from '../support/scratch.js';
import { heedStopped, log } from '../train/interrupted.js';
import { tinyTalker } from './talkative.js';
import { type VllmDouble, vllmDouble } from './vllm-double.js';

// The policy of a small model is sampled by two doubles of vLLM, which have the model and load the adapter of each round.
const { folder, write } = scratchFolder();
let engine: Engine;
let model: Model;
let servers: readonly VllmDouble[];
let recipe: string;
let rules: string;

beforeAll(async () => {
  const path = await tinyTalker(folder, { context: 512, leaning: 2 });
  [engine, model] = [await startEngine({ threads: 1 }), await loadModel(path)];
  servers = await Promise.all([1, 2].map(() => vllmDouble(engine, model, 'tiny')));
  const rewards = write('rewards.ts', `
const printable = (text: string): number => [...text].filter((c) => c >= ' ' && c <= '~').length;
export const share = ({ completions }: { completions: readonly string[] }): number[] =>
  completions.map((text) => printable(text) / Math.max(1, [...text].length));
`);
  rules = write('tiny.rules.yaml', `
name: tiny
rules:
  - {id: letters, kind: forbidden-pattern, pattern: '[ -~]', message: 'It has {quotes}.'}
`);
  recipe = write('recipe.yaml', `
model: ${path}
data: ${write('train.jsonl', promptLines(16, 'Why'))}
reward: '${rewards}#share'
method: {name: rloo, beta: 0}
generate:
  maxNewTokens: 12
  prompts: 4
  samples: 4
  endpoint: {url: '${servers[0]!.url}', replicas: ['${servers[1]!.url}'], model: tiny, concurrency: 2, retries: 0, backoff: 0.01}
loop: {iterations: 3}
evaluate: {prompts: ${write('held.jsonl', promptLines(4, 'How'))}, maxNewTokens: 12}
adapter: {rank: 8, alpha: 16}
train: {schedule: constant, batch: 4, learningRate: 2e-2}
run: {dir: unused}
`);
});
afterAll(() => engine.close());
beforeEach(() => {
  for (const server of servers) {
    server.faults = {};
    server.asked.length = 0;
  }
});

const dirOf = (name: string): string => join(folder, name);
const align = (name: string, ...more: string[]): Promise<Ran> => heed(['align', recipe, `run.dir=${dirOf(name)}`, '--json', ...more]);
const LOCAL = 'generate.endpoint=null';
const lines = <T = Record<string, number>>(name: string, ...file: string[]): T[] =>
  readFileSync(join(dirOf(name), ...file), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as T);
const answersOf = (name: string, round: number): Answer[] => lines<Answer>(name, 'work', `round-${round}`, 'answers.jsonl');
const byPlace = (answers: readonly Answer[]): Answer[] => [...answers].sort((a, b) => a.row - b.row || a.sample - b.sample);
const tokensOf = (name: string, round: number): object[] => byPlace(answersOf(name, round)).map(({ row, sample, ids }) => ({ row, sample, ids }));
const mismatches = (name: string): number[] => lines(name, 'metrics.jsonl').map(({ mismatch_kl: mismatch }) => mismatch!);

describe('the policy sampled by servers', () => {
  it('is that which learns: each round is answered with its own adapter', async () => {
    const ran = await align('served');
    expect(ran.code, ran.err).toBe(0);
    const given = mismatches('served');
    expect(given).toHaveLength(3);
    for (const mismatch of given) expect(Math.abs(mismatch)).toBeLessThan(2e-5);
    expect(ran.err).not.toContain('mismatch_kl');
    for (const server of servers) {
      const bodies = server.completions();
      // Both had prompts of every round, under the name that tells run and round.
      expect([...new Set(bodies.map((body) => body['model']))].map((name) => String(name).replace(/-[0-9a-f]{8}$/, '')))
        .toEqual(['tiny', 'served-round-2', 'served-round-3']);
      expect(server.adapters.size).toBe(0);
      const told = server.asked.filter(({ path }) => path.endsWith('_lora_adapter')).map(({ path, body }) => [path, body['lora_path']]);
      expect(told.map(([path]) => path)).toEqual([
        '/v1/load_lora_adapter', '/v1/unload_lora_adapter', '/v1/load_lora_adapter', '/v1/unload_lora_adapter',
      ]);
      expect(String(told[0]![1]).startsWith(join(dirOf('served'), 'work', 'adapters', 'round-2-'))).toBe(true);
    }
    expect(servers.flatMap((server) => server.completions())).toHaveLength(12);
    expect(readdirSync(join(dirOf('served'), 'work', 'adapters'))).toEqual([]);
    expect(ran.err).toMatch(/:\d+\/v1: \d+ requests answered, 0 put off, 0 failed/);
  });

  it('keeps a value head here: servers sample by the factors alone', async () => {
    const ran = await align('head', 'method={name: reinforce, baseline: value, beta: 0}', 'loop.iterations=2');
    expect(ran.code, ran.err).toBe(0);
    for (const mismatch of mismatches('head')) expect(Math.abs(mismatch)).toBeLessThan(2e-5);
    expect(servers.flatMap((server) => server.completions().map((body) => String(body['model']).slice(0, 12)))).toContain('head-round-2');
  });

  it('asks for tokens by tokens, and leaves nothing to a default of the server', async () => {
    await align('asked', 'loop.iterations=1');
    const [body] = servers[0]!.completions();
    expect(body).toEqual({
      model: 'tiny', prompt: expect.any(Array) as number[], n: 4, max_tokens: 12, temperature: 1, top_p: 1, top_k: -1, min_p: 0,
      repetition_penalty: 1, seed: expect.any(Number) as number, stop_token_ids: model.template.stopIds, logprobs: 0,
      return_token_ids: true,
    });
    const seeds = servers.flatMap((server) => server.completions().map(({ seed }) => Number(seed))).sort((a, b) => a - b);
    expect(seeds.every((seed, i) => i === 0 || seed - seeds[i - 1]! >= 4)).toBe(true);
    for (const { ids, text, logprobs } of answersOf('asked', 1)) {
      expect(logprobs).toHaveLength(ids.length);
      expect(text).toBe(model.tokenizer.decode(ids.filter((id) => !model.template.stopIds.includes(id)), { skipSpecial: true }));
    }
  });

  it('is seen not to be it where a server keeps an older adapter', async () => {
    for (const server of servers) server.faults = { stale: true };
    const ran = await align('stale');
    expect(ran.code, ran.err).toBe(0);
    const [first, ...later] = mismatches('stale');
    expect(Math.abs(first!)).toBeLessThan(2e-5);
    for (const mismatch of later) expect(mismatch).toBeGreaterThan(0.01);
    expect(ran.err).toMatch(/step 2: mismatch_kl is 0?\.\d+.*a server may have kept an older adapter/);
    expect(ran.err).toMatch(/step 3: mismatch_kl/);
  });

  it('answers greedily as the engine does, with one answer for all samples', async () => {
    const greedy = ['method={name: dpo}', 'generate.temperature=0', 'generate.samples=2', 'generate.prompts=6', 'loop.iterations=1'];
    // Equal answers make no pair, so the round is refused after it was rated: what was answered is there.
    await align('greedy', ...greedy);
    await align('greedy-local', LOCAL, ...greedy);
    const [here, there] = [byPlace(answersOf('greedy-local', 1)), byPlace(answersOf('greedy', 1))];
    expect(there.map(({ ids }) => ids)).toEqual(here.map(({ ids }) => ids));
    there.forEach(({ logprobs }, i) => logprobs.forEach((p, at) => expect(Math.abs(p - here[i]!.logprobs[at]!)).toBeLessThan(1e-4)));
    expect(servers.flatMap((server) => server.completions().map(({ n }) => n))).toEqual([1, 1, 1, 1, 1, 1]);
  });

  it('earns greedily what it earns with the engine, round after round', async () => {
    const greedy = [
      'method={name: cut, ratio: null}', `reward=rules:${rules}`, 'generate.temperature=0', 'generate.samples=1', 'generate.prompts=8',
      'train.learningRate=1e-3',
    ];
    const [served, own] = [await align('earns', ...greedy), await align('earns-local', LOCAL, ...greedy)];
    expect(served.code, served.err).toBe(0);
    const rewards = (ran: Ran): unknown[] => ran.json<AlignSummary>().rounds.map(({ reward }) => reward);
    expect(rewards(served)).toHaveLength(3);
    expect(rewards(served)).toEqual(rewards(own));
    expect(answersOf('earns', 3).map(({ text }) => text).sort()).toEqual(answersOf('earns-local', 3).map(({ text }) => text).sort());
    expect(servers[0]!.completions().map((body) => String(body['model']).slice(0, 'earns-round-3'.length))).toContain('earns-round-3');
  });
});

describe('a run that stopped while servers answered', () => {
  it('goes on with what came, and asks for the rest alone', async () => {
    await align('whole', 'loop.iterations=2');
    for (const server of servers) server.asked.length = 0;
    let answered = 0;
    for (const server of servers) {
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
    for (const server of servers) {
      server.faults = {};
      server.asked.length = 0;
    }
    const resumed = await align('cut', 'loop.iterations=2', '--resume');
    expect(resumed.code, resumed.err).toBe(0);
    expect(answersOf('cut', 2).slice(0, kept.length)).toEqual(kept);
    expect(servers.flatMap((server) => server.completions())).toHaveLength(4 - kept.length / 4);
    expect(tokensOf('cut', 2)).toEqual(tokensOf('whole', 2));
  });

  // In a process of its own, at the third answer of round 2: a kill leaves half of its line, and the adapter on the servers.
  it.each(['SIGKILL', 'SIGINT'] as const)('by %s: the same, and the servers are left with no adapter', async (how) => {
    const args = [
      'align', recipe, `run.dir=${dirOf(how)}`, 'loop.iterations=2', 'generate.endpoint.concurrency=1', 'generate.endpoint.replicas=null',
    ];
    const stopped = await heedStopped(args, { how, on: 'line', matching: '^\\{"round":2,"row":1,"sample":2,' });
    expect(how === 'SIGKILL' ? stopped.signal : stopped.code, stopped.err).toBe(how === 'SIGKILL' ? 'SIGKILL' : 130);
    expect([...servers[0]!.adapters.keys()].map((name) => name.slice(0, -9))).toEqual(how === 'SIGKILL' ? ['SIGKILL-round-2'] : []);
    const kept = readFileSync(join(dirOf(how), 'work', 'round-2', 'answers.jsonl'), 'utf8').split('\n').slice(0, -1);
    expect(kept.length).toBeGreaterThan(1);
    servers[0]!.asked.length = 0;
    const resumed = await heed([...args, '--resume']);
    expect(resumed.code, resumed.err).toBe(0);
    expect(readFileSync(join(dirOf(how), 'work', 'round-2', 'answers.jsonl'), 'utf8').split('\n').slice(0, kept.length)).toEqual(kept);
    expect(servers[0]!.completions()).toHaveLength(4 - Math.floor(kept.length / 4));
    expect(servers[0]!.adapters.size).toBe(0);
    expect(tokensOf(how, 2)).toEqual(tokensOf('whole', 2));
    expect(log(dirOf(how)).slice(0, -1)).toHaveLength(2);
  });
});

describe('a server of several that', () => {
  it('cannot be reached gets no adapter, and the others answer', async () => {
    const gone = await vllmDouble(engine, model, 'tiny');
    await gone.close();
    const ran = await align('down', `generate.endpoint.replicas=['${gone.url}']`);
    expect(ran.code, ran.err).toBe(0);
    expect(ran.err).toContain(`${gone.url} does not answer and gets no adapter, so others answer in this round`);
    expect(servers[0]!.completions().length).toBeGreaterThanOrEqual(12);
    for (const mismatch of mismatches('down')) expect(Math.abs(mismatch)).toBeLessThan(2e-5);
  });

  it('loses the adapter answers nothing with another one', async () => {
    let lost = 0;
    servers[1]!.faults = {
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
    for (const server of servers) server.faults = faults;
    const ran = await align(what.replaceAll(' ', '-'));
    expect(ran.err).toMatch(words);
    expect(ran.err).toMatch(way);
    expect(ran.err).toContain(servers.find(({ url }) => ran.err.includes(url))!.url);
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
    servers[1]!.faults = faults;
    const ran = await align(what.replaceAll(' ', '-'));
    expect(ran.err).toContain(servers[1]!.url);
    expect(ran.err).toMatch(words);
    expect(ran.err).toMatch(way);
    expect(ran.code).toBe(2);
    expect(servers[0]!.adapters.size).toBe(0);
  });

  it('does not have the base under that name', async () => {
    const ran = await align('other', 'generate.endpoint.model=other');
    expect(ran.err).toMatch(/the policy gets no answer: HTTP 404: The model `other` does not exist/);
    expect(ran.err).toContain('GET /v1/models lists their names');
    expect(ran.code).toBe(2);
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
    expect(servers.flatMap(({ asked }) => asked)).toEqual([]);
  });
});
