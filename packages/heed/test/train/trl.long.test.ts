import { expect, it } from 'vitest';
import { type MethodOptions, methodOf } from '../../src/method/index.js';
import { type AdapterPlan, planAdapter } from '../../src/model/adapter.js';
import { architectureOf } from '../../src/model/architecture.js';
import { loadAdapter } from '../../src/model/peft.js';
import type { TokenSequence } from '../../src/text/token-sequence.js';
import type { Item } from '../../src/train/item.js';
import { modelFixture, openTiny, useEngine } from '../model/tiny.js';
import { type TrlEntry, trlBatch, trlEntries } from '../support/trl.js';
import { type Bench, type Pass, passes } from './support.js';

// The whole path, from token ids to the gradient of every A and B, and of a head, against TRL's trainers (tools/oracles/trl_losses.py) on
// the same tiny model, adapter and batch. What only a loss can do with log-probabilities is in test/method.
const engine = useEngine();
const item = (index: number, sequences: Readonly<Record<string, TokenSequence>>, columns: Item['columns'] = {}): Item =>
  ({ index, where: `row ${index}`, sequences: Object.fromEntries(Object.entries(sequences).map(([name, s]) => [name, [s]])), columns });

const pairs = (_: TrlEntry, margins: readonly number[] = []): Item[] => trlBatch.pairs.map(({ prompt, chosen, rejected }, i) =>
  item(i, { chosen: { prompt, response: chosen }, rejected: { prompt, response: rejected } }, { soft_label: 1, margin: margins[i] ?? 0 }));
const rewarded = (entry: TrlEntry): Item[] => pairs(entry, entry.options['margins'] as readonly number[] | undefined);
const votes = ({ batch, logp }: TrlEntry): Item[] =>
  trlBatch.unpaired[batch.split('.')[1]!]!.map(({ completion, mismatched, label }, i) => {
    const { prompt } = trlBatch.pairs[i]!;
    return item(
      i,
      {
        completion: { prompt, response: completion },
        ...(logp['mismatched'] === undefined ? {} : { mismatched: { prompt, response: mismatched } }),
      },
      { desirable: Number(label) },
    );
  });
const turns = ({ batch }: TrlEntry): Item[] =>
  (batch === 'pairs' ? trlBatch.pairs.map(({ prompt, chosen }) => ({ prompt, response: chosen })) : trlBatch.conversations).map((s, i) =>
    item(i, { turns: s }),
  );

/** The fixture's file, its entries, each with what Heed calls the same, and its rows. */
const CASES: readonly (readonly [string, Readonly<Record<string, MethodOptions>>, (entry: TrlEntry) => Item[]])[] = [
  ['sft', { 'sft-conversations': { name: 'sft' }, 'sft-completions': { name: 'sft' } }, turns],
  [
    'dpo',
    {
      sigmoid: { name: 'dpo' },
      cdpo: { name: 'dpo', labelSmoothing: 0.1 },
      ipo: { name: 'dpo', loss: 'ipo-mean' },
      nca_pair: { name: 'dpo', loss: 'nca' },
      aot: { name: 'dpo', loss: 'aot' },
      aot_unpaired: { name: 'dpo', loss: 'aot-unpaired' },
    },
    pairs,
  ],
  [
    'kto',
    {
      'kto-a': { name: 'kto' },
      'kto-b': { name: 'kto' },
      'kto-c-weights': { name: 'kto', desirableWeight: 1.5, undesirableWeight: 0.5 },
      'apo_zero_unpaired-a': { name: 'kto', loss: 'apo-zero' },
    },
    votes,
  ],
  ['bco', { 'bco-step-1': { name: 'bco' }, 'bco-step-2': { name: 'bco' } }, votes],
  ['cpo', {
    'cpo-sigmoid': { name: 'cpo' }, 'cpo-hinge': { name: 'cpo', loss: 'hinge' },
    simpo: { name: 'simpo', beta: 2, gamma: 0.5 }, 'cpo-simpo': { name: 'simpo', beta: 2, gamma: 0.5, alpha: 1 },
  }, pairs],
  ['orpo', { 'orpo-response-beta-0.1': { name: 'orpo', lambda: 0.1 }, 'orpo-response-beta-1.0': { name: 'orpo', lambda: 1 } }, pairs],
  [
    'reward',
    {
      reward: { name: 'reward-model' },
      'reward-margin': { name: 'reward-model' },
      'reward-centred': { name: 'reward-model', centring: 0.01 },
      'reward-margin-centred': { name: 'reward-model', centring: 0.1 },
    },
    rewarded,
  ],
];

const EACH = CASES.flatMap(([file, entries, rows]) =>
  Object.entries(entries).map(([name, options]) => [options.name, name, file, options, rows] as const),
);
it.each(EACH)('%s: gives the loss and gradients of TRL’s %s', async (_, name, file, options, rows) => {
  const entry = trlEntries(file)(name);
  const method = methodOf(options);
  const checkpoint = await openTiny('llama3');
  const lora = await loadAdapter(modelFixture('peft/list'), checkpoint);
  const plan = planAdapter(checkpoint.tensors.values(), lora.plan.options, method.heads);
  const items = rows(entry);
  const model = { checkpoint, architecture: architectureOf(checkpoint) } as Bench['model'];
  const parameters = Float32Array.of(...lora.parameters, ...(Object.keys(method.heads).length === 0 ? [] : trlBatch.scoreHead));
  // What BCO remembers of its first step.
  const before =
    name === 'bco-step-2' ? (trlEntries(file)('bco-step-1') as TrlEntry & { readonly delta: number; readonly count: number }) : undefined;
  const memory = before === undefined ? method.memory : { delta: before.delta, count: before.count };
  for (const found of await passes(engine(), { method, model, plan, items, parameters }, [[items], [items.slice(0, 1), items.slice(1)]], {
    memory,
  }))
    expectEntry(found, entry, plan);
});

function expectEntry({ loss, gradients }: Pass, entry: TrlEntry, plan: AdapterPlan): void {
  expect(Math.abs(loss / entry.loss - 1)).toBeLessThan(1e-5);
  const places = new Map<string, { readonly offset: number; readonly shape: readonly [number, number] }>(
    [...plan.modules.values()].flatMap(
      (m) =>
        [
          [`${m.name}.lora_A`, m.a],
          [`${m.name}.lora_B`, m.b],
        ] as const,
    ),
  );
  const { norms, dots, ends } = entry.gradient;
  const largest = Math.max(...norms);
  const near = (actual: number, expected: number, what: string): void =>
    expect(Math.abs(actual - expected) / largest, what).toBeLessThan(1e-5);
  trlBatch.parameters.forEach(({ name }, i) => {
    const { offset, shape } = places.get(name.replace('base_model.model.', '').replace('.weight', ''))!;
    const part = gradients.subarray(offset, offset + shape[0] * shape[1]);
    near(Math.hypot(...part), norms[i]!, `norm of ${name}`);
    near(part.reduce((sum, g, j) => sum + g * Math.sin(j + 1), 0), dots[i]!, `direction of ${name}`);
    near(part[0]!, ends[i]![0], `first of ${name}`);
    near(part.at(-1)!, ends[i]![1], `last of ${name}`);
  });
  entry.headGradient?.forEach((d, j) => expect(gradients[plan.heads[0]!.offset + j]).toBeCloseTo(d, 5));
}
