import { readFileSync } from 'node:fs';
import { type Engine, startEngine } from '@heed/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PreferenceRow } from '../../src/data/rows.js';
import { bind } from '../../src/method/bind.js';
import { rewardModel } from '../../src/method/reward-model.js';
import { type LossValue, lossOf } from '../support/loss.js';
import { fakeRespond, textOf } from '../support/respond.js';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
});
afterAll(() => engine.close());

interface Pairs {
  readonly chosen: readonly number[];
  readonly rejected: readonly number[];
}
const run = (
  options: Record<string, unknown>,
  { chosen, rejected }: Pairs,
  soft = chosen.map(() => 1),
  margin = chosen.map(() => 0),
): Promise<LossValue> => lossOf(engine, bind(rewardModel, options), {}, { soft_label: soft, margin }, { scores: { chosen, rejected } });
const pair = (i: number, { chosen, rejected }: Pairs): Pairs => ({ chosen: [chosen[i]!], rejected: [rejected[i]!] });

describe('reward-model', () => {
  // Worked out in float64 from the formula.
  const given = { chosen: [2, 0.5, -1], rejected: [1, 1.5, -1] };
  const margins = [1, 0, 0.5];
  it.each([
    { what: 'hard labels', each: [0.3132616875, 1.3132616875, 0.6931471806], mean: 0.7732235185 },
    { what: 'margins', margin: margins, each: [0.6931471806, 1.3132616875, 0.9740769842], mean: 0.9934952841 },
    { what: 'soft labels', soft: [0.8, 0.3, 0.5], each: [0.5132616875, 0.6132616875, 0.6931471806], mean: 0.6065568519 },
    { what: 'centring', centring: 0.01, mean: 0.7732235185 + (0.01 * (9 + 4 + 4)) / 3 },
  ])('has the golden values: $what', async ({ soft, margin, each, mean, centring = 0 }) => {
    expect((await run({ centring }, given, soft, margin)).loss).toBeCloseTo(mean, 6);
    for (const [i, expected] of (each ?? []).entries()) {
      expect((await run({ centring }, pair(i, given), [soft?.[i] ?? 1], [margin?.[i] ?? 0])).loss).toBeCloseTo(expected, 6);
    }
  });

  const { entries } = JSON.parse(readFileSync(new URL('../fixtures/trl/reward.json', import.meta.url), 'utf8')) as {
    entries: {
      name: string;
      options: { margins?: number[]; center_rewards_coefficient?: number };
      loss: number;
      score: Pairs;
      dLoss: Pairs;
    }[];
  };
  it.each(entries)("is TRL's: $name", async ({ options, loss, score, dLoss }) => {
    const value = await run({ centring: options.center_rewards_coefficient ?? 0 }, score, undefined, options.margins);
    expect(value.loss).toBeCloseTo(loss, 5);
    for (const name of ['chosen', 'rejected'] as const) {
      value.scoreGradient[name]!.forEach((d, i) => expect(d, `d ${name} ${i}`).toBeCloseTo(dLoss[name][i]!, 6));
    }
  });

  it('has the derivative that differences of its value have, with soft labels, margins and centring', async () => {
    const soft = [0.9, 0.25, 0.5], h = 1e-2;
    const value = await run({ centring: 0.05 }, given, soft, margins);
    for (const name of ['chosen', 'rejected'] as const) {
      for (const i of [0, 1, 2]) {
        const moved = (by: number) =>
          run({ centring: 0.05 }, { ...given, [name]: given[name].map((x, j) => (j === i ? x + by : x)) }, soft, margins);
        const slope = ((await moved(h)).loss - (await moved(-h)).loss) / (2 * h);
        expect(value.scoreGradient[name]![i]).toBeCloseTo(slope, 4);
      }
    }
  });

  it('is ln 2 where the scores are equal, as with a head that starts at zero, whatever the labels say', async () => {
    const equal = { chosen: [0, 0, 0, 0], rejected: [0, 0, 0, 0] };
    const value = await run({ centring: 0.3 }, equal, [1, 0.7, 0.5, 0]);
    expect(value.loss).toBeCloseTo(Math.LN2, 6);
    expect(value.metrics['accuracy']).toBe(0.5); // of chance
  });

  it("is RLAIF's cross-entropy: least where the rewards' softmax is the label, and at a tie where they are equal", async () => {
    const at = async (difference: number, p: number) =>
      (await run({}, { chosen: [difference], rejected: [0] }, [p])).scoreGradient['chosen']![0]!;
    expect(await at(Math.log(0.8 / 0.2), 0.8)).toBeCloseTo(0, 6);
    expect(await at(0, 0.5)).toBeCloseTo(0, 7);
    expect(await at(1, 0.5)).toBeGreaterThan(0);
  });

  it('turned round, with the label turned round, is the same', async () => {
    const soft = [0.8, 0.3, 0.5];
    const there = await run({ centring: 0.1 }, given, soft);
    const back = await run({ centring: 0.1 }, { chosen: given.rejected, rejected: given.chosen }, soft.map((p) => 1 - p));
    expect(back.loss).toBeCloseTo(there.loss, 6);
    expect(back.metrics['accuracy']).toBe(there.metrics['accuracy']);
  });

  it('reports rewards, and accuracy over the pairs that are no tie', async () => {
    const { metrics } = await run({}, given, [0.8, 0.3, 0.5]);
    expect(metrics).toMatchObject({ rewards_chosen: 0.5, rewards_rejected: 0.5, rewards_margin: 0, rewards_mean: 0.5, accuracy: 1 });
  });

  const row: PreferenceRow = {
    source: { file: 'votes.jsonl', line: 3 },
    prompt: [{ role: 'user', content: 'Is the lamp in stock?' }],
    chosen: 'Yes, four of them.',
    rejected: 'Maybe.',
  };
  it('reads both responses to their end of turn', () => {
    const { chosen, rejected } = bind(rewardModel).sequences(row, fakeRespond());
    expect(chosen!.map((s) => textOf(s.response))).toEqual(['Yes, four of them..']);
    expect(rejected!.map((s) => textOf(s.prompt))).toEqual(['user: Is the lamp in stock?']);
    expect(bind(rewardModel).heads).toEqual({ score: { size: 1, at: 'last' } });
  });

  it('takes ties, and refuses a row that says both how sure and by how much', () => {
    const method = bind(rewardModel);
    expect(method.unfit({ ...row, soft_label: 0.5 })).toBeUndefined();
    expect(method.columnsOf({ ...row, margin: 2 })).toEqual({ soft_label: 1, margin: 2 });
    expect(method.unfit({ ...row, soft_label: 0.7, margin: 2 })).toMatch(
      /both a soft_label \(0\.7\) and a margin \(2\); with margin: false/,
    );
    const without = bind(rewardModel, { margin: false });
    expect(without.unfit({ ...row, soft_label: 0.7, margin: 2 })).toBeUndefined();
    expect(without.columnsOf({ ...row, margin: 2 })).toEqual({ soft_label: 1, margin: 0 });
    expect(() => bind(rewardModel, { centring: -1 })).toThrow();
  });
});
