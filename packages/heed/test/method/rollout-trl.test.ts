import { readFileSync } from 'node:fs';
import { type Engine, startEngine } from '@heed/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { grpo } from '../../src/method/grpo.js';
import { bind } from '../../src/method/bind.js';
import type { BoundMethod } from '../../src/method/method.js';
import { rloo } from '../../src/method/rloo.js';
import { type LossValue, lossOf } from '../support/loss.js';

// What TRL's own trainers make of given log-probabilities: tools/oracles/trl_policy_gradient.py.
type Rows = readonly (readonly number[])[];
interface Batch {
  readonly maxTokens: number;
  readonly advantages: readonly number[];
  readonly logp: Rows;
  readonly old: Rows;
  readonly reference: Rows;
}
interface Entry {
  readonly name: string;
  readonly options: { readonly loss_type?: string; readonly beta?: number; readonly epsilon_high: number };
  readonly batch: string;
  readonly loss: number;
  readonly dLoss: Rows;
  readonly metrics: Readonly<Record<string, number>>;
}
const fixture = (name: string) => JSON.parse(readFileSync(new URL(`../fixtures/trl/${name}.json`, import.meta.url), 'utf8')) as {
  readonly batches: Readonly<Record<string, Batch>>;
  readonly entries: readonly Entry[];
};
const [ofGrpo, ofRloo] = [fixture('grpo'), fixture('rloo')];

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ threads: 1 });
});
afterAll(() => engine.close());

/** The answers of a batch as one group. */
function run(method: BoundMethod, { maxTokens, advantages, logp, old, reference }: Batch): Promise<LossValue> {
  const zero = logp.map((own) => own.map(() => 0));
  return lossOf(engine, method, { completions: [logp] }, {
    max_tokens: [logp.map(() => maxTokens)], advantages: [logp.map((own, i) => own.map(() => advantages[i]!))],
    sampled: [old], reference: [reference], returns: [zero], values: [zero],
  }, { under: { old: { completions: [old] } } });
}

const expectNear = (found: readonly number[], expected: readonly number[]): void => {
  expect(found).toHaveLength(expected.length);
  found.forEach((x, i) => expect(x).toBeCloseTo(expected[i]!, 5));
};

describe('as TRL', () => {
  it.each(ofGrpo.entries)('grpo: $name', async ({ options, batch, loss, dLoss, metrics }) => {
    const lossType = options.loss_type!.replace('_', '-') as 'grpo' | 'dr-grpo' | 'dapo' | 'bnpo';
    const found = await run(bind(grpo, { lossType, beta: options.beta!, epsilonHigh: options.epsilon_high }), ofGrpo.batches[batch]!);
    expect(found.loss).toBeCloseTo(loss, 5);
    expectNear(found.gradient['completions']![0]!, dLoss.flat());
    for (const [name, value] of Object.entries(metrics)) expect(found.metrics[name], name).toBeCloseTo(value, 5);
  });

  // TRL counts clipped answers where Heed counts clipped tokens, so metrics are not compared.
  it.each(ofRloo.entries)('rloo: $name', async ({ batch, loss, dLoss }) => {
    const found = await run(bind(rloo, {}), ofRloo.batches[batch]!);
    expect(found.loss).toBeCloseTo(loss, 5);
    expectNear(found.gradient['completions']![0]!, dLoss.flat());
  });
});
