import { type Engine, startEngine } from '@heed/tensor';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { initialParameters, planAdapter } from '../../src/model/adapter.js';
import { type Model, loadModel } from '../../src/model/load.js';
import { loadAdapter, saveAdapter } from '../../src/model/peft.js';
import { createRewardScorer } from '../../src/model/reward-scorer.js';
import { openReward } from '../../src/reward/open.js';
import { createModelReward } from '../../src/reward/reward-model.js';
import type { Rated } from '../../src/reward/reward.js';
import { createRandom } from '../../src/run/random.js';
import { tinyChat } from '../cli/support.js';
import { scratch } from '../model/support.js';
import { withWholeBlocks } from '../support/whole-blocks.js';

describe('a reward model', () => {
  let engine: Engine;
  let model: Model;
  let folder: string;
  let reward: string;
  beforeAll(async () => {
    folder = scratch();
    const made = await tinyChat(folder, { context: 1024 });
    engine = await startEngine();
    model = await loadModel(made.model);
    const lora = { rank: 2, alpha: 8, targets: ['q_proj'], dropout: 0, rslora: false };
    const plan = planAdapter(model.checkpoint.tensors.values(), lora, { score: { size: 1, at: 'last' } });
    const parameters = initialParameters(plan, 1);
    const random = createRandom('head');
    for (let i = plan.heads[0]!.offset; i < plan.size; i++) parameters[i] = random.normal();
    reward = join(folder, 'reward');
    await saveAdapter(reward, { plan, parameters, checkpoint: model.checkpoint });
  });
  afterAll(() => engine.close());

  it('gives the rewards of its scorer', async () => {
    const opened = await openReward({ rewardModel: { model: model.checkpoint.id, adapter: reward, threshold: 0.25 } }, { engine });
    const items = ['one', 'another', 'a third'].map((response) => ({ prompt: [{ role: 'user' as const, content: 'Hi' }], response }));
    const adapter = await loadAdapter(reward, model.checkpoint);
    const scorer = await createRewardScorer(engine, model, adapter);
    const { template } = model;
    const sequences = items.map((item) => ({ prompt: template.prompt(item.prompt), response: template.response(item.response) }));
    const rewards = await scorer.rewards(sequences);
    ((await opened.rate(items)) as Rated[]).forEach(({ satisfied, reason, value }, i) => {
      expect(value).toBeCloseTo(rewards[i]!, 5);
      expect(satisfied).toBe(rewards[i]! >= 0.25);
      expect(reason === null).toBe(satisfied);
    });
    const direct = await createModelReward(engine, model, adapter);
    const [long, fits] = await direct.rate([{ prompt: items[0]!.prompt, response: 'x'.repeat(4000) }, items[0]!]);
    expect(long).toMatchObject({ failure: 'too-long', detail: expect.stringContaining('the context of') as string });
    expect((fits as Rated).value).toBeCloseTo(rewards[0]!, 5);
    // Another line is another reward for a resume.
    expect(direct.name).not.toBe(opened.name);
    await scorer.release();
    await direct.close();
    await opened.close();
  });

  it('rates with a rounded base near what it says in f32, and under another name', async () => {
    const { model: home } = await tinyChat(folder, { context: 500 });
    await withWholeBlocks(home);
    vi.stubEnv('HEED_CACHE', join(folder, 'cache'));
    const { checkpoint } = await loadModel(home);
    const lora = { rank: 2, alpha: 8, targets: ['q_proj'], dropout: 0, rslora: false };
    const plan = planAdapter(checkpoint.tensors.values(), lora, { score: { size: 1, at: 'last' } });
    const random = createRandom('rounded head');
    const parameters = initialParameters(plan, 1).map((x, i) => (i >= plan.heads[0]!.offset ? random.normal() : x));
    const adapter = join(folder, 'rounded');
    await saveAdapter(adapter, { plan, parameters, checkpoint });
    const items = ['one', 'another', 'a third'].map((response) => ({ prompt: [{ role: 'user' as const, content: 'Hi' }], response }));
    const found = new Map<string, number[]>();
    for (const precision of ['f32', 'int8', 'int4'] as const) {
      const opened = await openReward({ rewardModel: { model: home, adapter, threshold: 0, precision } }, { engine });
      found.set(opened.name, ((await opened.rate(items)) as Rated[]).map(({ value }) => value));
      await opened.close();
    }
    expect(found.size).toBe(3);
    const [exact, eight, four] = [...found.values()] as [number[], number[], number[]];
    const apart = (from: readonly number[]): number => Math.max(...from.map((value, i) => Math.abs(value - exact[i]!)));
    expect(apart(eight)).toBeGreaterThan(0);
    expect(apart(four)).toBeGreaterThan(apart(eight));
    expect(apart(eight)).toBeLessThan(0.05 * Math.max(...exact.map(Math.abs)));
    vi.unstubAllEnvs();
  });

  it('gives its attention on the response by places, where it is asked for', async () => {
    const spec = { model: model.checkpoint.id, adapter: reward };
    const opened = await openReward({ rewardModel: { ...spec, attention: true } }, { engine });
    const prompt = [{ role: 'user' as const, content: 'Hi' }];
    const responses = ['ab', 'é, and more'];
    const rated = (await opened.rate(responses.map((response) => ({ prompt, response })))) as Rated[];
    const scorer = await createRewardScorer(engine, model, await loadAdapter(reward, model.checkpoint), { attention: true });
    const sequences = responses.map((response) => ({ prompt: model.template.prompt(prompt), response: model.template.response(response) }));
    const readings = await scorer.read(sequences);
    rated.forEach(({ value, attention }, i) => {
      expect(value).toBeCloseTo(readings[i]!.scores[0]!, 5);
      attention!.forEach((span, t) => expect(span.value).toBeCloseTo(readings[i]!.attention![t]!, 5));
      const mass = attention!.reduce((sum, span) => sum + span.value, 0);
      expect(mass).toBeGreaterThan(0);
      expect(mass).toBeLessThan(1);
    });
    // A token is a byte: both bytes of é stand for its one character, and the end of turn for none.
    expect(rated[1]!.attention!.slice(0, 3).map(({ start, end }) => [start, end])).toEqual([[0, 1], [0, 1], [1, 2]]);
    const { start, end } = rated[1]!.attention!.at(-1)!;
    expect(start).toBe(end);
    const plain = await openReward({ rewardModel: spec }, { engine });
    expect((await plain.rate([{ prompt, response: 'ab' }]))[0]).not.toHaveProperty('attention');
    expect(opened.name).not.toBe(plain.name);
    await expect(openReward({ rewardModel: { ...spec, attention: true, principles: 'p.yaml' } }, { engine })).rejects.toThrow(/principles/);
    for (const one of [opened, plain]) await one.close();
    await scorer.release();
  });

  it('holds responses to the principles that the recipe names, in the prompt that the method trains on', async () => {
    const file = join(folder, 'principles.yaml');
    const entries = [
      '{ name: Short, text: It is short., negation: It is long. }',
      '{ name: Kind, text: It is kind., negation: It is rude. }',
    ];
    writeFileSync(file, entries.map((entry) => `- ${entry}\n`).join(''));
    const spec = { model: model.checkpoint.id, adapter: reward, threshold: 0.25, principles: file };
    const adapter = await loadAdapter(reward, model.checkpoint);
    const scorer = await createRewardScorer(engine, model, adapter);
    const prompt = [{ role: 'user' as const, content: 'Hi' }];
    const items = ['one', 'another'].map((response) => ({ prompt, response }));
    // As docs/methods/principle-reward-model.md says it: the response, the request, the rules; then nothing but the end of turn.
    const asTrained = (response: string, rules: string) => ({
      prompt: model.template.prompt([{
        role: 'user',
        content: `Rate the answer below.\n\nAnswer:\n${response}\n\nIt was written for this request:\nHi\n\n`
          + `Hold it to these rules and to nothing else; the more of them it keeps, the better it is.\n${rules}`,
      }]),
      response: model.template.response(''),
    });
    const expected = async (rules: string) => scorer.rewards(items.map(({ response }) => asTrained(response, rules)));
    const both = await expected('- Short: It is short.\n- Kind: It is kind.');
    const kind = await expected('- Kind: It is kind.');
    const long = await expected('- Short: It is long.');
    expect(new Set([...both, ...kind, ...long].map((r) => r.toFixed(4))).size).toBe(6);

    for (const [only, rewards, said] of [[undefined, both, 'held to Short, Kind'], [['Kind'], kind, 'held to Kind']] as const) {
      const opened = await openReward({ rewardModel: { ...spec, only: only && [...only] } }, { engine });
      expect(opened.name).toContain(said);
      ((await opened.rate(items)) as Rated[]).forEach(({ value, reason }, i) => {
        expect(value).toBeCloseTo(rewards[i]!, 4);
        const words = `The reward model gives this answer ${rewards[i]!.toFixed(2)}, ${said}, below 0.25.`;
        expect(reason).toBe(rewards[i]! >= 0.25 ? null : words);
      });
      await opened.close();
    }
    const negated = await createModelReward(engine, model, adapter, { principles: [{ name: 'Short', text: 'It is long.' }] });
    ((await negated.rate(items)) as Rated[]).forEach(({ value }, i) => expect(value).toBeCloseTo(long[i]!, 4));
    await negated.close();
    await scorer.release();

    await expect(openReward({ rewardModel: { ...spec, only: ['Wise'] } }, { engine })).rejects.toThrow(/has no principle "Wise"/);
    const missing = { rewardModel: { ...spec, principles: join(folder, 'none.yaml') } };
    await expect(openReward(missing, { engine })).rejects.toThrow(/There is no file of principles/);
    await expect(createModelReward(engine, model, adapter, { principles: [] })).rejects.toThrow(/The list of principles is empty/);
  });
});
