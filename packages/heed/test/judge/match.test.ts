import { describe, expect, it } from 'vitest';
import { whereAnswered } from '../../src/judge/endpoint/lead.js';
import { answerOf, matchAnswers, type Matched, type Matching } from '../../src/judge/endpoint/match.js';

type Top = Readonly<Record<string, number>>;
const RATINGS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10'];

/** Matches answers against lists of probabilities, by what is begun. */
const matched = async (
  answers: readonly string[],
  lists: Readonly<Record<string, Top>>,
  { follow = false, begun }: Partial<Matching> = {},
): Promise<Matched> =>
  matchAnswers<never>(
    answers,
    (so) => Promise.resolve(Object.entries(lists[so] ?? {}).map(([token, p]) => ({ token, logprob: Math.log(p) }))),
    { follow, begun },
  );
const logprobs = (result: Matched): readonly number[] => {
  if (!('logprobs' in result)) throw new Error(JSON.stringify(result));
  return result.logprobs;
};
const probabilities = (result: Matched): number[] => logprobs(result).map((p) => Math.round(1e6 * Math.exp(p)) / 1e6);

describe('answers among the likeliest tokens', () => {
  it('takes all forms of an answer together, with spaces before it and without', async () => {
    // "1" and " 1": 10⁻⁶ + 0.04.
    const result = await matched(['1', '2'], { '': { '1': 1e-6, ' 2': 0.95, ' 1': 0.04 } });
    expect(probabilities(result)).toEqual([0.040001, 0.95]);
    expect(result).toMatchObject({ mass: expect.closeTo(0.990001, 9) as number });
    // Where spaces tell answers apart, they count.
    expect(probabilities(await matched(['a', ' a'], { '': { a: 0.3, ' a': 0.6 } }))).toEqual([0.3, 0.6]);
  });

  it('gives answers that are not listed no more than the list leaves for all of them', async () => {
    // 0.91 are listed, so 0.09 for "1" to "5": 0.018 each, less than the least likely listed one.
    const result = await matched(RATINGS, { '': { '8': 0.4, '7': 0.3, '9': 0.1, '6': 0.06, '10': 0.05 } });
    expect(probabilities(result)).toEqual([0.018, 0.018, 0.018, 0.018, 0.018, 0.06, 0.3, 0.4, 0.1, 0.05]);
    // The least likely listed one, where that is less: 0.2 are left for one.
    expect(probabilities(await matched(['1', '2'], { '': { '1': 0.75, Sure: 0.05 } }))).toEqual([0.75, 0.05]);
    // A list that leaves nothing: what a float32 cannot tell from nothing, 2⁻²³.
    expect(logprobs(await matched(['1', '2'], { '': { '1': 1 } }))[1]).toBeCloseTo(-23 * Math.LN2, 9);
    // −9999 is how some servers write a 0: as if it were not listed.
    const nothing = await matchAnswers<never>(
      ['1', '2'],
      () =>
        Promise.resolve([
          { token: '1', logprob: -0 },
          { token: '2', logprob: -9999 },
        ]),
      { follow: false },
    );
    expect(logprobs(nothing)[1]).toBeCloseTo(-23 * Math.LN2, 9);
  });

  it.each([
    ['the words of the beginning', { Preferred: 0.9, '2': 0.06, '1': 0.03 }, 'Preferred Response='],
    ['these after a space', { ' Preferred': 0.9, '2': 0.06, '1': 0.03 }, 'Preferred Response='],
    ['these in bold type or quotation marks', { '**': 0.5, '"': 0.4, '2': 0.05 }, 'Preferred Response='],
    ['the last line of a beginning of several', { Preferred: 0.9, '2': 0.06 }, 'Rationale: The first is longer.\n\nPreferred Response='],
    ['a space', { ' ': 0.6, '1': 0.3 }, undefined],
  ])('reads nothing from beside %s, where it cannot be asked what follows', async (_, top, begun) => {
    expect(await matched(['1', '2'], { '': top }, { begun })).toEqual({
      unclear: expect.stringMatching(/^the token ".+" only leads up to an answer, and is likelier than all answers$/) as string,
      leading: true,
    });
  });

  it('reads the answers where they are likelier than such words', async () => {
    expect(
      probabilities(await matched(['1', '2'], { '': { '2': 0.5, '1': 0.2, Preferred: 0.25 } }, { begun: 'Preferred Response=' })),
    ).toEqual([0.2, 0.5]);
    // A token that begins an answer is none of them.
    expect(probabilities(await matched(['Score', 'None'], { '': { Score: 0.3, None: 0.1 } }, { begun: 'Score=' }))).toEqual([0.3, 0.1]);
  });

  it('follows such words where it can be asked what comes after them', async () => {
    const lists = { '': { Score: 0.8, '7': 0.1, '8': 0.05 }, Score: { '=': 0.5, ':': 0.5 }, 'Score=': { '7': 0.25, '8': 0.75 } };
    // 0.1 + 0.8 · 0.5 · 0.25 and 0.05 + 0.8 · 0.5 · 0.75.
    expect(probabilities(await matched(['7', '8'], lists, { follow: true, begun: 'Score=' }))).toEqual([0.2, 0.35]);
  });
});

