import { describe, expect, it } from 'vitest';
import { cholesky, dot, inverse, times } from '../../src/reward/inferred/matrix.js';
import { demonstrated, inferWeights, logLikelihood, preferred, voted } from '../../src/reward/inferred/posterior.js';
import { mostInformative, predict } from '../../src/reward/inferred/query.js';
import { createRandom } from '../../src/run/random.js';

// Golden numbers by a script in Python and numpy (float64): Newton's method, numpy's hermgauss, and a grid over the exact posterior.
const CHOICES = [[1, 0], [0, 1], [1, -1]].map((d) => preferred(d, [0, 0]));
const posterior = inferWeights(CHOICES, [1, 1]);
const close = (values: readonly number[], digits = 11): unknown[] => values.map((value) => expect.closeTo(value, digits) as number);

describe('the posterior over weights', () => {
  it('has its mean at the maximum, and Laplace\'s covariance', () => {
    expect(posterior.mean).toEqual(close([0.692488130487, 0.11281724097]));
    expect(posterior.covariance).toEqual([close([0.705917995217, 0.109811245351]), close([0.109811245351, 0.693064840479])]);
    expect(posterior.negLogPosterior).toBeCloseTo(1.734886103834, 11);
  });

  it('is the prior without evidence, and where two options are equal', () => {
    const prior = { mean: [0, 0], covariance: [[4, 0], [0, 0.25]], negLogPosterior: 0 };
    expect(inferWeights([], [2, 0.5])).toEqual(prior);
    const { mean, covariance } = inferWeights([preferred([3, 1], [3, 1])], [2, 0.5]);
    expect([mean, covariance]).toEqual([prior.mean, prior.covariance]);
  });

  it('has a gradient of zero at its mean, by finite differences, for every sort of evidence', () => {
    const random = createRandom('sorts');
    const phi = (): number[] => [random.normal(), random.normal(), random.normal()];
    const wide = (v: readonly number[]): number[] => [...v, 0];
    const evidence = [
      preferred(wide(phi()), wide(phi())), preferred(wide(phi()), wide(phi()), 0.7),
      demonstrated(wide(phi()), [wide(phi()), wide(phi()), wide(phi())]), voted(phi(), true), voted(phi(), false), voted(phi(), true),
    ];
    const s = [1, 1, 2, 10];
    const { mean } = inferWeights(evidence, s);
    const logPosterior = (w: readonly number[]): number =>
      logLikelihood(evidence, w) - w.reduce((sum, one, k) => sum + (one / s[k]!) ** 2 / 2, 0);
    for (let k = 0; k < 4; k++) {
      const moved = (by: number): number => logPosterior(mean.map((w, i) => (i === k ? w + by : w)));
      expect((moved(1e-5) - moved(-1e-5)) / 2e-5).toBeCloseTo(0, 7);
    }
    // Written out: Bradley–Terry, softmax, and a vote against the threshold.
    const [a, b] = evidence[0]!.options.map((v) => dot(v, mean));
    const soft = evidence[1]!.options.map((v) => dot(v, mean));
    const demo = evidence[2]!.options.map((v) => Math.exp(dot(v, mean)));
    const sigma = (x: number): number => 1 / (1 + Math.exp(-x));
    const votes = evidence.slice(3).map(({ options }) => Math.log(sigma(dot(options[0]!, mean) - dot(options[1]!, mean))));
    const first = soft[0]! - soft[1]!;
    expect(logLikelihood(evidence, mean)).toBeCloseTo(
      Math.log(sigma(a! - b!)) + 0.7 * Math.log(sigma(first)) + 0.3 * Math.log(sigma(-first))
      + Math.log(demo[0]! / demo.reduce((x, y) => x + y)) + votes.reduce((x, y) => x + y), 12,
    );
    // A vote "bad" is σ(t − w·φ): its bad option has value 0.
    const p = phi();
    const w = [...p, 0.4];
    expect(logLikelihood([voted(p, false)], w)).toBeCloseTo(Math.log(sigma(0.4 - dot(p, p))), 12);
  });

  it('stays finite where all choices agree and are extreme', () => {
    const extreme = Array.from({ length: 50 }, () => preferred([100, 0], [0, 100]));
    const { mean } = inferWeights(extreme, [1, 1]);
    expect(mean[0]!).toBeGreaterThan(0);
    expect(mean[0]!).toBeCloseTo(-mean[1]!, 10);
  });

  it('solves and inverts', () => {
    const m = [[4, 2, 0.6], [2, 5, 1], [0.6, 1, 3]];
    const inverted = inverse(cholesky(m));
    for (const [i, row] of m.entries()) expect(times(inverted, row)).toEqual(close([0, 1, 2].map((k) => Number(k === i)), 12));
    expect(() => cholesky([[1, 2], [2, 1]])).toThrow('not positive definite');
  });
});

