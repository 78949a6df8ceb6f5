import { describe, expect, it } from 'vitest';
import { near } from './fake.js';
import { labelPage } from '../../src/label/page.js';
import { LABELERS } from '../../src/label/index.js';
import { type LabelReport, renderLabelReport } from '../../src/label/report.js';
import { agreement, binomialTest, calibration, positionBias, rankCorrelation, verdictsAgainst } from '../../src/label/statistics.js';

describe('measures of labels', () => {
  it('the two-sided binomial test, by hand and by scipy.stats.binomtest', () => {
    expect(binomialTest(0, 0)).toBe(1);
    expect(binomialTest(5, 10)).toBe(1);
    expect(binomialTest(1, 5)).toBeCloseTo((2 * 6) / 32, 14);
    expect(binomialTest(9, 10)).toBeCloseTo((2 * 11) / 1024, 14);
    expect(binomialTest(60, 100)).toBeCloseTo(0.05688793364098078, 12);
    expect(binomialTest(5200, 10_000) / 6.593515598672343e-5).toBeCloseTo(1, 9);
    expect(binomialTest(0, 100_000)).toBe(0); // smaller than any number that is kept
  });

  it('a judge that always says "1" has nothing but its place', () => {
    expect(positionBias(Array.from({ length: 8 }, () => [0.9, 0.8] as const))).toMatchObject({
      same: { mean: 1, n: 8 },
      first: 8,
      p: near(2 / 256),
    });
    expect(
      positionBias([
        [0.5, 0.5],
        [0.9, 0.1],
      ]),
    ).toMatchObject({ same: { mean: 0 }, first: 0, p: 1 });
    expect(positionBias([])).toBeUndefined();
  });

  it("yes and no against people's: both classes count alike, and one verdict for all is worth a half", () => {
    const rows = (said: boolean, human: boolean, n: number): { said: boolean; human: boolean }[] =>
      Array.from({ length: n }, () => ({ said, human }));
    const verdicts = verdictsAgainst([...rows(true, true, 8), ...rows(false, true, 2), ...rows(true, false, 3), ...rows(false, false, 2)])!;
    expect(verdicts).toMatchObject({
      accuracy: { mean: 10 / 15 },
      majority: 10 / 15,
      yes: { n: 10, saidYes: 8 },
      no: { n: 5, saidYes: 3 },
      balanced: { mean: near(0.6), n: 15 },
    });
    // Wilson's intervals of 8/10 and 2/5 (statsmodels): [0.490162, 0.943318] and [0.117621, 0.769276].
    expect(verdicts.balanced.low).toBeCloseTo(0.6 - Math.hypot(0.8 - 0.490162, 0.4 - 0.117621) / 2, 5);
    expect(verdicts.balanced.high).toBeCloseTo(0.6 + Math.hypot(0.943318 - 0.8, 0.769276 - 0.4) / 2, 5);
    expect(verdictsAgainst([...rows(true, true, 5), ...rows(true, false, 5)])!.balanced.mean).toBe(0.5);
    expect(verdictsAgainst(rows(true, true, 4))).toMatchObject({ balanced: { mean: 1 }, majority: 1, no: { n: 0 } });
    expect(verdictsAgainst([])).toBeUndefined();
  });

  it('agreement counts ties as neither right nor wrong', () => {
    const pairs = [
      { label: 0.6, human: 1 },
      { label: 0.4, human: 1 },
      { label: 0.1, human: 0.3 },
      { label: 0.5, human: 1 },
      { label: 0.9, human: 0.5 },
    ];
    expect(agreement(pairs)).toMatchObject({ mean: 2 / 3, n: 3, ties: 2 });
    expect(agreement([{ label: 0.5, human: 1 }])).toBeUndefined();
  });

  it('calibration in bins', () => {
    // Bin 0.6–0.7: said 0.65, seen 0.5; bin 0.9–1: said 0.975, seen 1. ECE ½ · 0.15 + ½ · 0.025.
    const result = calibration([
      { label: 0.6, human: 1 },
      { label: 0.69999, human: 0 },
      { label: 0.95, human: 1 },
      { label: 1, human: 1 },
    ])!;
    expect(result.bins.map(({ from, n, seen }) => [from, n, seen])).toEqual([
      [0.6, 2, 0.5],
      [0.9, 2, 1],
    ]);
    expect(result.ece).toBeCloseTo(0.0875, 4);
    expect(result.brier).toBeCloseTo((0.16 + 0.49 + 0.0025) / 4, 4);
  });

  it('rank correlation with ties, and none where nothing varies', () => {
    // Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: covariance 4.5, variances 4.5 and 5.
    expect(rankCorrelation([1, 2, 2, 5], [10, 20, 30, 40])).toBeCloseTo(4.5 / Math.sqrt(4.5 * 5), 12);
    expect(rankCorrelation([1, 1, 1], [1, 2, 3])).toBeUndefined();
  });
});

