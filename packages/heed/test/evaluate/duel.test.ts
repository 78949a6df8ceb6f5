import { describe, expect, it } from 'vitest';
import { duelOf, outcomesOf } from '../../src/evaluate/duel.js';
import type { Failure } from '../../src/judge/respondent.js';
import type { Rated } from '../../src/reward/reward.js';
import { type Answered, joined } from '../../src/evaluate/side.js';

const rated = (value: number, satisfied?: boolean): Rated => ({ value, reason: null, ...(satisfied === undefined ? {} : { satisfied }) });
const FAILED = { failure: 'refused', detail: 'no' } as unknown as Failure;
const texts = (...all: string[]) => all.map((text) => ({ text }));

interface Run { readonly completions: readonly { text: string }[]; readonly rated: (Rated | Failure)[] }

/** Runs as one contender. */
const joinedFor = (name: string, runs: readonly Run[]) =>
  joined(name, runs.map(({ completions, rated: all }, i): Answered => ({
    name: `seed=${i}`, key: String(i), kept: false, rated: all, measured: {}, failures: {},
    completions: completions.map(({ text }) => ({ text, ids: [1], logprobs: [0], finish: 'stop', row: 0, sample: 0 })),
  })));

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

  it('takes the mean of each prompt over runs, and says how far the runs agree', () => {
    const first = { completions: texts('a', 'x', 'c'), rated: [rated(1, true), rated(0, false), rated(2, true)] };
    const second = { completions: texts('a', 'b', 'c'), rated: [rated(3, true), rated(0, false), rated(0, false)] };
    const base = { name: 'base', completions: texts('a', 'b', 'c'), rated: [rated(1, true), rated(1, true), rated(1, true)] };
    const duel = duelOf(base, joinedFor('own', [first, second]));
    // Means 2, 0, 1 beside 1, 1, 1; changes of the runs 0 and 0; of the verdicts −1/3 and −2/3.
    expect(duel).toMatchObject({ same: 2, outcomes: { win: 1, loss: 1, tie: 1, unrated: 0 }, change: { value: { mean: 0, n: 3 } } });
    expect(duel.changeOverSeeds!['value']).toMatchObject({ mean: 0, low: 0, high: 0, n: 2 });
    expect(duel.mcnemar).toBeUndefined();
    const { mean, low, high } = duel.changeOverSeeds!['satisfied']!;
    // Of two runs the interval is m ± 12.706 |a − b| / 2, and no share changes by more than 1.
    expect([mean, low, high].map((x) => x.toFixed(6))).toEqual(['-0.500000', '-1.000000', '1.000000']);
    const two = joinedFor('two', [first, second]);
    expect(duelOf(two, joinedFor('three', [first, second, first])).changeOverSeeds).toBeUndefined();
    expect(duelOf(two, joinedFor('same', [first, second])).changeOverSeeds!['value']).toMatchObject({ mean: 0, low: 0, high: 0 });
  });

  it('has no rating of a prompt of which a run has none', () => {
    const side = joinedFor('own', [{ completions: texts('a'), rated: [rated(1)] }, { completions: texts('b'), rated: [FAILED] }]);
    expect(side.rated).toEqual([FAILED]);
    const { outcomes } = duelOf({ name: 'base', completions: texts('a'), rated: [rated(0)] }, side);
    expect(outcomes).toEqual({ win: 0, loss: 0, tie: 0, unrated: 1 });
  });

  it('has no test of verdicts where the reward draws no line', () => {
    const [a, b] = [[rated(0.5), rated(0.25)], [rated(1), rated(0)]];
    const duel = duelOf({ name: 'a', completions: texts('x', 'y'), rated: a }, { name: 'b', completions: texts('x', 'z'), rated: b });
    expect(duel.mcnemar).toBeUndefined();
    expect(duel.change['satisfied']).toBeUndefined();
    expect(duel.change['value']!.mean).toBeCloseTo((0.5 - 0.25) / 2, 12);
  });
});
