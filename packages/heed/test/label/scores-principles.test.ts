import { describe, expect, it } from 'vitest';
import { rowSchemas } from '../../src/data/rows.js';
import type { Pair, Single } from '../../src/label/material.js';
import { labelPrinciples, PrinciplesOptions } from '../../src/label/principles.js';
import { expectedRating, labelScores, mapped, ScoresOptions } from '../../src/label/scores.js';
import { comparisonPrompt } from '../../src/text/principled.js';
import { broke, chose, fake, near, wordsOf } from './fake.js';

const source = { file: 'rows.jsonl', line: 1 };
const prompt = [{ role: 'user' as const, content: 'Say hi.' }];
const single = (completion: string, score?: number): Single => ({
  source,
  prompt,
  completion,
  ...(score === undefined ? {} : { human: { score } }),
});

describe('scores (direct RLAIF)', () => {
  it('the expected rating, and its map', () => {
    // ½ · 1 + ¼ · 4 + ¼ · 10 = 4: of the ten answers 0.4 of all probability, which the softmax takes for all.
    const { rating, probabilities } = expectedRating(chose(0.2, 0, 0, 0.1, 0, 0, 0, 0, 0, 0.1));
    expect(rating).toBeCloseTo(4, 12);
    expect(probabilities[0]).toBeCloseTo(0.5, 12);
    expect([1, 5.5, 10].map(mapped)).toEqual([-1, 0, 1]);
    expect(mapped(4)).toBeCloseTo(-1 / 3, 12);
  });

  it('tells "10" from "1"', async () => {
    const judge = fake({ choose: () => chose(0, 0, 0, 0, 0, 0, 0, 0, 0, 0.3) });
    const { rows } = await labelScores([single('a')], judge, ScoresOptions.parse({ name: 'scores' }));
    expect(rows[0]).toMatchObject({ score: 1, rating: 10 });
    expect(judge.choices[0]!.answers).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9', '10']);
  });

  it('turns the rating of harm round, compares ranks with people, and counts what failed', async () => {
    const table: Readonly<Record<string, number>> = { a: 2, b: 5, c: 8, d: 9 };
    const judge = fake({
      choose: (q) => {
        const rating = table[/Response:\n"""\n(.)/.exec(wordsOf(q))![1]!];
        return rating === undefined ? broke('refused') : chose(...Array.from({ length: 10 }, (_, i) => (i + 1 === rating ? 0.5 : 0)));
      },
    });
    const { rows, failures, measures } = await labelScores(
      [single('a', 4), single('b', 3), single('x', 1), single('c', 2), single('d', 1)],
      judge,
      ScoresOptions.parse({ name: 'scores', criterion: 'harmless' }),
    );
    // Harm 2, 5, 8, 9 → −(r − 5.5)/4.5; people: 4, 3, 2, 1, the same order.
    expect(rows.map((row) => row['score'])).toEqual([3.5, 0.5, -2.5, -3.5].map((x) => near(x / 4.5)));
    expect(failures).toMatchObject([{ failure: 'refused' }]);
    expect(measures.human).toEqual({ correlation: near(1), n: 4 });
    // Mean 6; variance (16 + 1 + 4 + 9) / 4.
    expect(measures.rating).toEqual({ mean: near(6), sd: near(Math.sqrt(7.5)) });
    expect(measures.distribution[1]).toBeCloseTo(0.25, 12);
    expect(measures.mass).toBeCloseTo(0.5, 12);
    // People's own numbers are no probabilities.
    expect(measures.calibration).toBeUndefined();
    expect(measures.ties).toBe(0);
    for (const row of rows) expect(rowSchemas.scored.safeParse({ ...row, prompt, source }).success).toBe(true);
  });

  it('is calibrated against yes and no, and counts ratings that it gives to several', async () => {
    const judge = fake({ choose: (q) => {
      const rating = Number(/Response:\n"""\n(\d+)/.exec(wordsOf(q))![1]!);
      return chose(...Array.from({ length: 10 }, (_, i) => (i + 1 === rating ? 1 : 0)));
    } });
    const voted = (completion: string, satisfied: boolean): Single => ({ ...single(completion), human: { satisfied } });
    const { measures } = await labelScores(
      [voted('1', false), voted('10', true), voted('10', false), voted('7', true), single('7')],
      judge,
      ScoresOptions.parse({ name: 'scores' }),
    );
    // Probabilities 0, 1, 1 and 6/9, seen 0, 1, 0 and 1.
    expect(measures.calibration!.bins).toEqual([
      { from: 0, to: 0.1, n: 1, said: 0, seen: 0 },
      { from: 0.6, to: 0.7, n: 1, said: near(2 / 3), seen: 1 },
      { from: 0.9, to: 1, n: 2, said: 1, seen: 0.5 },
    ]);
    expect(measures.calibration!.ece).toBeCloseTo((0 + 1 / 3 + 2 * 0.5) / 4, 12);
    expect(measures.calibration!.brier).toBeCloseTo((0 + 0 + 1 + 1 / 9) / 4, 12);
    expect(measures.ties).toBe(4);
  });
});

