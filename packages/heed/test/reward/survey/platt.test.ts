import { describe, expect, it } from 'vitest';
import { fitPlatt, fitTemperature } from '../../../src/reward/calibration/platt.js';
import { calibrated, fitStatedConfidence } from '../../../src/reward/truth/stated-confidence.js';
import { createRandom } from '../../../src/run/random.js';

const scores = [-3.2, -2.5, -0.4, 0.1, 0.9, 1.7, 2.2, -1.1];
const right = [false, true, false, true, true, true, true, false];

describe('Platt scaling', () => {
  it('is what Newton’s method finds in float64 for smoothed labels', () => {
    const { slope, bias } = fitPlatt(scores, right);
    expect(slope).toBeCloseTo(0.4418970168450927, 10);
    expect(bias).toBeCloseTo(0.6366654349332512, 10);
  });

  it('finds the slope and the bias that labels were drawn with', () => {
    const random = createRandom('platt');
    const drawn = Array.from({ length: 5000 }, () => 4 * random.next() - 2);
    const { slope, bias } = fitPlatt(drawn, drawn.map((x) => random.next() < 1 / (1 + Math.exp(-(1.5 * x - 0.5)))));
    // Standard errors are .04.
    expect(Math.abs(slope - 1.5)).toBeLessThan(0.15);
    expect(Math.abs(bias + 0.5)).toBeLessThan(0.15);
  });

  it('stays finite where the score tells all cases apart', () => {
    const { slope, bias } = fitPlatt([-2, -1, 1, 2], [false, false, true, true]);
    // At the minimum the mean probability is that of the labels: 3/4 for the two right ones, 1/4 for the others.
    const p = [-2, -1, 1, 2].map((x) => 1 / (1 + Math.exp(-(slope * x + bias))));
    expect(p.reduce((a, b) => a + b, 0)).toBeCloseTo(2, 9);
    expect(bias).toBeCloseTo(0, 9);
    expect(slope).toBeGreaterThan(0);
    expect(slope).toBeLessThan(2);
  });

  it('refuses what it cannot fit', () => {
    expect(() => fitPlatt([1, 2], [true])).toThrow('2 scores, 1 cases');
    expect(() => fitPlatt([1, NaN], [true, false])).toThrow('score 1 is NaN');
    expect(() => fitPlatt([1, 2], [true, true])).toThrow('all 2 cases are right');
  });
});

it('temperature scaling is what Newton’s method finds in float64', () => {
  const logits = [3.1, 2.2, 4, -1.5, -2, 0.7, 1.9, 2.8];
  expect(fitTemperature(logits, [true, false, true, false, true, true, false, true])).toBeCloseTo(3.8508250091501957, 6);
});

describe('stated confidences', () => {
  // A speaker who says 90 % and is right in 60 % of cases, and says 60 % and is right in 30 %.
  const answers = [[90, 60], [60, 30]].flatMap(([said, of]) =>
    Array.from({ length: 100 }, (_, i) => ({ response: `It is so. I am ${said}% sure.`, right: (i * 37) % 100 < of! })));

  it('come to mean how often such statements were right', () => {
    const { confidence, report } = fitStatedConfidence([...answers, { response: 'It is so.', right: true }]);
    expect(calibrated(confidence, 0.9)).toBeCloseTo(0.6, 1);
    expect(calibrated(confidence, 0.6)).toBeCloseTo(0.3, 1);
    expect(report).toMatchObject({ rows: 200, unstated: 1 });
    // Stated: .6 (.1)² + .4 (.9)² = .33 and .3 (.4)² + .7 (.6)² = .3; at best .24 and .21.
    expect(report.before.brier).toBeCloseTo((0.33 + 0.3) / 2, 9);
    expect(report.before.ece).toBeCloseTo(0.3, 9);
    expect(report.after.brier).toBeLessThan(0.23);
    expect(report.after.ece).toBeLessThan(0.05);
    expect(report.after.auroc).toBeGreaterThan(0.6);
  });
});
