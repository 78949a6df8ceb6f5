import { describe, expect, it } from 'vitest';
import type { RewardPart } from '../../src/reward/combined.js';
import { fuseRewards } from '../../src/reward/fusion.js';
import { createFunctionReward } from '../../src/reward/function.js';
import type { Evidence } from '../../src/reward/inferred/evidence.js';
import { openReward } from '../../src/reward/open.js';
import type { Reward } from '../../src/reward/reward.js';
import { createRandom } from '../../src/run/random.js';
import { scratchFolder } from '../support/scratch.js';
import { heed } from '../cli/support.js';

const { folder, write } = scratchFolder();
const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const user = (content: string) => [{ role: 'user' as const, content }];

// Three sources: labels see the quality with little noise, a signal without labels with much, and the third sees nothing of it. Their units
// differ by a factor of a thousand.
const random = createRandom('sources');
const quality = new Map<string, { label: number; signal: number; noise: number }>();
const source = (line: number) => ({ file: 'rows.jsonl', line });
const comparison = (i: number, responses: readonly string[]): Evidence =>
  ({ kind: 'comparison', certainty: 1, source: source(i + 1), prompt: user(`p${i}`), responses, extra: {} });
const evidence = Array.from({ length: 200 }, (_, i): Evidence => {
  const [a, b] = [`a${i}`, `b${i}`].map((text) => {
    const good = random.normal();
    const seen = (noise: number): number => good + noise * random.normal();
    quality.set(text, { label: 1000 * seen(0.3), signal: 5 + 0.01 * seen(2), noise: random.normal() });
    return { text, good };
  });
  const first = random.next() < 1 / (1 + Math.exp(2 * (b!.good - a!.good)));
  const [winner, loser] = first ? [a!, b!] : [b!, a!];
  return comparison(i, [winner.text, loser.text]);
});
const part = (name: string, of: (text: string) => number | null): RewardPart =>
  ({ name, weight: 1, reward: createFunctionReward(name, ({ completions }) => completions.map(of)) });
const parts = (['label', 'signal', 'noise'] as const).map((name) => part(name, (text) => quality.get(text)![name]));

describe('fused rewards', () => {
  it('count by what they tell about people, whatever their units', async () => {
    const { weights: { rewards, foresight, alone, evidence: counted }, leftOut } = await fuseRewards(evidence, parts, 1);
    const { label, signal, noise } = rewards as Record<string, { weight: number; deviation: number; centre: number; scale: number }>;
    expect(label!.weight / label!.deviation).toBeGreaterThan(4);
    expect(label!.weight).toBeGreaterThan(3 * Math.abs(signal!.weight));
    expect(Math.abs(noise!.weight)).toBeLessThan(3 * noise!.deviation);
    expect(label!.scale).toBeCloseTo(1000 * Math.hypot(1, 0.3), -2);
    expect(signal!.centre).toBeCloseTo(5, 2);
    expect([counted.comparisons, leftOut]).toEqual([200, []]);
    expect(foresight!.right).toBeGreaterThan(0.7);
    expect(alone['noise']!.right).toBeLessThan(0.6);
    expect(alone['label']!.right).toBeGreaterThan(alone['signal']!.right);
  });

  it('give the weights of a logistic regression', async () => {
    // Two values of one reward, apart by d = √2 sample deviations of themselves: 3 of 4 comparisons prefer the greater. The maximum of
    // 3 log σ(w d) + log σ(−w d) − w²/2 solves d (3 − 4 σ(w d)) = w.
    const rows = Array.from({ length: 4 }, (_, i) => comparison(i, i < 3 ? ['yes', 'no'] : ['no', 'yes']));
    const { weights } = await fuseRewards(rows, [part('yes', (text) => (text === 'yes' ? 70 : 50))], 1);
    const { weight, scale, centre } = weights.rewards['yes']!;
    expect([centre, scale]).toEqual([60, expect.closeTo(10 * Math.sqrt(8 / 7), 10) as number]);
    const d = 20 / scale;
    expect(d * (3 - 4 / (1 + Math.exp(-weight * d)))).toBeCloseTo(weight, 9);
  });

  it('count a reward that does not apply as its mean, and leave out rows on which one fails', async () => {
    const sparse = part('label', (text) => (text.endsWith('1') ? null : quality.get(text)!.label));
    const { weights } = await fuseRewards(evidence, [sparse], 1);
    expect(weights.rewards['label']).toMatchObject({ applied: 360 });
    expect(weights.rewards['label']!.weight).toBeGreaterThan(0);
    const failing: Reward = {
      name: 'down', drawsLine: false, close: async () => undefined,
      rate: async (items) => items.map((_, i) => (i === 0 ? { failure: 'timeout', detail: 'slow' } : { value: i, reason: null })),
    };
    const down = { name: 'down', weight: 1, reward: failing };
    const { leftOut, weights: { evidence: counted } } = await fuseRewards(evidence, [...parts, down], 1);
    expect(leftOut).toMatchObject([{ reward: 'down', failure: { failure: 'timeout' }, row: { source: { line: 1 } } }]);
    expect(counted).toMatchObject({ comparisons: 199, leftOut: 1 });
    await expect(fuseRewards(evidence, [part('same', () => 1)], 1)).rejects.toThrow('Every reward gives all responses the same value');
  });
});