describe('the next question', () => {
  it.each([
    [[1, 1], 0.805305371457, 1.618605326399, 0.648946212009, 0.123780701286],
    [[1, -1], 0.579670889517, 1.179360344993, 0.614847022146, 0.101567126488],
    [[2, 2], 1.610610742914, 6.474421305595, 0.699217720791, 0.25690834733],
  ])('about %j: prediction and information', (difference, mean, variance, probability, information) => {
    const predicted = predict(posterior, difference);
    expect([predicted.mean, predicted.variance]).toEqual(close([mean, variance]));
    expect([predicted.probability, predicted.information]).toEqual(close([probability, information], 9));
  });

  it('comes near to the exact posterior, by a grid', () => {
    // p .6518 and .6218, information .1251 and .1053.
    expect(Math.abs(predict(posterior, [1, 1]).probability - 0.651829151942)).toBeLessThan(0.004);
    expect(Math.abs(predict(posterior, [1, -1]).information - 0.10532103365)).toBeLessThan(0.004);
  });

  it('is worth nothing between equal responses', () => {
    expect(predict(posterior, [0, 0])).toEqual({ mean: 0, variance: 0, probability: expect.closeTo(0.5, 12) as number, information: 0 });
    expect(mostInformative(posterior, [[0, 0], [1, 1]], 5).map(({ index }) => index)).toEqual([1]);
  });

  it('is not the same question in other words', () => {
    // The second and third ask about the same direction; after one of them, the other direction tells more.
    const asked = mostInformative({ mean: [0, 0], covariance: [[1, 0], [0, 1]] }, [[0, 0.9], [1, 0], [-1, 0.01]], 3);
    expect(asked.map(({ index }) => index)).toEqual([2, 0, 1]);
    // As though a comparison at even odds had been answered: the variance 1 of its direction becomes 1 / (1 + ¼).
    expect(asked[2]!.prediction.variance).toBeCloseTo(0.8, 2);
  });
});

describe('with a simulated person whose weights are known', () => {
  const normal = (random: ReturnType<typeof createRandom>, n: number): number[] => Array.from({ length: n }, () => random.normal());
  const prefers = (random: ReturnType<typeof createRandom>, w: readonly number[], d: readonly number[]): boolean =>
    random.next() < 1 / (1 + Math.exp(-dot(w, d)));

  it('90 % intervals cover the weights at their rate', () => {
    const [people, size] = [400, 3];
    let covered = 0;
    for (let run = 0; run < people; run++) {
      const random = createRandom('coverage', run);
      const w = normal(random, size);
      const choices = Array.from({ length: 80 }, () => {
        const [a, b] = [normal(random, size), normal(random, size)];
        return prefers(random, w, a.map((x, k) => x - b[k]!)) ? preferred(a, b) : preferred(b, a);
      });
      const { mean, covariance } = inferWeights(choices, w.map(() => 1));
      // One weight of each person: those of one person are not independent.
      covered += Number(Math.abs(w[0]! - mean[0]!) <= 1.6448536269514722 * Math.sqrt(covariance[0]![0]!));
    }
    // Three standard errors of a binomial share.
    expect(Math.abs(covered / people - 0.9)).toBeLessThan(3 * Math.sqrt((0.9 * 0.1) / people));
  });

  it('30 informative questions find the weights better than 30 random ones', () => {
    const size = 6;
    const cosine = (a: readonly number[], b: readonly number[]): number => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
    const interview = (run: number, informed: boolean): number => {
      const random = createRandom('interview', run);
      const w = normal(random, size);
      // Pairs as they come: most are alike.
      const pool = Array.from({ length: 40 }, () => normal(random, size).map((x) => x * random.next()));
      const answers = createRandom('answers', run, String(informed));
      const choices = [];
      let now = inferWeights([], w.map(() => 1));
      for (let asked = 0; asked < 30; asked++) {
        const at = informed ? mostInformative(now, pool, 1)[0]!.index : answers.int(pool.length);
        const [d] = pool.splice(at, 1);
        const zero = d!.map(() => 0);
        choices.push(prefers(answers, w, d!) ? preferred(d!, zero) : preferred(zero, d!));
        now = inferWeights(choices, w.map(() => 1));
      }
      return cosine(now.mean, w);
    };
    const people = Array.from({ length: 16 }, (_, run) => [interview(run, true), interview(run, false)] as const);
    const mean = (which: 0 | 1): number => people.reduce((sum, one) => sum + one[which], 0) / people.length;
    expect(mean(0)).toBeGreaterThan(mean(1) + 0.03);
  });
});
