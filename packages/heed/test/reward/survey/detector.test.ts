import { type Engine, startEngine } from '@heed/tensor';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { initialParameters, planAdapter } from '../../../src/model/adapter.js';
import { type Model, loadModel } from '../../../src/model/load.js';
import { loadAdapter, saveAdapter } from '../../../src/model/peft.js';
import { createRewardScorer } from '../../../src/model/reward-scorer.js';
import { openReward } from '../../../src/reward/open.js';
import type { Rated } from '../../../src/reward/reward.js';
import { createRandom } from '../../../src/run/random.js';
import { tinyChat } from '../../cli/support.js';
import { scratch } from '../../model/support.js';
import { item } from './rate.js';

let engine: Engine;
let model: Model;
let adapter: string;
beforeAll(async () => {
  const folder = scratch();
  const made = await tinyChat(folder, { context: 1024 });
  engine = await startEngine();
  model = await loadModel(made.model);
  const lora = { rank: 2, alpha: 8, targets: ['q_proj'], dropout: 0, rslora: false };
  const plan = planAdapter(model.checkpoint.tensors.values(), lora, { score: { size: 3, at: 'last' } });
  const parameters = initialParameters(plan, 1);
  const random = createRandom('head');
  for (let i = plan.heads[0]!.offset; i < plan.size; i++) parameters[i] = random.normal();
  adapter = join(folder, 'classifier');
  await saveAdapter(adapter, { plan, parameters, checkpoint: model.checkpoint });
});
afterAll(() => engine.close());

const labels = ['fine', 'rude', 'odd'];

it('an adapter of the method classifier: the softmax of its head, on the sequences that it was trained on', async () => {
  const items = [item('Hi', 'You fool'), item('Hello there', 'Good day')];
  const scorer = await createRewardScorer(engine, model, await loadAdapter(adapter, model.checkpoint));
  const { template } = model;
  const readings = {
    response: items.map(({ response: content }) => (
      { prompt: template.prompt([{ role: 'user', content }]), response: template.response('') }
    )),
    prompt: items.map(({ prompt, response }) => ({ prompt: template.prompt(prompt), response: template.response(response) })),
  };
  for (const reads of ['response', 'prompt'] as const) {
    const scores = await scorer.scores(readings[reads]);
    const opened = await openReward({ detector: { avoid: 'rude', adapter, labels, model: model.checkpoint.id, reads } }, { engine });
    (await opened.rate(items) as readonly Rated[]).forEach(({ value, satisfied }, i) => {
      const exps = scores[i]!.map(Math.exp);
      const p = exps[1]! / (exps[0]! + exps[1]! + exps[2]!);
      expect(value).toBeCloseTo(1 - p, 5);
      expect(satisfied).toBe(1 - p >= 0.5);
    });
    await opened.close();
  }
  await scorer.release();
});

it('a response that does not fit has no rating; labels must be as many as the head has', async () => {
  const spec = { avoid: 'rude', adapter, model: model.checkpoint.id };
  const opened = await openReward({ detector: { ...spec, labels } }, { engine });
  const [long, short] = await opened.rate([item('Hi', 'x'.repeat(4000)), item('Hi', 'x')]);
  expect(long).toMatchObject({ failure: 'too-long' });
  expect(short).toHaveProperty('value');
  await opened.close();
  await expect(openReward({ detector: { ...spec, labels: ['fine', 'rude'] } }, { engine })).rejects.toThrow(/gives 3 numbers; labels has 2/);
  await expect(openReward({ detector: { ...spec, avoid: 'rood', labels } }, { engine })).rejects.toThrow(/no label "rood"/);
});