describe('where a reply answers', () => {
  const answer = { '1': 0.2, '2': 0.7 };
  it.each([
    ['at once', [['2', answer]], answer],
    ['after the words of its beginning', [['Preferred', {}], [' Response', {}], ['=', {}], ['2', answer]], answer],
    ['in bold type', [['**', {}], ['2', answer], ['**', {}]], answer],
    ['after these, in bold type', [['**', {}], ['Preferred', {}], [' Response=', {}], [' **', {}], ['2', answer]], answer],
    ['in the token that ends them', [['Preferred', {}], [' Response', {}], ['=2', { '=2': 0.7, '=1': 0.2, ' is': 0.1 }]], answer],
    ['after other words', [['Preferred', {}], [' choices', {}], ['2', answer]], undefined],
    ['not within the tokens', [['Preferred', {}], [' Response', {}]], undefined],
    ['not at all', [], undefined],
  ] as const)('%s', (_, places, expected) => {
    const likely = (top: Top): { token: string; logprob: number }[] =>
      Object.entries(top).map(([token, p]) => ({ token, logprob: Math.log(p) }));
    const found = whereAnswered(
      places.map(([token, top]) => ({ token, top: likely(top) })),
      'Preferred Response=',
    );
    expect(found && Object.fromEntries(found.map(({ token, logprob }) => [token, Math.round(1e6 * Math.exp(logprob)) / 1e6]))).toEqual(
      expected,
    );
  });
});

describe('answers in a sampled text', () => {
  it.each([
    ['Preferred Response=2', 'Preferred Response=', 1],
    ['"Preferred Response=1"', 'Preferred Response=', 0],
    ['**Preferred Response:** 2', 'Preferred Response=', 1],
    ['preferred response = **1**.', 'Preferred Response=', 0],
    ['Preferred Response 2', 'Rationale: Longer.\n\nPreferred Response=', 1],
    [' 2', 'Preferred Response=', 1],
    ['Preferred Response', 'Preferred Response=', -1],
    ['Preferred Responses are 2', 'Preferred Response=', -1],
    ['Neither. 2', 'Preferred Response=', -1],
  ])('%s', (text, begun, place) => {
    expect(answerOf(text, ['1', '2'], begun)).toBe(place);
  });

  it.each([
    ['Score=10', 9],
    ['Score: 8/10', 7],
    ['8', 7],
    ['8.5', -1],
    ['11', -1],
    ['Score=', -1],
  ] as const)('%s as a rating', (text, place) => {
    expect(answerOf(text, RATINGS, 'Score=')).toBe(place);
  });

  it.each([['Better answer=B', 1], ['Better answer: A', 0], ['B', 1], ['Better', -1]] as const)('%s as a letter', (text, place) => {
    expect(answerOf(text, ['A', 'B'], 'Better answer=')).toBe(place);
  });
});
