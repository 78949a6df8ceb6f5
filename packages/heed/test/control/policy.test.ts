import { describe, expect, it } from 'vitest';
import { startAdam, stepAdam } from '../../src/control/learner.js';
import { headroomOf, splitHeadroom, staticMeans } from '../../src/control/headroom.js';
import { type NetworkShape, forward, initialNetwork, sizeOf, widenInput } from '../../src/control/network.js';
import { type Choice, exactGradient, leaveOneOut, policyLoss, probabilities, softmax } from '../../src/control/policy.js';
import { keep } from '../../src/generate/filter.js';
import { createRandom } from '../../src/run/random.js';

// Worked out apart from this code, in float64: three prompts, three actions, the chance of a good answer of each.
const SUCCESS = [[0.9, 0.7, 0.4], [0.2, 0.5, 0.3], [0.6, 0.6, 0.6]];
const near = (values: readonly number[], wanted: readonly number[]): void => {
  expect(values).toHaveLength(wanted.length);
  values.forEach((x, i) => expect(x).toBeCloseTo(wanted[i]!, 11));
};

describe('the numbers of a small table', () => {
  it('static means, the best of them, the best per prompt, headroom', () => {
    near(staticMeans(SUCCESS.map((row) => row.map((p) => [p]))), [0.566666666667, 0.6, 0.433333333333]);
    const { fixed, perPrompt, headroom } = headroomOf(SUCCESS);
    near([fixed, perPrompt, headroom], [0.6, 0.666666666667, 0.066666666667]);
  });

  it('the exact gradient at the uniform policy, and leave-one-out advantages', () => {
    near(exactGradient([1 / 3, 1 / 3, 1 / 3], SUCCESS[0]!), [0.077777777778, 0.011111111111, -0.088888888889]);
    near(leaveOneOut([1, 0, 1, 1]), [1 / 3, -1, 1 / 3, 1 / 3]);
    expect(leaveOneOut([3])).toEqual([0]);
  });

  it('what temperatures and top-k do to logits, by the sampler that actions use', () => {
    const probability = (temperature: number, topK?: number): number[] => {
      const normaliser = Math.log([2, 1, 0].reduce((sum, z) => sum + Math.exp(z / temperature), 0));
      const options = { maxNewTokens: 1, seed: 0, temperature, topK };
      const { count, weights } = keep({ logits: Float32Array.of(2, 1, 0), normaliser, complete: true }, options)!;
      const total = weights.subarray(0, count).reduce((a, b) => a + b, 0);
      return Array.from(weights, (w, i) => (i < count ? w / total : 0));
    };
    near(probability(0.5), [0.866813332197, 0.117310427826, 0.015876239976]);
    near(probability(2), [0.506480391056, 0.307195885718, 0.186323723226]);
    near(probability(1, 2), [0.73105857863, 0.26894142137, 0]);
  });
});

describe('headroom by split halves', () => {
  it('is about 0 where all actions are equally good, though the maximum over noisy means is far above', () => {
    const random = createRandom('headroom');
    const table = Array.from({ length: 400 }, () =>
      Array.from({ length: 6 }, () => Array.from({ length: 4 }, () => Number(random.next() < 0.5))));
    const means = table.map((row) => row.map((samples) => samples.reduce((a, b) => a + b, 0) / 4));
    expect(headroomOf(means).headroom).toBeGreaterThan(0.25);
    expect(Math.abs(splitHeadroom(table).headroom)).toBeLessThan(0.03);
  });

  it('is the true headroom where rewards have no noise, and needs two samples', () => {
    const table = SUCCESS.map((row) => row.map((p) => [p, p, p]));
    near(Object.values(splitHeadroom(table)), [0.6, 0.666666666667, 0.066666666667]);
    expect(() => splitHeadroom([[[1], [1, 0]]])).toThrow('2 samples');
  });
});