describe('the report', () => {
  const asking = {
    questions: 4,
    reused: 1,
    asked: 3,
    promptTokens: 30,
    completionTokens: 0,
    milliseconds: 6,
    cost: 0.5,
    earlier: { promptTokens: 12, completionTokens: 4, cost: 0.25 },
  };
  const report: LabelReport = {
    labeler: 'preferences',
    judge: 'local:<b>x</b>',
    rows: 3,
    labelled: 2,
    skipped: 0,
    failed: { rows: 1, share: 1 / 3, allowed: 0.05, reasons: { timeout: 1 } },
    speakToJudge: 1,
    asking,
    seconds: 1,
    measures: {
      ties: 0,
      fromSamples: 0,
      cutRationales: 0,
      mass: 0.9,
      position: positionBias([
        [0.9, 0.8],
        [0.9, 0.1],
      ])!,
      agreement: {
        label: agreement([
          { label: 0.6, human: 1 },
          { label: 0.3, human: 1 },
        ])!,
      },
      calibration: calibration([
        { label: 0.6, human: 1 },
        { label: 0.3, human: 1 },
      ])!,
    },
  };

  it('says what a person wants to know', () => {
    const text = renderLabelReport(report, LABELERS['preferences']!);
    expect(text).toMatch(
      /2 of 3 rows labelled\nfailed: 1 \(33\.3 %; 5\.0 % allowed\): timeout 1\nrows with a response that speaks to the judge: 1/,
    );
    expect(text).toMatch(
      /agrees with people: {2}50\.0 % [^]*same place preferred in both orders: {2}50\.0 %[^\n]*of these the first in 1 of 1 \(binomial p = 1\.0000\)/,
    );
    expect(text).toMatch(
      /4 questions: 1 replies from the store \(12 tokens in, 4 out, cost 0\.250, spent earlier\), 3 asked now \(30 tokens in, 0 out, cost 0\.500\)/,
    );
  });

  it('of scores and of principles too shows ties and calibration, as text and as a page', () => {
    const said = calibration([{ label: 0.6, human: 1 }, { label: 0.3, human: 1 }])!;
    const others: LabelReport[] = [
      {
        ...report,
        labeler: 'scores',
        measures: {
          rating: { mean: 5, sd: 1 },
          distribution: Array.from({ length: 10 }, () => 0.1),
          ties: 2,
          fromSamples: 0,
          calibration: said,
        },
      },
      {
        ...report,
        labeler: 'principles',
        measures: {
          principles: [{ name: 'Kind', agreed: 1, first: 1, size: 1 }],
          ties: 2,
          undecided: 0,
          fromSamples: 0,
          calibration: said,
        },
      },
    ];
    for (const other of others) {
      expect(renderLabelReport(other, LABELERS[other.labeler]!)).toMatch(/ties \([^)]*\): 2\n[^]*calibration error 0\.550, Brier 0\.325/);
      expect(labelPage(other, LABELERS[other.labeler]!, '').match(/<circle /g)).toHaveLength(2);
    }
  });

  it('is a page that shows the calibration and escapes what others wrote', () => {
    const page = labelPage(report, LABELERS['preferences']!, 'judge: <script>');
    expect(page).toContain('said 0.60, seen 1.00, 1 rows');
    expect(page.match(/<circle /g)).toHaveLength(2);
    expect(page).not.toMatch(/<script|<b>x/);
  });
});
