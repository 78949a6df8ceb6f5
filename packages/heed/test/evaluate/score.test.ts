import { describe, expect, it } from 'vitest';
import { type MeasuredItem, changesOf, groupsOf, scoresOf, standardError } from '../../src/evaluate/score.js';
import { proportionInterval } from '../../src/run/statistics.js';

describe('scores', () => {
  it('have the errors of lm-evaluation-harness', () => {
    // mean_stderr([1, 0, 1, 1, 0]) and pooled_sample_stderr of the errors of [1, 0, 1, 1, 0] and [0, 1, 0, 0] with sizes 5 and 4 (0.4.13)
    expect(standardError([[1, 0, 1, 1, 0]])).toBeCloseTo(0.24494897427831783, 12);
    expect(standardError([[1, 0, 1, 1, 0], [0, 1, 0, 0]])).toBeCloseTo(0.1759328876372492, 12);
    expect(standardError([[1]])).toBeNull();
    expect(standardError([[1], [0]])).toBeNull();
  });

  it('are means of the items that have a number, a share with Wilson\'s interval', () => {
    const items: MeasuredItem[] = [{ measures: { a: 1, b: 0.5 } }, { measures: { a: 0 } }, {}, { measures: { a: 1 } }];
    const scores = scoresOf(items);
    expect(scores['a']).toEqual({ ...proportionInterval(2, 3), stderr: standardError([[1, 0, 1]]) });
    expect(scores['b']).toMatchObject({ mean: 0.5, n: 1, stderr: null });
  });

  it('are counted by group, and by groups of groups', () => {
    const items = [...['x', 'y', 'y'].map((group, i) => ({ group, measures: { a: [1, 0, 1][i]! } })), { measures: { a: 0 } }];
    expect(groupsOf(items)).toEqual({ x: { rows: 1, a: 1 }, y: { rows: 2, a: 0.5 } });
    expect(groupsOf(items, () => 'both')['both']).toEqual({ rows: 3, a: 2 / 3 });
  });

  it('change item by item, with McNemar\'s test where they are 1 or 0', () => {
    const of = (values: readonly (number | undefined)[]) => values.map((a) => (a === undefined ? {} : { measures: { a } }));
    const { a } = changesOf(of([0, 0, 0, 1, 1, undefined]), of([1, 1, 1, 0, 1, 1]));
    expect(a).toMatchObject({ mean: 0.4, n: 5, mcnemar: { gained: 3, lost: 1, p: 0.625 } });
    expect(changesOf(of([0.25, 0.5]), of([0.5, 0.5]))['a']).not.toHaveProperty('mcnemar');
  });
});
