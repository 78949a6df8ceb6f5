import { describe, expect, it } from 'vitest';
import { LABELERS } from '../../src/label/index.js';
import type { OutputRow } from '../../src/label/labelled.js';
import type { AnyLabeler } from '../../src/label/labeler.js';
import type { Pair, Single } from '../../src/label/material.js';
import { labelPage } from '../../src/label/page.js';
import { PreferencesOptions, labelPreferences } from '../../src/label/preferences.js';
import { PrinciplesOptions, labelPrinciples } from '../../src/label/principles.js';
import { type LabelReport, renderLabelReport } from '../../src/label/report.js';
import { ScoresOptions, labelScores } from '../../src/label/scores.js';
import { chose, fake } from './fake.js';

const prompt = [{ role: 'user' as const, content: 'Describe a lamp.' }];
const pairs = Array.from({ length: 20 }, (_, i): Pair => (
  { source: { file: 'p.jsonl', line: i + 1 }, prompt, responses: [`good ${i}`, `bad ${i}`] }
));
const spent = { promptTokens: 0, completionTokens: 0 };
const reportOf = (labeler: string, measures: object, labelled: number): LabelReport => ({
  labeler, measures, judge: 'fake', rows: labelled, labelled, skipped: 0, failed: { rows: 0, share: 0, allowed: 0.05, reasons: {} },
  speakToJudge: 0, seconds: 1,
  asking: { questions: 0, reused: 0, asked: 0, ...spent, milliseconds: 0, earlier: spent },
});
const firstLine = (labeler: keyof typeof LABELERS, measures: object, labelled: number): string =>
  renderLabelReport(reportOf(labeler, measures, labelled), LABELERS[labeler] as unknown as AnyLabeler).split('\n')[0]!;

/** A judge that names the first place in these showings, and the good response in the others. */
const judge = (named: (i: number) => boolean) => fake({
  choose: ({ messages }, i) => {
    const goodFirst = messages[0]!.content.search(/good \d/) < messages[0]!.content.search(/bad \d/);
    return named(i) || goodFirst ? chose(0.8, 0.2) : chose(0.2, 0.8);
  },
});
const label = async (named: (i: number) => boolean, orders: 'both' | 'one') => {
  const { measures, rows } = await labelPreferences(pairs, judge(named), PreferencesOptions.parse({ name: 'preferences', orders }));
  return firstLine('preferences', measures, rows.length);
};

describe('the first line of a report', () => {
  it('says that a judge which names one place teaches nothing', async () => {
    // Showings 0 and 1 are the first pair in both orders: of 20 pairs, 19 name the first place twice.
    expect(await label((i) => i > 1, 'both')).toBe(
      'These labels carry no information: in 19 of 20 pairs the judge names the first place, whichever response stands there.',
    );
    // 17 of 20 are not nearly all.
    expect(await label((i) => i > 5, 'both')).toMatch(/^preferences by /);
  });

  it('says what one order cannot tell', async () => {
    expect(await label(() => true, 'one')).toMatch(
      /^These labels carry no information, unless the data put the better response first: the judge names the first place in 20 of 20 pairs/,
    );
  });

  it('says so of principles, and of ratings that are all the same', async () => {
    const rule = [{ name: 'Plain', text: 'It is plain.', negation: 'It is not.' }];
    const options = PrinciplesOptions.parse({ name: 'principles', principles: 'p.yaml' });
    const principled = await labelPrinciples(pairs, fake({ choose: () => chose(0.3, 0.7) }), options, rule);
    expect(firstLine('principles', principled.measures, 20)).toMatch(
      /^These labels carry no information: in 20 of 20 comparisons the judge names the second place/,
    );
    const singles = pairs.map(({ source }, i): Single => ({ source, prompt, completion: `A lamp ${i}.` }));
    const eights = fake({ choose: () => chose(0, 0, 0, 0, 0, 0, 0, 1, 0, 0) });
    const scored = await labelScores(singles, eights, ScoresOptions.parse({ name: 'scores' }));
    expect(firstLine('scores', scored.measures, 20)).toBe(
      'These labels carry no information: the judge gives all 20 responses the rating 8.00.',
    );
  });
});

describe('the page', () => {
  const page = (labeler: keyof typeof LABELERS, measures: object, rows: OutputRow[], given?: Single): string =>
    labelPage(reportOf(labeler, measures, 1), LABELERS[labeler] as unknown as AnyLabeler, '', {
      rows: rows.map((row) => ({ row, given })),
      failures: [{ source: { file: 'x.jsonl', line: 3 }, failure: 'refused', detail: 'it <refused>' }],
    });

  it('shows judgments beside their responses, and escapes them', () => {
    const text = page('judgments', { satisfied: 0, quoting: 0, misquotes: 0, cut: 0 }, [
      { prompt: 'Describe a lamp.', completion: 'A <b>lamp</b>.', judgment: 'The end is "missing".', satisfied: false },
    ]);
    for (const words of ['Describe a lamp.', 'A &lt;b&gt;lamp&lt;/b&gt;.', 'The end is &quot;missing&quot;.', '✗ not satisfied']) {
      expect(text).toContain(words);
    }
    expect(text).not.toMatch(/<script|<b>lamp/);
  });

  it('shows revisions: the first response, each critique, and the last response', () => {
    const measures = { revised: 1, unchanged: 0, cut: 0, rounds: [], words: { before: 3, after: 2 } };
    const rounds = [{ principle: 'Plain', critique: '"stunning" is hype.', revision: 'A lamp.' }];
    const row = { messages: [...prompt, { role: 'assistant', content: 'A lamp.' }], rounds };
    const text = page('revisions', measures, [row], { source: { file: 'x.jsonl', line: 1 }, prompt, completion: 'A stunning lamp.' });
    expect(text).toMatch(/first response[^]*A stunning lamp\.[^]*revision[^]*A lamp\.[^]*round 1, Plain[^]*stunning&quot; is hype/);
  });
});