const principles = [
  { name: 'Concise', text: 'The answer is short.', negation: 'The answer is long.' },
  { name: 'Kind', text: 'The answer is kind.', negation: 'The answer is unkind.' },
];
const pair = (a: string, b: string, human?: number): Pair => ({
  source,
  prompt,
  responses: [a, b],
  ...(human === undefined ? {} : { human }),
});
const asked = PrinciplesOptions.parse({ name: 'principles', principles: 'p.yaml' });

describe('principles (SALMON)', () => {
  it('the mean of both orders where they agree, 0 where they do not; both are kept', async () => {
    const judge = fake({
      choose: (q) => {
        const words = wordsOf(q);
        const turned = /Answer A:\n"""\nlong/.test(words);
        // Concise: log odds of A +2 as given, −1 turned: the first response by 2 and by 1. Kind: A either way.
        if (words.includes('Concise'))
          return turned ? chose(1 / (1 + Math.E), Math.E / (1 + Math.E)) : chose(Math.E ** 2 / (1 + Math.E ** 2), 1 / (1 + Math.E ** 2));
        return chose(0.3, 0.1); // of 0.4: log 3
      },
    });
    const { rows, measures } = await labelPrinciples([pair('short', 'long', 1)], judge, asked, principles);
    expect(rows[0]).toEqual({
      prompt: 'Say hi.', responses: ['short', 'long'], human: 1, mass: near(0.7),
      principles: [
        { ...principles[0], score: near(1.5), scores: [near(2), near(1)] },
        { ...principles[1], score: 0, scores: [near(Math.log(3)), near(-Math.log(3))] },
      ],
    });
    expect(rowSchemas.principled.safeParse({ ...rows[0], prompt, source }).success).toBe(true);
    expect(judge.choices).toHaveLength(4);
    // Of four comparisons: Concise names another place in either order, Kind the first place twice.
    expect(measures.position).toMatchObject({ pairs: 2, same: { mean: 0.5 }, first: 1 });
    expect(measures.principles).toMatchObject([
      { name: 'Concise', agreed: 1, first: 1, size: near(1.5), agreement: { mean: 1, n: 1 } },
      { name: 'Kind', agreed: 0 },
    ]);
    expect(measures.undecided).toBe(0);
    // Concise says σ(1.5) and Kind, whose orders disagree, ½; people say 1.
    const said = 1 / (1 + Math.exp(-1.5));
    expect(measures.ties).toBe(1);
    expect(measures.calibration!.bins).toEqual([
      { from: 0.5, to: 0.6, n: 1, said: 0.5, seen: 1 },
      { from: 0.8, to: 0.9, n: 1, said: near(said), seen: 1 },
    ]);
    expect(measures.calibration!.ece).toBeCloseTo((0.5 + 1 - said) / 2, 12);
    expect(measures.calibration!.brier).toBeCloseTo((0.25 + (1 - said) ** 2) / 2, 12);
  });

  it('the pair stands before the principle, so that its tokens are computed once', async () => {
    const judge = fake({ choose: () => chose(0.5, 0.5) });
    await labelPrinciples([pair('short', 'long')], judge, asked, principles);
    const [first, second] = judge.choices.map(({ messages }) => messages[0]!.content);
    let shared = 0;
    while (first![shared] === second![shared]) shared++;
    expect(first!.slice(0, shared)).toContain('"""\nlong\n"""');
  });

  it('can ask in the words that principle-choice trains', async () => {
    const judge = fake({ choose: () => chose(0.5, 0.5) });
    const { measures } = await labelPrinciples([pair('short', 'long')], judge, { ...asked, prompt: 'trained' }, principles);
    const [{ name, text }] = principles as [(typeof principles)[0]];
    expect(judge.choices[0]).toEqual({ messages: comparisonPrompt(prompt, ['short', 'long'], [{ name, text }]), answers: ['A', 'B'] });
    expect(measures.undecided).toBe(1);
  });

  it('shares of samples give finite scores', async () => {
    const judge = fake({
      choose: (q) => ({ ...(/Answer A:\n"""\nlong/.test(wordsOf(q)) ? chose(0, 1) : chose(1, 0)), source: 'samples' as const }),
    });
    const { rows, measures } = await labelPrinciples([pair('short', 'long')], judge, asked, principles);
    expect(rows[0]!['principles']).toMatchObject([{ score: -Math.log(1e-4) }, { score: -Math.log(1e-4) }]);
    expect(measures.fromSamples).toBe(4);
    expect(rows[0]).toMatchObject({ from_samples: true });
  });

  it('a pair fails where one principle fails', async () => {
    const judge = fake({ choose: (_, i) => (i === 3 ? broke('no-logprobs') : chose(0.6, 0.4)) });
    const { rows, failures } = await labelPrinciples([pair('a', 'b'), pair('c', 'd')], judge, asked, principles);
    expect(failures).toMatchObject([{ failure: 'no-logprobs' }]);
    expect(rows).toMatchObject([{ responses: ['c', 'd'] }]);
  });
});
