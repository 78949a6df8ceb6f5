import { type Engine, startEngine } from '@heed/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LabelledRow } from '../../src/data/rows.js';
import { bco } from '../../src/method/bco.js';
import { kto } from '../../src/method/kto.js';
import { bind } from '../../src/method/bind.js';
import type { Respond } from '../../src/method/method.js';
import { type LossValue, lossOf } from '../support/loss.js';
import { type TrlEntry, expectGradient, spread, trlBatch, trlEntries } from '../support/trl.js';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
});
afterAll(() => engine.close());

const row = (prompt: string, completion: string, label: boolean): LabelledRow => ({
  source: { file: 'x', line: 1 },
  prompt: [{ role: 'user', content: prompt }],
  completion,
  label,
});
/** Tokens are character codes: enough to see what is put where. */
const text: Respond = {
  respond: (prompt, response) => ({
    prompt: [...prompt.at(-1)!.content].map((c) => c.charCodeAt(0)),
    response: [...response].map((c) => c.charCodeAt(0)),
  }),
  respondTokens: () => {
    throw new Error('not used');
  },
  respondMarked: () => {
    throw new Error('not used');
  },
  respondJudged: () => {
    throw new Error('not used');
  },
  converse: () => {
    throw new Error('not used');
  },
};

interface Votes {
  readonly label: readonly number[];
  readonly policy: readonly number[];
  readonly base: readonly number[];
  /** Of the mismatched completions, policy and reference. */
  readonly apart?: readonly [readonly number[], readonly number[]];
  readonly lengths?: readonly number[];
  readonly apartLengths?: readonly number[];
}
const votes = { label: [1, 0, 1, 0], policy: [-10, -12, -8, -20], base: [-11, -11, -8.5, -18] };

function runKto(
  options: Record<string, unknown>,
  { label, policy, base, apart, lengths = policy.map((_, i) => 2 + i), apartLengths = lengths }: Votes,
): Promise<LossValue> {
  const under = {
    reference: { completion: spread(base, lengths), ...(apart === undefined ? {} : { mismatched: spread(apart[1], apartLengths) }) },
  };
  return lossOf(
    engine,
    bind(kto, options),
    { completion: spread(policy, lengths) },
    { desirable: label },
    {
      under: { ...under, ...(apart === undefined ? {} : { policy: { mismatched: spread(apart[0], apartLengths) } }) },
    },
  );
}

describe('kto', () => {
  // Golden numbers: worked out from the formulas in float64.
  it.each([
    { kl: [0.3, -0.1, 0.4, 0.2], each: [0.4800106598, 0.4700359482, 0.4925005624, 0.4452207649], expected: 0.2 },
    { kl: [-0.5, -0.5, -0.5, -0.5], each: [0.4750208125, 0.4750208125, 0.4875026035, 0.4501660027], expected: 0 },
  ])('has the golden values with z₀ = $expected', async ({ kl, each, expected }) => {
    const apart = [kl.map((x) => x - 20), kl.map(() => -20)] as const;
    const value = await runKto({}, { ...votes, apart });
    expect(value.metrics['kl']).toBeCloseTo(expected, 5);
    expect(value.loss).toBeCloseTo(each.reduce((a, b) => a + b) / 4, 6);
    // Of one row alone the golden z₀ is that of the four: all their mismatched pairs are as far apart.
    for (const [i, loss] of each.entries()) {
      const one = await runKto(
        {},
        { label: [votes.label[i]!], policy: [votes.policy[i]!], base: [votes.base[i]!], apart: [[expected - 20], [-20]] },
      );
      expect(one.loss).toBeCloseTo(loss, 6);
    }
  });

  it('without z₀ is apo-zero on single rows', async () => {
    const value = await runKto({ loss: 'apo-zero' }, votes);
    expect(value.loss).toBeCloseTo(0.4719275578, 6);
    for (const [i, loss] of [0.4750208125, 0.4750208125, 0.4875026035, 0.4501660027].entries()) {
      const one = await runKto({ loss: 'apo-zero' }, { label: [votes.label[i]!], policy: [votes.policy[i]!], base: [votes.base[i]!] });
      expect(one.loss).toBeCloseTo(loss, 6);
    }
    expect(bind(kto, { loss: 'apo-zero' })).toMatchObject({ scope: 'row', references: { reference: { scores: ['completion'] } } });
    expect(bind(kto).scope).toBe('step');
  });

  it.each<[string, Record<string, unknown>]>([
    ['kto-a', {}],
    ['kto-b', {}],
    ['kto-c-weights', { desirableWeight: 1.5, undesirableWeight: 0.5 }],
    ['kto-a-beta-0.5', { beta: 0.5 }],
    ['apo_zero_unpaired-a', { loss: 'apo-zero' }],
  ])('is TRL’s %s, value and gradient', async (name, options) => {
    const entry = trlEntries('kto')(name) as TrlEntry & { readonly kl?: number };
    const batch = trlBatch.unpaired[entry.batch.split('.')[1]!]!;
    const value = await runKto(options, {
      label: batch.map((r) => Number(r.label)), policy: entry.logp['completion']!, base: entry.reference!['completion']!,
      lengths: batch.map((r) => r.completion.length), apartLengths: batch.map((r) => r.mismatched.length),
      ...(entry.logp['mismatched'] === undefined ? {} : { apart: [entry.logp['mismatched'], entry.reference!['mismatched']!] }),
    });
    expect(Math.abs(value.loss / entry.loss - 1)).toBeLessThan(5e-6);
    expectGradient(value, entry.dLoss, 2e-5);
    if (entry.kl !== undefined) expect(value.metrics['kl']).toBeCloseTo(entry.kl, 4);
  });

  it('is half the weight while policy and reference are equal', async () => {
    const same = { ...votes, base: votes.policy, apart: [[-5, -6, -7, -8], [-5, -6, -7, -8]] as const };
    expect((await runKto({}, same)).loss).toBeCloseTo(0.5, 6);
    expect(bind(kto).lossAtReference).toBe(0.5);
    expect(bind(kto, { desirableWeight: 2 }).lossAtReference).toBeUndefined();
    expect(bind(kto, { desirableWeight: 2, undesirableWeight: 2 }).lossAtReference).toBe(1);
  });

  it('learns from a step of one class; the other class counts nothing', async () => {
    const value = await runKto({}, { label: [1, 1], policy: [-10, -8], base: [-11, -8.5], apart: [[-3, -3], [-4, -4]] });
    expect(Number.isFinite(value.loss)).toBe(true);
    expect(value.metrics['rewards_chosen']).toBeCloseTo(0.075, 6);
    expect(value.gradient['completion']!.flat().every((d) => d < 0)).toBe(true);
  });

  it('sets the next completion of another prompt under a prompt', () => {
    const rows = [row('p', 'a', true), row('p', 'b', false), row('q', 'c', true)];
    const of = (index: number) => bind(kto).sequences(rows[index]!, text, { rows, index });
    expect(of(0)['mismatched']).toEqual([text.respond(rows[0]!.prompt, 'c')]);
    expect(of(1)['mismatched']).toEqual([text.respond(rows[1]!.prompt, 'c')]);
    expect(of(2)['mismatched']).toEqual([text.respond(rows[2]!.prompt, 'a')]);
    expect(Object.keys(bind(kto, { loss: 'apo-zero' }).sequences(rows[0]!, text, { rows, index: 0 }))).toEqual(['completion']);
  });

  it('refuses one class, and one prompt where it needs two', () => {
    expect(bind(kto).unfitTogether([row('p', 'a', true), row('q', 'b', true)])).toMatch(/all 2 have label true.*sft/);
    expect(bind(kto).unfitTogether([row('p', 'a', false), row('q', 'b', false)])).toMatch(/label false.*npo/);
    expect(bind(kto).unfitTogether([row('p', 'a', true), row('p', 'b', false)])).toMatch(/same prompt.*apo-zero/);
    expect(bind(kto, { loss: 'apo-zero' }).unfitTogether([row('p', 'a', true), row('p', 'b', false)])).toBeUndefined();
    expect(bind(kto).unfitTogether([row('p', 'a', true), row('q', 'b', false)])).toBeUndefined();
  });
});

