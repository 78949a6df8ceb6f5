import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AlignSummary } from '../../src/loop/align-job.js';
import { startServer } from '../../src/serve/server.js';
import { openVoices } from '../../src/serve/voices.js';
import type { Ran } from '../cli/support.js';
import { sampled } from './sampled.js';

const { all, folder, dirOf, align, answersOf, mismatches, asked } = sampled();
const LOCAL = 'generate.endpoint=null';

describe('the policy sampled by servers', () => {
  it('is that which learns: each round is answered with its own adapter', async () => {
    const ran = await align('served');
    expect(ran.code, ran.err).toBe(0);
    const given = mismatches('served');
    expect(given).toHaveLength(3);
    for (const mismatch of given) expect(Math.abs(mismatch)).toBeLessThan(2e-5);
    expect(ran.err).not.toContain('mismatch_kl');
    for (const server of all().servers) {
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
    expect(asked()).toHaveLength(12);
    expect(readdirSync(join(dirOf('served'), 'work', 'adapters'))).toEqual([]);
    expect(ran.err).toMatch(/:\d+\/v1: \d+ requests answered, 0 put off, 0 failed/);
  });

  it('keeps a value head here: all().servers sample by the factors alone', async () => {
    const ran = await align('head', 'method={name: reinforce, baseline: value, beta: 0}', 'loop.iterations=2');
    expect(ran.code, ran.err).toBe(0);
    for (const mismatch of mismatches('head')) expect(Math.abs(mismatch)).toBeLessThan(2e-5);
    expect(asked().map((body) => String(body['model']).slice(0, 12))).toContain('head-round-2');
  });

  it('asks for tokens by tokens, and leaves nothing to a default of the server', async () => {
    await align('asked', 'loop.iterations=1');
    const [body] = all().servers[0]!.completions();
    expect(body).toEqual({
      model: 'tiny', prompt: expect.any(Array) as number[], n: 4, max_tokens: 12, temperature: 1, top_p: 1, top_k: -1, min_p: 0,
      repetition_penalty: 1, seed: expect.any(Number) as number, stop_token_ids: all().model.template.stopIds, logprobs: 0,
      return_token_ids: true,
    });
    const seeds = asked().map(({ seed }) => Number(seed)).sort((a, b) => a - b);
    expect(seeds.every((seed, i) => i === 0 || seed - seeds[i - 1]! >= 4)).toBe(true);
    const { tokenizer, template } = all().model;
    for (const { ids, text, logprobs } of answersOf('asked', 1)) {
      expect(logprobs).toHaveLength(ids.length);
      expect(text).toBe(tokenizer.decode(ids.filter((id) => !template.stopIds.includes(id)), { skipSpecial: true }));
    }
  });

  it('is seen not to be it where a server keeps an older adapter', async () => {
    for (const server of all().servers) server.faults = { stale: true };
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
    const [here, there] = [answersOf('greedy-local', 1), answersOf('greedy', 1)];
    expect(there.map(({ ids }) => ids)).toEqual(here.map(({ ids }) => ids));
    there.forEach(({ logprobs }, i) => logprobs.forEach((p, at) => expect(Math.abs(p - here[i]!.logprobs[at]!)).toBeLessThan(1e-4)));
    expect(asked().map(({ n }) => n)).toEqual([1, 1, 1, 1, 1, 1]);
  });

  it('earns greedily what it earns with the engine, round after round', async () => {
    const greedy = [
      'method={name: cut, ratio: null}', `reward=rules:${all().rules}`, 'generate.temperature=0', 'generate.samples=1',
      'generate.prompts=8', 'train.learningRate=1e-3',
    ];
    const [served, own] = [await align('earns', ...greedy), await align('earns-local', LOCAL, ...greedy)];
    expect(served.code, served.err).toBe(0);
    const rewards = (ran: Ran): unknown[] => ran.json<AlignSummary>().rounds.map(({ reward }) => reward);
    expect(rewards(served)).toHaveLength(3);
    expect(rewards(served)).toEqual(rewards(own));
    expect(answersOf('earns', 3).map(({ text }) => text).sort()).toEqual(answersOf('earns-local', 3).map(({ text }) => text).sort());
    const names = all().servers[0]!.completions().map((body) => String(body['model']).slice(0, 13));
    expect(names).toContain('earns-round-3');
  });

  it('is sampled by heed serve as by vLLM', async () => {
    const { engine, model } = all();
    const voices = await openVoices(engine, model, { name: 'tiny', batch: 8 });
    const lines: string[] = [];
    const server = await startServer(voices, { port: 0, adapters: folder, log: (line) => lines.push(line) });
    try {
      const ran = await align('own', `generate.endpoint.url=${server.url}/v1`, 'generate.endpoint.replicas=null');
      expect(ran.code, ran.err).toBe(0);
      for (const mismatch of mismatches('own')) expect(Math.abs(mismatch)).toBeLessThan(2e-5);
      expect([...voices.all.keys()]).toEqual(['tiny']);
      expect(lines.filter((line) => line.startsWith('POST /v1/load_lora_adapter 200'))).toHaveLength(2);
      expect(lines.filter((line) => line.startsWith('POST /v1/completions 200'))).toHaveLength(12);
    } finally {
      await server.stop();
    }
  });
});