describe('the network', () => {
  const shape: NetworkShape = { inputs: 3, hidden: [5, 4], outputs: 3 };
  const random = createRandom('network test');
  const parameters = Float64Array.from({ length: sizeOf(shape) }, () => random.normal());
  const choices: Choice[] = Array.from({ length: 7 }, (_, i) => ({
    features: [random.normal(), random.normal(), random.normal()],
    action: i % 3, advantage: random.normal(), probability: 0.2 + 0.1 * (i % 4),
  }));

  it('begins at its prior, whatever goes in', () => {
    const fresh = initialNetwork({ inputs: 3, hidden: [64, 64], outputs: 3 }, [0.7, 0.2, 0.1], 0);
    near(probabilities({ inputs: 3, hidden: [64, 64], outputs: 3 }, fresh, [5, -3, 1]), [0.7, 0.2, 0.1]);
  });

  it('is what its formula says: W₃ tanh(W₂ tanh(W₁ x + b₁) + b₂) + b₃', () => {
    const tiny = { inputs: 1, hidden: [1, 1], outputs: 2 };
    const [logit, other] = forward(tiny, Float64Array.of(0.5, 0.1, -2, 0.3, 1.5, -1, 0.25, 0.75), [2]).at(-1)!;
    const h = Math.tanh(-2 * Math.tanh(0.5 * 2 + 0.1) + 0.3);
    near([logit!, other!], [1.5 * h + 0.25, -h + 0.75]);
  });

  it.each([0, 0.3])('has the gradient that finite differences give, with an entropy bonus of %d', (bonus) => {
    const { gradient } = policyLoss(shape, parameters, choices, bonus);
    const step = 1e-6;
    for (let i = 0; i < parameters.length; i++) {
      const at = (by: number): number => {
        const moved = parameters.slice();
        moved[i]! += by;
        return policyLoss(shape, moved, choices, bonus).loss;
      };
      expect(gradient[i]).toBeCloseTo((at(step) - at(-step)) / (2 * step), 7);
    }
  });

  it('has on average the gradient of the value, where fresh choices are drawn from the policy', () => {
    // With a zero network but for the bias, the gradient by the last bias is that by the logits.
    const flat = { inputs: 1, hidden: [1], outputs: 3 };
    const uniform = initialNetwork(flat, [1 / 3, 1 / 3, 1 / 3], 0);
    const draws = createRandom('draws');
    const all = Array.from({ length: 8_000 }, () => {
      const actions = Array.from({ length: 4 }, () => draws.int(3));
      const advantages = leaveOneOut(actions.map((a) => Number(draws.next() < SUCCESS[0]![a]!)));
      return actions.map((action, i) => ({ features: [0], action, advantage: advantages[i]!, probability: 1 / 3 }));
    }).flat();
    const { gradient } = policyLoss(flat, uniform, all, 0);
    const byBias = Array.from(gradient.slice(-3), (g) => -g);
    [0.077777777778, 0.011111111111, -0.088888888889].forEach((g, a) => expect(Math.abs(byBias[a]! - g)).toBeLessThan(0.006));
  });

  it('stops where the probability of a choice has moved by a fifth in the direction of its advantage', () => {
    const flat = { inputs: 1, hidden: [1], outputs: 2 };
    const half = initialNetwork(flat, [0.5, 0.5], 0);
    const pulled = (probability: number, advantage: number): boolean =>
      policyLoss(flat, half, [{ features: [0], action: 0, advantage, probability }], 0).gradient.some((g) => g !== 0);
    expect([pulled(0.5, 1), pulled(0.4, 1), pulled(0.4, -1), pulled(0.7, -1), pulled(0.7, 1)]).toEqual([true, false, true, false, true]);
  });

  it('takes another input without a change of what it says', () => {
    const { shape: wide, parameters: widened } = widenInput(shape, parameters, 2);
    near([...forward(wide, widened, [1, 2, 3, 9, -9]).at(-1)!], [...forward(shape, parameters, [1, 2, 3]).at(-1)!]);
  });
});

it('Adam takes the steps of its paper', () => {
  // By hand: with g = 1, then g = 3, m̂ and v̂ are 1, 1, then (0.09 + 0.3) / 0.19, (0.000999 + 0.009) / 0.001999.
  const parameters = Float64Array.of(0);
  const state = startAdam(1);
  stepAdam(parameters, Float64Array.of(1), state, 0.1);
  expect(parameters[0]).toBeCloseTo(-0.1, 7);
  stepAdam(parameters, Float64Array.of(3), state, 0.1);
  expect(parameters[0]).toBeCloseTo(-0.1 - (0.1 * (0.39 / 0.19)) / Math.sqrt(0.009999 / 0.001999), 7);
});

it('softmax keeps to large logits', () => near(softmax([1000, 1000]), [0.5, 0.5]));
