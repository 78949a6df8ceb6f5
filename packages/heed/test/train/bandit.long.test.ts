import { type Engine, startEngine, view } from '@heed/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RolloutRow } from '../../src/data/rows.js';
import { prepare } from '../../src/loop/items.js';
import { type MethodOptions, methodOf } from '../../src/method/index.js';
import { initialParameters, planAdapter } from '../../src/model/adapter.js';
import { type Model, loadModel } from '../../src/model/load.js';
import { createScorer } from '../../src/model/scorer.js';
import { createRandom } from '../../src/run/random.js';
import { createRespond } from '../../src/text/respond.js';
import { tinyChat } from '../cli/support.js';
import { scratchFolder } from '../support/scratch.js';
import { passes } from './support.js';

// A bandit whose arms are the tokens of a tiny model: J(θ) = Σ_a π_θ(a) r(a). With every arm in the group, and N π(a) (r(a) − J) as its
// advantage, the mean over answers is the exact expectation, so each method's gradient must be −∇J.
const { folder } = scratchFolder();
let engine: Engine;
let model: Model;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
  model = await loadModel((await tinyChat(folder, { context: 64 })).model);
});
afterAll(() => engine.close());

const METHODS: readonly MethodOptions[] = [
  { name: 'reinforce', beta: 0 }, { name: 'rloo', beta: 0 }, { name: 'rloo', beta: 0, ratio: 'token' },
  { name: 'grpo' }, { name: 'grpo', lossType: 'dapo' }, { name: 'grpo', lossType: 'dr-grpo' }, { name: 'ppo', beta: 0 },
];

describe('the gradient of a bandit over the vocabulary', () => {
  it.each(METHODS.flatMap((options) => [{ ...options, filtered: false }, { ...options, filtered: true }]))(
  'of $name $lossType $ratio, filtered: $filtered, is that of the mean reward', async ({ filtered, ...options }) => {
    const method = { ...methodOf(options), filtered };
    const lora = { rank: 2, alpha: 4, targets: ['q_proj', 'down_proj'] as const, dropout: 0, rslora: false };
    const plan = planAdapter(model.checkpoint.tensors.values(), { ...lora, targets: [...lora.targets] }, method.heads);
    const random = createRandom('bandit', 1);
    const adapterSize = plan.heads[0]?.offset ?? plan.size;
    const parameters = initialParameters(plan, 3).map((x, i) => (x === 0 && i < adapterSize ? 0.1 * random.normal() : x));
    const prompt = [{ role: 'user' as const, content: 'Pull!' }];
    const whole = Array.from({ length: model.architecture.vocabulary }, (_, id) => id);
    // A filter leaves every third arm: the policy is then the softmax over those.
    const arms = filtered ? whole.filter((id) => id % 3 === 0) : whole;
    const rewards = arms.map((id) => Math.sin(id));
    const sequences = arms.map((id) => ({ prompt: model.template.prompt(prompt), response: [id] }));
    const policyAt = async (at: Float32Array): Promise<number[]> => {
      const placed = await engine.upload(at);
      const scorer = await createScorer(engine, model, { plan, parameters: view(placed) });
      const chances = (await scorer.logProbs(sequences)).map(([logp]) => Math.exp(logp!));
      await scorer.release();
      await engine.free(placed);
      const total = filtered ? chances.reduce((sum, p) => sum + p, 0) : 1;
      return chances.map((p) => p / total);
    };
    const value = (policy: readonly number[]): number => policy.reduce((sum, p, a) => sum + p * rewards[a]!, 0);
    const policy = await policyAt(parameters);
    expect(policy.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 5);
    const J = value(policy);
    const row: RolloutRow = {
      source: { file: 'arms', line: 1 }, prompt,
      completions: arms.map((id, i) => ({
        completion: String(id), ids: [id], ...(filtered ? { kept: [arms] } : {}), maxTokens: 1, reward: rewards[i]!,
        advantages: [arms.length * policy[i]! * (rewards[i]! - J)],
      })),
    };
    const { items } = prepare([row], method, createRespond(model.template), { maxTokens: 64, onLong: 'error' });
    const [pass] = await passes(engine, { method, model, plan, items, parameters }, [[items]]);

    const direction = Float32Array.from(parameters, (_, i) => (i < adapterSize ? random.normal() : 0));
    const moved = (step: number): Float32Array => parameters.map((x, i) => x + step * direction[i]!);
    const measured = (value(await policyAt(moved(2e-3))) - value(await policyAt(moved(-2e-3)))) / 4e-3;
    const computed = -pass!.gradients.reduce((sum, g, i) => sum + g * direction[i]!, 0);
    expect(Math.abs(measured)).toBeGreaterThan(1e-3); // else this would show nothing
    expect(Math.abs(computed - measured)).toBeLessThan(0.02 * Math.abs(measured) + 1e-5);
  });
});
