import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { chiefOf, settingsOf } from '../../src/sweep/outcomes.js';
import { ticksOf } from '../../src/sweep/plot.js';
import type { SweptRun } from '../../src/sweep/run.js';
import { shown, sweepCsv, tableOf } from '../../src/sweep/table.js';

const AXES = [{ key: 'method.beta' }, { key: 'train.seed' }];
const estimate = (mean: number): object => ({ mean, low: mean - 0.1, high: mean + 0.1, n: 20 });

/** A run of a setting that came to a share and a loss; without numbers one that failed. */
function run(beta: string, seed: string, satisfied?: readonly [before: number, after: number], loss = Number.NaN): SweptRun {
  const name = `beta=${beta},seed=${seed}`;
  const about = { name, dir: name, values: { 'method.beta': beta, 'train.seed': seed } };
  if (satisfied === undefined) return { ...about, state: 'failed', error: 'It failed.' };
  const [before, after] = satisfied;
  const summary = {
    job: 'align' as const, model: 'm', rows: 4, skipped: 0, seconds: 2, peakRssMb: 3, loss,
    before: { satisfied: estimate(before), medianWords: 10 }, after: { satisfied: estimate(after), medianWords: 12 },
    change: { satisfied: estimate(after - before + 0.01) },
  };
  return { ...about, state: 'finished', summary: summary as unknown as NonNullable<SweptRun['summary']> };
}

const runs = [
  run('0.1', '0', [0.25, 0.4], 1), run('0.1', '1', [0.25, 0.5], 2), run('0.1', '2', [0.25, 0.75], 6),
  run('0.5', '0', [0.25, 0.9]), run('0.5', '1'), run('0.5', '2', [0.25, 1]),
];

describe('the outcomes of a sweep', () => {
  const settings = settingsOf(runs, AXES);

  it('are means over the seeds of a setting with intervals by Student’s t', () => {
    const { after, before, change } = settings[0]!.outcomes['satisfied']!;
    // 0.4, 0.5, 0.75: mean 0.55, s² = (0.0225 + 0.0025 + 0.04) / 2 = 0.0325, t 4.302653 √(s² / 3) = 0.447830.
    expect(after.mean).toBeCloseTo(0.55, 12);
    expect([after.low, after.high!]).toEqual([expect.closeTo(0.10217, 5), expect.closeTo(0.99783, 5)]);
    expect(before).toEqual({ mean: 0.25, low: 0.25, high: 0.25, values: [0.25, 0.25, 0.25] });
    // The runs' own paired changes, 0.01 above after less before.
    expect(change!.mean).toBeCloseTo(0.31, 12);
    // 1, 2, 6: see test/run/student.test.ts.
    expect(settings[0]!.outcomes['loss']!.after).toMatchObject({ mean: 3, low: expect.closeTo(3 - 6.5724106, 6) as number });
  });

  it('leave out runs that have not finished, and end shares at 0 and 1', () => {
    const [, { finished, outcomes }] = settings as [unknown, (typeof settings)[number]];
    expect(finished).toBe(2);
    const { after } = outcomes['satisfied']!;
    // 0.9 and 1: half the interval is 12.7062 × 0.05 = 0.635.
    expect([after.mean, after.low!, after.high]).toEqual([expect.closeTo(0.95, 12), expect.closeTo(0.31469, 5), 1]);
    // A loss that is no number is none.
    expect(outcomes['loss']).toBeUndefined();
    expect(tableOf(settings, AXES, 'satisfied').map((line) => line.slice(0, 4))).toEqual([
      ['beta', 'runs', 'before', 'after'],
      ['0.1', '3', '25 %', '55 % [10 %, 100 %]'],
      ['0.5', '2 of 3', '25 %', '95 % [31 %, 100 %]'],
    ]);
  });

  it('are of one run without an interval, and of none nothing', () => {
    const [one, none] = settingsOf([run('0.1', '0', [0.2, 0.3]), run('0.5', '0')], AXES);
    expect(one!.outcomes['satisfied']!.after).toEqual({ mean: 0.3, values: [0.3] });
    expect(none).toMatchObject({ finished: 0, outcomes: {}, name: 'beta=0.5' });
    expect(shown(undefined, String)).toBe('–');
    expect(chiefOf([none!])).toBeUndefined();
    expect(settingsOf([run('0.1', '0', [0.2, 0.3])], [AXES[1]!])[0]!.name).toBe('all runs');
  });

  it('are about the first measurement of before and after, or about the loss', () => {
    expect(chiefOf(settings)).toBe('satisfied');
    const trained = runs.slice(0, 3).map((one) => ({ ...one, summary: { ...one.summary!, before: {}, after: {} } }));
    expect(chiefOf(settingsOf(trained, AXES))).toBe('loss');
  });

  it('go to a table for other programs with every measurement', () => {
    const lines = parse<Record<string, string>>(sweepCsv(settings, AXES), { columns: true });
    const line = lines.find((one) => one['method.beta'] === '0.5' && one['measurement'] === 'satisfied')!;
    expect([line['runs'], Number(line['after']), line['after high'], line['before']]).toEqual(['2', 0.95, '1', '0.25']);
    expect(lines.filter((one) => one['measurement'] === 'loss')).toHaveLength(1);
  });
});

describe('the ticks of a plot', () => {
  it.each([
    [[0.31, 0.95], [0.2, 0.4, 0.6, 0.8, 1]],
    [[-3, 12], [-5, 0, 5, 10, 15]],
    [[7, 7], [6, 8]],
    [[0, 0], [0, 0.2]],
    [[1234, 1239.5], [1234, 1236, 1238, 1240]],
  ])('of %j are round numbers around them', (values, ticks) => {
    expect(ticksOf(values)).toEqual(ticks);
  });
});