describe('bco', () => {
  const run = (of: Votes, memory: Record<string, number> = {}): Promise<LossValue> => {
    const lengths = of.lengths ?? of.policy.map((_, i) => 2 + i);
    return lossOf(
      engine,
      bind(bco),
      { completion: spread(of.policy, lengths) },
      { desirable: of.label },
      { under: { reference: { completion: spread(of.base, lengths) } }, memory },
    );
  };

  it('is TRL’s over two steps: value, gradient, running mean', async () => {
    let memory: Readonly<Record<string, number>> = {};
    for (const name of ['bco-step-1', 'bco-step-2']) {
      const entry = trlEntries('bco')(name) as TrlEntry & { readonly delta: number; readonly count: number };
      const batch = trlBatch.unpaired[entry.batch.split('.')[1]!]!;
      const value = await run(
        {
          label: batch.map((r) => Number(r.label)),
          policy: entry.logp['completion']!,
          base: entry.reference!['completion']!,
          lengths: batch.map((r) => r.completion.length),
        },
        memory,
      );
      expect(Math.abs(value.loss / entry.loss - 1)).toBeLessThan(5e-6);
      expectGradient(value, entry.dLoss, 2e-5);
      expect(value.memory['delta']).toBeCloseTo(entry.delta, 5);
      expect(value.memory['count']).toBe(entry.count);
      memory = value.memory;
    }
  });

  it('is ln 2 while policy and reference are equal', async () => {
    expect((await run({ ...votes, base: votes.policy })).loss).toBeCloseTo(Math.LN2, 6);
    expect(bind(bco)).toMatchObject({ lossAtReference: Math.LN2, scope: 'step', memory: { delta: 0, count: 0 } });
  });

  it('is the two halves of the pairwise loss where δ is 0', async () => {
    // Golden `bco_pair`: −log σ(r_w) − log σ(−r_l) of a pair, here as two votes. So many rows before that these cannot move δ from 0.
    const before = { delta: 0, count: 1e12 };
    const [chosen, rejected] = [[[-0.5, -0.5], [-10, -10.1], [-1, -0.1]], [[-0.1, -0.1], [-30, -20.1], [-21, -0.1]]] as const;
    for (const [i, expected] of [1.3862943611, 1.004120628, 0.8557747028].entries()) {
      const [good, bad] = [
        await run({ label: [1], policy: [chosen[i]![0]], base: [chosen[i]![1]] }, before),
        await run({ label: [0], policy: [rejected[i]![0]], base: [rejected[i]![1]] }, before),
      ];
      expect(good.loss + bad.loss).toBeCloseTo(expected, 5);
    }
    // Or where the rewards of a step, here ±0.5, are 0 in the mean.
    const value = await run({ label: [1, 0], policy: [-5, -15], base: [-10, -10] });
    expect(value.metrics['delta']).toBeCloseTo(0, 7);
    expect(2 * value.loss).toBeCloseTo(2 * Math.log(1 + Math.exp(-0.5)), 6);
    expect(value.metrics['accuracy']).toBe(1);
  });

  it('refuses one class', () => {
    expect(bind(bco).unfitTogether([row('p', 'a', false), row('q', 'b', false)])).toMatch(/bco tells good.*all 2 have label false/);
  });
});
