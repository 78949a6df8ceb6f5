import { type Engine, startEngine } from '@heed/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bind } from '../../src/method/bind.js';
import { dpo } from '../../src/method/dpo.js';
import { type LossValue, lossOf } from '../support/loss.js';

// SPIN (Chen et al., ICML 2024, arXiv 2401.01335, Eq. 4.7) is `dpo` against the policy as the round began: `chosen` is a demonstration,
// `rejected` the opponent's own answer. The numbers were worked out from the formula in float64.
const DELTA = [2, -1];

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ threads: 1 });
});
afterAll(() => engine.close());

/** The loss of one pair whose log-ratios differ by Δ: the demonstration is up by Δ/2, the answer down by as much. */
const of = async (options: object, delta: number): Promise<LossValue> => lossOf(
  engine, bind(dpo, { reference: 'round', ...options }),
  { chosen: [[-3 + delta / 4, -2 + delta / 4]], rejected: [[-4 - delta / 2]] }, { soft_label: [1] },
  { under: { reference: { chosen: [[-3, -2]], rejected: [[-4]] } } },
);

describe('dpo with reference: round', () => {
  it('compares with the policy as the round began', () => {
    expect(bind(dpo, { reference: 'round' }).references).toEqual({ reference: { is: 'round', scores: ['chosen', 'rejected'] } });
  });

  it.each([
    ['the logistic loss', { loss: 'sigmoid' }, [0.598138869382, 0.744396660074]],
    ['the hinge loss', { loss: 'hinge' }, [0.8, 1.1]],
    ['the logistic loss at the authors\' β of iteration 3', { loss: 'sigmoid', beta: 5 }, [0.000045398899, 5.006715348489]],
  ])('has the golden values of SPIN: %s', async (_, options, expected) => {
    for (const [i, delta] of DELTA.entries()) expect((await of(options, delta)).loss).toBeCloseTo(expected[i]!, 5);
  });

  it('weighs a pair by β σ(−βΔ), and gives demonstration and answer the rewards of SPIN', async () => {
    for (const [i, delta] of DELTA.entries()) {
      const { gradient, metrics } = await of({}, delta);
      const weight = [0.045016600269, 0.052497918748][i]!;
      expect(gradient['chosen']![0]).toEqual([expect.closeTo(-weight, 6), expect.closeTo(-weight, 6)]);
      expect(gradient['rejected']![0]).toEqual([expect.closeTo(weight, 6)]);
      expect(metrics['rewards_margin']).toBeCloseTo(0.1 * delta, 6);
    }
  });

  it('starts every round at ln 2', async () => {
    expect((await of({}, 0)).loss).toBeCloseTo(Math.LN2, 6);
    expect(bind(dpo, { reference: 'round' }).lossAtReference).toBe(Math.LN2);
  });
});
