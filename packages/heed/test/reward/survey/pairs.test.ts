import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { rateCoherence } from '../../../src/reward/dialogue/coherence.js';
import { ratePersona } from '../../../src/reward/dialogue/persona.js';
import type { Rated } from '../../../src/reward/reward.js';
import { rateClarify } from '../../../src/reward/sincerity/clarify.js';
import { rateSincerity } from '../../../src/reward/sincerity/sincerity.js';
import { proportionInterval } from '../../../src/run/statistics.js';
import type { Message } from '../../../src/text/template.js';

// 120 pairs of responses, written before the rewards. While the rules were written, the pairs of `use: tune` that they lost were looked at;
// of `use: report` only how many.
interface Pair {
  readonly id: string;
  readonly stratum: 'sincere' | 'coherent' | 'persona' | 'clarify' | 'admits';
  readonly case: string;
  readonly use: 'tune' | 'report';
  readonly prompt: readonly Message[];
  readonly persona?: readonly string[];
  readonly chosen: string;
  readonly rejected: string;
}
const file = resolve(import.meta.dirname, '../../../../../examples/survey-pairs.jsonl');
const pairs = readFileSync(file, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as Pair);

const rewards: Readonly<Record<Pair['stratum'], (pair: Pair, response: string) => Rated>> = {
  sincere: ({ prompt }, response) => rateSincerity(prompt, response),
  admits: ({ prompt }, response) => rateSincerity(prompt, response),
  coherent: ({ prompt }, response) => rateCoherence(prompt, response),
  persona: ({ prompt, persona }, response) => ratePersona(persona ?? [], prompt, response),
  clarify: ({ prompt }, response) => rateClarify(prompt, response),
};

/** 1 where the good response is worth more, ½ for a tie. */
const won = (pair: Pair, value: (response: string) => number): number => (Math.sign(value(pair.chosen) - value(pair.rejected)) + 1) / 2;
const page = readFileSync(resolve(import.meta.dirname, '../../../../../docs/survey-rewards.md'), 'utf8');
/** What docs/survey-rewards.md says of a stratum: its pairs, how many were right, and the interval. */
const documented = (stratum: string): string[] =>
  new RegExp(`^\\| (?:\`${stratum}\`:[^|]*|${stratum} )\\|(.*)\\|$`, 'm').exec(page)![1]!.split('|').map((cell) => cell.trim());
const interval = (low: number, high: number): string => [low, high].map((x) => (x === 1 ? '1' : x.toFixed(2).slice(1))).join(' – ');
const report = pairs.filter(({ use }) => use === 'report');
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

describe('the 120 pairs', () => {
  it('are of five orders, with lengths within a tenth, so that length tells nothing', () => {
    const counts = Object.fromEntries(Object.keys(rewards).map((stratum) => {
      const own = pairs.filter((pair) => pair.stratum === stratum);
      return [stratum, [own.length, own.filter(({ use }) => use === 'tune').length]];
    }));
    expect(counts).toEqual({ sincere: [12, 4], admits: [18, 6], coherent: [30, 10], persona: [30, 10], clarify: [30, 10] });
    for (const { id, chosen, rejected } of pairs) {
      const [a, b] = [chosen.length, rejected.length];
      expect(Math.abs(a - b) / Math.max(a, b), id).toBeLessThanOrEqual(0.1);
    }
    const longer = sum(pairs.map((pair) => won(pair, ({ length }) => length))) / pairs.length;
    expect(Math.max(longer, 1 - longer)).toBeLessThanOrEqual(0.58);
  });

  // Seen: 7 of 8, 10 of 12, 20, 19.5 and 18 of 20. The bounds leave room for four pairs more to be lost, of the first two for two.
  it.each([
    ['sincere', 5], ['admits', 8], ['coherent', 16], ['persona', 15], ['clarify', 14],
  ] as const)('%s: at least %d of those that are reported', (stratum, least) => {
    const own = report.filter((pair) => pair.stratum === stratum);
    const right = sum(own.map((pair) => won(pair, (response) => rewards[stratum](pair, response).value)));
    const { low, high } = proportionInterval(Math.floor(right), own.length);
    console.log(`${stratum}: ${right} of ${own.length} [${low.toFixed(3)}, ${high.toFixed(3)}]`);
    expect(right).toBeGreaterThanOrEqual(least);
    const all = pairs.filter((pair) => pair.stratum === stratum).length;
    expect(documented(stratum)).toEqual([String(all), `${right} of ${own.length}`, interval(low, high)]);
  });

  it('all of them', () => {
    const right = sum(report.map((pair) => won(pair, (response) => rewards[pair.stratum](pair, response).value)));
    const { low, high } = proportionInterval(Math.floor(right), report.length);
    expect(documented('all')).toEqual([String(pairs.length), `${right} of ${report.length}`, interval(low, high)]);
  });

  it('every bad response that is rated lower has a reason that quotes it or names what is missing', () => {
    for (const pair of report) {
      const [good, bad] = [pair.chosen, pair.rejected].map((response) => rewards[pair.stratum](pair, response)) as [Rated, Rated];
      if (good.value > bad.value && bad.satisfied === false) expect(bad.reason, pair.id).toMatch(/\w/);
      for (const { quote, start, end } of bad.findings ?? []) expect(pair.rejected.slice(start, end), pair.id).toBe(quote);
    }
  });
});

it('what the interval of 120 pairs is good for', () => {
  const golden = [[90, 120, 0.666, 0.819], [22, 30, 0.556, 0.858]] as const;
  for (const [k, n, low, high] of golden) {
    const interval = proportionInterval(k, n);
    expect([interval.low, interval.high].map((x) => Number(x.toFixed(3)))).toEqual([low, high]);
  }
});
