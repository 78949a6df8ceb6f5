import { describe, expect, it } from 'vitest';
import { CreditOptions, placeReward, reportCredit, requireTokenCredit } from '../../src/loop/credit.js';
import { dpo } from '../../src/method/dpo.js';
import { bind } from '../../src/method/bind.js';
import { ppo } from '../../src/method/ppo.js';
import { rloo } from '../../src/method/rloo.js';
import type { Rated, ValuedSpan } from '../../src/reward/reward.js';
import { applyRules } from '../../src/reward/rules.js';
import { forbiddenWords, mustMention } from '../../src/reward/rules/checks.js';
import { createTokenizer } from '../../src/text/tokenizer.js';
import { toyFiles } from '../text/support.js';

// A token is a byte; the last is the end of turn.
const tokenizer = createTokenizer(...toyFiles(['<end>']));
const END = 256;

/** An answer, what its reward says of places, and what became of that. */
function placed(text: string, { value, spans }: Pick<Rated, 'value' | 'spans'>, given: object, attention?: readonly number[]) {
  const ids = [...tokenizer.encode(text), END];
  const result: Rated = { value, reason: null, spans };
  const unplaced = { rollout: { group: 0, reward: value, tokens: ids.length }, result, text, ids, attention };
  const options = CreditOptions.parse(given);
  const rollout = placeReward(unplaced, options, tokenizer);
  return { rollout, report: reportCredit([unplaced], [rollout], options) };
}
const places = (rewards: readonly number[] | undefined): [token: number, reward: number][] =>
  rewards!.flatMap((r, t): [number, number][] => (r === 0 ? [] : [[t, r]]));
const span = (start: number, end: number, value: number): ValuedSpan => ({ start, end, value });

describe('credit.by: spans', () => {
  it('puts each value at the last token of its place, adds what ends together, and leaves the rest to the last token', () => {
    // Tokens: é 0 1, a 2, space 3, b 4, the emoji 5 to 8, the end of turn 9. In UTF-16 the emoji is [4, 6).
    const spans = [span(0, 2, -1), span(1, 2, -0.5), span(4, 6, 0.25), span(0, 1, 0.125), span(0, 0, -2)];
    const { rollout: { tokenRewards, segments }, report } = placed('éa b🙂', { value: 1, spans }, { by: 'spans' });
    expect(places(tokenRewards)).toEqual([[1, 0.125], [2, -1.5], [8, 0.25], [9, 2.125]]);
    expect(segments).toEqual([0, 0, 1, 2, 2, 2, 2, 2, 2, 3]);
    expect(report).toEqual({ metrics: { 'credit/segments': 4, 'credit/placed': 1 }, remarks: [] });
  });

  it('takes what rules find: a broken rule costs its share, at its findings', () => {
    const rules = [
      { id: 'hype', check: forbiddenWords(['best']), message: 'It says {quotes}.' },
      { id: 'name', check: mustMention(['lamp']), message: 'It leaves out {quotes}.' },
    ];
    const text = 'The best of the best.';
    const rated = applyRules(rules, text);
    const { rollout: { tokenRewards } } = placed(text, rated, { by: 'spans' });
    expect(rated.value).toBe(0);
    // Each "best" −¼; what is missing names no place; the last token has the 1 of an answer that breaks nothing, less ½ for the lamp.
    expect(places(tokenRewards)).toEqual([[7, -0.25], [19, -0.25], [21, 0.5]]);
  });

  it('says where the reward names no places, and then gives all to the last token', () => {
    const { rollout, report } = placed('ab', { value: 2 }, { by: 'spans' });
    expect(rollout.tokenRewards).toEqual([0, 0, 2]);
    expect(report.remarks).toEqual(['the reward names no places, so that credit.by: spans leaves all of it at the last token']);
  });
});

it('credit.by: sentences puts the values at the ends of the sentences that they end in, and every sentence is a segment', () => {
  const spans = [span(0, 1, -1), span(2, 6, -0.5), span(7, 8, -0.25)];
  const { rollout: { tokenRewards, segments } } = placed('It. Is. So.', { value: -1.75, spans }, { by: 'sentences' });
  expect(places(tokenRewards)).toEqual([[2, -1], [6, -0.5], [10, -0.25]]);
  expect(segments).toEqual([0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3]);
});

