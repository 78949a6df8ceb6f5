import { describe, expect, it } from 'vitest';
import { duelOf, outcomesOf } from '../../src/evaluate/duel.js';
import type { Failure } from '../../src/judge/respondent.js';
import type { Rated } from '../../src/reward/reward.js';

const rated = (value: number, satisfied?: boolean): Rated => ({ value, reason: null, ...(satisfied === undefined ? {} : { satisfied }) });
const FAILED = { failure: 'refused', detail: 'no' } as unknown as Failure;
const texts = (...all: string[]) => all.map((text) => ({ text }));

describe('a duel', () => {
  const base = [rated(1, false), rated(2, true), rated(3, true), FAILED, rated(0, false), rated(5, true)];
  const own = [rated(2, true), rated(2, true), rated(1, false), rated(9, true), rated(4, true), FAILED];

  it('counts wins, losses and ties of the prompts that both have a rating of', () => {
    expect(outcomesOf(base, own)).toEqual(['win', 'tie', 'loss', 'unrated', 'win', 'unrated']);
    const duel = duelOf(
      { name: 'base', completions: texts('a', 'b', 'c', 'd', 'e', 'f'), rated: base },
      { name: 'own', completions: texts('a', 'x', 'c ', 'd', 'E', 'f'), rated: own },
    );
    expect(duel).toMatchObject({
      name: 'own', against: 'base', same: 3, outcomes: { win: 2, loss: 1, tie: 1, unrated: 2 },
      // (2 wins + ½ tie) of 4; differences 1, 0, −2, 4; verdicts: two gained, one lost, so p = min(1, 2 · (1 + 3)/8).
      winRate: { mean: 2.5 / 4, n: 4 }, change: { value: { mean: 3 / 4, n: 4 }, satisfied: { mean: 1 / 4 } },
      mcnemar: { gained: 2, lost: 1, p: 1 },
    });
  });

  it('is about the texts alone where nothing rates them', () => {
    expect(duelOf({ name: 'a', completions: texts('x', 'y') }, { name: 'b', completions: texts('x', 'z') }))
      .toEqual({ name: 'b', against: 'a', same: 1, change: {} });
  });

  it('has no test of verdicts where the reward draws no line', () => {
    const [a, b] = [[rated(0.5), rated(0.25)], [rated(1), rated(0)]];
    const duel = duelOf({ name: 'a', completions: texts('x', 'y'), rated: a }, { name: 'b', completions: texts('x', 'z'), rated: b });
    expect(duel.mcnemar).toBeUndefined();
    expect(duel.change['satisfied']).toBeUndefined();
    expect(duel.change['value']!.mean).toBeCloseTo((0.5 - 0.25) / 2, 12);
  });
});
