import { expect, it } from 'vitest';
import { duelLines } from '../../src/evaluate/comparison-words.js';

const estimate = (mean: number, low = mean, high = mean) => ({ mean, low, high, n: 8 });
const duel = (win: number, loss: number) => ({
  name: 'dpo', against: 'base', same: 2, outcomes: { win, loss, tie: 0, unrated: 0 }, winRate: estimate(win / (win + loss), 0, 1),
  lengthControlled: { ...estimate(0.5), extreme: false }, change: {}, mcnemar: { gained: 1, lost: 0, p: 1 },
});

it('says of a fit at equal lengths that came to one half by itself that it tells nothing', () => {
  const lines = duelLines(duel(5, 3));
  expect(lines).toContain('  at equal lengths of the answers: 8 prompts are too few to tell');
  expect(lines).toContain("  verdicts: 1 prompt gained, 0 lost (McNemar's exact test: p = 1.0)");
  expect(duelLines(duel(4, 4))).toContain('  at equal lengths of the answers: 50 %  [50 %, 50 %]');
  expect(duelLines({ ...duel(5, 3), lengthControlled: { ...estimate(0.6, 0.4, 0.8), extreme: false } }))
    .toContain('  at equal lengths of the answers: 60 %  [40 %, 80 %]');
});
