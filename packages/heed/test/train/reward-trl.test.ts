import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { bind } from '../../src/method/method.js';
import { rewardModel } from '../../src/method/reward-model.js';
import { planAdapter } from '../../src/model/adapter.js';
import { architectureOf } from '../../src/model/architecture.js';
import { loadAdapter } from '../../src/model/peft.js';
import type { Item } from '../../src/train/items.js';
import { modelFixture, openTiny, useEngine } from '../model/tiny.js';
import { type Bench, passes } from './support.js';

// The whole path of a reward model, from token ids to the gradient of every A and B and of the head, against TRL's RewardTrainer
// (benchmarks/oracles/trl_losses.py) on the same tiny model, adapter, head and batch.
const engine = useEngine();
const read = <T>(name: string): T => JSON.parse(readFileSync(new URL(`../fixtures/trl/${name}.json`, import.meta.url), 'utf8')) as T;
interface Entry {
  readonly name: string;
  readonly options: { readonly margins?: readonly number[]; readonly center_rewards_coefficient?: number };
  readonly loss: number;
  readonly gradient: { readonly norms: readonly number[]; readonly dots: readonly number[] };
  readonly headGradient: readonly number[];
}
const { pairs, scoreHead, parameters } = read<{
  pairs: readonly Readonly<Record<'prompt' | 'chosen' | 'rejected', readonly number[]>>[]; scoreHead: readonly number[]; parameters: readonly { readonly name: string }[];
}>('batch');

it.each(read<{ entries: readonly Entry[] }>('reward').entries)("gives TRL's loss and gradients: $name", async ({ options, loss, gradient, headGradient }) => {
  const checkpoint = await openTiny('llama3');
  const lora = await loadAdapter(modelFixture('peft/list'), checkpoint);
  const plan = planAdapter(checkpoint.tensors.values(), lora.plan.options, { size: 1 });
  const items = pairs.map(({ prompt, chosen, rejected }, index): Item => ({
    index, where: `pair ${index}`, sequences: { chosen: [{ prompt, response: chosen }], rejected: [{ prompt, response: rejected }] },
    columns: { soft_label: 1, margin: options.margins?.[index] ?? 0 },
  }));
  const bench: Omit<Bench, 'model'> = {
    method: bind(rewardModel, { centring: options.center_rewards_coefficient ?? 0 }), plan, items, parameters: Float32Array.of(...lora.parameters, ...scoreHead),
  };
  const model = { checkpoint, architecture: architectureOf(checkpoint) } as Bench['model'];
  const found = await passes(engine(), { ...bench, model }, [[items], [items.slice(0, 1), items.slice(1)]]);

  const places = new Map<string, { readonly offset: number; readonly shape: readonly [number, number] }>([...plan.modules.values()].flatMap((m) => [[`${m.name}.lora_A`, m.a], [`${m.name}.lora_B`, m.b]] as const));
  for (const { loss: ours, gradients } of found) {
    expect(ours).toBeCloseTo(loss, 5);
    const largest = Math.max(...gradient.norms);
    parameters.forEach(({ name }, i) => {
      const { offset, shape } = places.get(name.replace('base_model.model.', '').replace('.weight', ''))!;
      const part = gradients.subarray(offset, offset + shape[0] * shape[1]);
      expect(Math.abs(Math.hypot(...part) - gradient.norms[i]!) / largest, `norm of ${name}`).toBeLessThan(1e-5);
      expect(Math.abs(part.reduce((sum, g, j) => sum + g * Math.sin(j + 1), 0) - gradient.dots[i]!) / largest, `direction of ${name}`).toBeLessThan(1e-5);
    });
    headGradient.forEach((d, j) => expect(gradients[plan.head!.offset + j]).toBeCloseTo(d, 5));
  }
});
