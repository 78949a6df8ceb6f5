import { describe, expect, it } from 'vitest';
import { encode, fitEncoder, inputsOf } from '../../src/control/features.js';
import { principalComponents, project } from '../../src/control/pca.js';
import type { Reading } from '../../src/control/readings.js';
import { createRandom } from '../../src/run/random.js';

describe('principal components', () => {
  it('of points on two lines at right angles are those lines, the longer first', () => {
    const [a, b] = [[3 / 5, 4 / 5, 0], [-4 / 5, 3 / 5, 0]];
    const points = [-3, -1, 1, 3].flatMap((t) => [a.map((x) => 1 + 2 * t * x), b.map((x) => 1 + t * x)]);
    const { mean, directions } = principalComponents(points, 5);
    mean.forEach((m) => expect(m).toBeCloseTo(1, 12));
    expect(directions).toHaveLength(2);
    directions[0]!.forEach((x, j) => expect(x).toBeCloseTo(a[j]!, 10));
    directions[1]!.forEach((x, j) => expect(x).toBeCloseTo(-b[j]!, 10));
  });

  it('keep as much of the variance as the largest eigenvalues hold', () => {
    // Independent coordinates of known variances, turned by reflections: v² = 9, 4, 1, then seven of 0.01.
    const random = createRandom('pca test');
    const deviations = [3, 2, 1, ...Array.from({ length: 7 }, () => 0.1)];
    const mirror = Array.from({ length: 10 }, () => random.normal());
    const norm = mirror.reduce((sum, x) => sum + x * x, 0);
    const points = Array.from({ length: 3000 }, () => {
      const x = deviations.map((d) => d * random.normal());
      const along = (2 * x.reduce((sum, one, j) => sum + one * mirror[j]!, 0)) / norm;
      return x.map((one, j) => one - along * mirror[j]!);
    });
    const components = principalComponents(points, 3);
    const kept = [0, 1, 2].map((k) => points.reduce((sum, x) => sum + project(components, x)[k]! ** 2, 0) / points.length);
    [9, 4, 1].forEach((wanted, k) => expect(Math.abs(kept[k]! / wanted - 1)).toBeLessThan(0.1));
  });

  it('of equal vectors are none', () => expect(principalComponents([[1, 2], [1, 2], [1, 2]], 2).directions).toEqual([]));
});

describe('the encoder', () => {
  const reading = (hidden: number[], entropy: number, tokens: number): Reading =>
    ({ hidden: Float32Array.from(hidden), entropy, top1: 0.5, margin: 0.25, tokens });
  const readings = [reading([1, 0], 1, 10), reading([-1, 0], 2, 20), reading([0, 1], 3, 30), reading([0, -1], 4, 40)];

  it('standardises on the prompts that it is fitted to; a number that never changes is 0', () => {
    const encoder = fitEncoder(readings, 2, ['one']);
    const rows = readings.map((one) => encode(encoder, one, 'one'));
    expect(inputsOf(encoder)).toBe(rows[0]!.length);
    const column = (j: number): number[] => rows.map((row) => row[j]!);
    for (const j of [0, 1, 2, 5]) {
      expect(column(j).reduce((a, b) => a + b, 0)).toBeCloseTo(0, 12);
      expect(column(j).reduce((sum, x) => sum + x * x, 0) / 4).toBeCloseTo(1, 12);
    }
    expect([...column(3), ...column(4)].every((x) => x === 0)).toBe(true);
  });

  it('tags the task where there are several, and holds far values at 5', () => {
    const encoder = fitEncoder(readings, 2, ['one', 'two']);
    expect(encode(encoder, readings[0]!, 'two').slice(-2)).toEqual([0, 1]);
    expect(encode(encoder, readings[0]!, undefined).slice(-2)).toEqual([0, 0]);
    expect(Math.max(...encode(encoder, reading([1e6, 1e6], 1e6, 1e6), 'one').map(Math.abs))).toBe(5);
  });
});