describe('heed fit-rewards', () => {
  const module = write('rewards.ts', `
    export const dots = ({ completions }) => completions.map((text) => text.split('.').length - 1);
    export const length = ({ completions }) => completions.map((text) => 100 * text.length);
    export const apt = ({ completions, apt }) => completions.map((_, i) => apt?.[i] ?? null);
  `);
  const rows = write('rows.jsonl', lines(Array.from({ length: 24 }, (_, i) => (
    { prompt: `p${i}?`, chosen: `It is so. ${'x'.repeat(i % 7)}.`, rejected: `It is ${'y'.repeat(i % 5)} so.`, apt: 3 }
  ))));
  const rewards = `{ dots: { fn: '${module}#dots' }, length: { fn: '${module}#length' }, apt: { fn: '${module}#apt' } }`;
  const file = `${folder}/weights.json`;

  it('writes weights that rewards take, and refuses them for other rewards', async () => {
    const ran = await heed(['fit-rewards', rows, '--rewards', rewards, '-o', file, '--json']);
    expect(ran.code, ran.err).toBe(0);
    type Fitted = Record<string, { weight: number; centre: number; scale: number; applied: number }>;
    const { rewards: fitted } = ran.json<{ rewards: Fitted }>();
    const { dots, length } = fitted;
    expect(dots!.weight).toBeGreaterThan(0.5);
    // A reward that reads a column of the rows, and is the same for all.
    expect(fitted['apt']).toMatchObject({ weight: 0, centre: 3, applied: 48 });

    const several = { dots: `${module}#dots`, length: { fn: `${module}#length`, weight: 2 }, apt: `${module}#apt` };
    const reward = await openReward({ rewards: several, weights: file });
    const [rated] = await reward.rate([{ prompt: user('?'), response: 'a. b.' }]);
    const expected = dots!.weight * (2 - dots!.centre) / dots!.scale + 2 * length!.weight * (500 - length!.centre) / length!.scale;
    expect(rated).toMatchObject({ value: expect.closeTo(expected, 12) as number, parts: { dots: 2, length: 500 } });
    expect(reward.weights!['dots']).toBeCloseTo(dots!.weight / dots!.scale, 12);

    const open = (others: object): Promise<Reward> => openReward({ rewards: others as typeof several, weights: file });
    await expect(open({ dots: `${module}#dots` })).rejects.toThrow('has a weight for "length"');
    await expect(open({ ...several, dot: `${module}#dots` })).rejects.toThrow('has no weight for "dot", but one for "dots"');
    await expect(open({ ...several, dots: `${module}#length` })).rejects.toThrow('was fitted with another reward "dots"');
  });

  it('says what each reward is worth, alone and together', async () => {
    const { out, err, code } = await heed(['fit-rewards', rows, '--rewards', rewards, '-o', file, '--overwrite']);
    expect(code, err).toBe(0);
    expect(out).toMatch(/^24 comparisons, 0 demonstrations, 0 votes\n/);
    expect(out).toMatch(/dots +\d\.\d\d ± \d\.\d\d +1\.50 +\d\.\d+ +48 +100 %/);
    expect(out).toMatch(/together, on prompts that the weights were not fitted to: \d+ % of 24/);
  });
});