describe('credit.by: attention and uniform', () => {
  it('spread a share of the reward', () => {
    const attention = [0.05, 0.1, 0.1, 0.15];
    const { rollout, report } = placed('abc', { value: 2 }, { by: 'attention' }, attention);
    [0.125, 0.25, 0.25, 1.375].forEach((r, t) => expect(rollout.tokenRewards![t]).toBeCloseTo(r, 12));
    expect(report.metrics['credit/mass']).toBeCloseTo(0.4, 12);
    expect(report.remarks).toEqual([]);
    const uniform = placed('abc', { value: 2 }, { by: 'uniform', share: 0.8 }).rollout;
    [0.4, 0.4, 0.4, 0.8].forEach((r, t) => expect(uniform.tokenRewards![t]).toBeCloseTo(r, 12));
    uniform.weights!.forEach((w) => expect(w).toBeCloseTo(1, 12));
  });

  it('takes a reward model\'s attention by places: its tokens may be cut otherwise', () => {
    const ids = [...tokenizer.encode('a🙂b'), END];
    // Its tokens: "a" and half of the emoji; the other half; "b"; its own end of turn.
    const attention = [span(0, 3, 0.1), span(1, 3, 0.2), span(3, 4, 0.4), span(4, 4, 0.1)];
    const unplaced = {
      rollout: { group: 0, reward: 1, tokens: ids.length }, result: { value: 1, reason: null, attention }, text: 'a🙂b', ids,
    };
    const options = CreditOptions.parse({ by: 'attention', share: 1 });
    const rollout = placeReward(unplaced, options, tokenizer);
    const expected = [0, 0, 0, 0, 0.3 / 0.8, 0.4 / 0.8, 0.1 / 0.8];
    rollout.tokenRewards!.forEach((r, t) => expect(r).toBeCloseTo(expected[t]!, 12));
    expect(reportCredit([unplaced], [rollout], options).metrics['credit/mass']).toBeCloseTo(0.8, 12);
  });

  it('says where little attention lies on the answer', () => {
    const { report } = placed('a', { value: 1 }, { by: 'attention' }, [0.05, 0.05]);
    expect(report.remarks).toEqual([expect.stringMatching(/^only 0\.10 of the last token's attention lies on the answer/)]);
    const selfish = placed('a', { value: 1 }, { by: 'attention' }, [0.1, 0.3]).report;
    expect(selfish.metrics['credit/last']).toBeCloseTo(0.75, 12);
    expect(selfish.remarks).toEqual([expect.stringMatching(/^the last token keeps 0\.75 of the answer's attention for itself/)]);
  });
});

it('leaves whole answers, and those without a reward, as they are', () => {
  expect(placed('a', { value: 1, spans: [span(0, 1, 1)] }, {}).rollout).toEqual({ group: 0, reward: 1, tokens: 2 });
  const rollout = { group: 0, reward: null, tokens: 1 };
  const result = { failure: 'timeout', detail: '' } as const;
  expect(placeReward({ rollout, result, text: '', ids: [END] }, CreditOptions.parse({ by: 'spans' }), tokenizer)).toBe(rollout);
});

it('is refused where it would do nothing', () => {
  const by = CreditOptions.parse({ by: 'spans' });
  expect(() => { requireTokenCredit(by, bind(dpo)); }).toThrow(/dpo learns from whole answers/);
  expect(() => { requireTokenCredit(by, bind(rloo)); }).toThrow(/rloo would undo it: .* set method\.ratio: token/);
  requireTokenCredit(by, bind(rloo, { ratio: 'token' }));
  requireTokenCredit(by, bind(ppo));
  requireTokenCredit(CreditOptions.parse({}), bind(rloo));
  expect(CreditOptions.safeParse({ by: 'spans', share: 0.2 }).error!.issues[0]!.message).toMatch(/leave it out/);
});
