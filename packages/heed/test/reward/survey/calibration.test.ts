import { describe, expect, it } from 'vitest';
import { abstentionsIn } from '../../../src/text/abstention.js';
import { auroc, confidenceMetrics } from '../../../src/reward/calibration/metrics.js';
import { rTuning, rTuningUncertain, rTuningUnknown, REFUSALS } from '../../../src/reward/calibration/r-tuning.js';
import { rlcrValue } from '../../../src/reward/calibration/rlcr.js';
import { doubtValue } from '../../../src/reward/calibration/rewarding-doubt.js';
import { asProbability, asTenths, readStated } from '../../../src/reward/calibration/stated.js';
import { item, rate, rated } from './rate.js';

const ask = (response: string, answer: unknown = 'Paris') => item('What is the capital of France?', response, { answer });

describe('RLCR', () => {
  // ½ + ½ correct + ½ (1 − (correct − q)²), computed apart from this program.
  it.each([
    [true, 1, 1.5], [true, 0.9, 1.495], [true, 0.6, 1.42], [true, 0.3, 1.255], [true, 0, 1],
    [false, 1, 0.5], [false, 0.9, 0.595], [false, 0.6, 0.82], [false, 0.3, 0.955], [false, 0, 1],
  ])('right: %s, q = %d is worth %d', (right, q, value) => {
    expect(rlcrValue(right, q).value).toBeCloseTo(value, 12);
  });

  it('pays most in expectation for the true probability', () => {
    const expected = (q: number): number => 0.3 * rlcrValue(true, q).brier + 0.7 * rlcrValue(false, q).brier;
    const golden = { 0: 0.7, 0.1: 0.75, 0.2: 0.78, 0.3: 0.79, 0.4: 0.78, 0.5: 0.75, 1: 0.3 };
    for (const [q, value] of Object.entries(golden)) expect(expected(Number(q))).toBeCloseTo(value, 12);
  });

  it('reads answer and confidence from the response, and says what is wrong', async () => {
    const spec = { rlcr: { threshold: 1.2 } };
    const [tagged, plain, wrong, without, beyond] = await rated(spec, [
      ask('<think>Hm.</think><answer>Paris</answer><confidence>0.9</confidence>'), ask('Paris. Confidence: 60%'),
      ask('Answer: Lyon\nConfidence: 0.9'), ask('Paris.'), ask('Paris. Confidence: 7'),
    ]);
    expect(tagged).toEqual({ value: 1.495, reason: null, parts: { format: 1, correct: 1, brier: 0.99 }, satisfied: true });
    expect(plain!.value).toBeCloseTo(1.42, 12);
    expect(wrong).toMatchObject({ satisfied: false, reason: 'It answers "Lyon" with confidence 0.9; the right answer is "Paris".' });
    expect(without).toMatchObject({ value: 0, parts: { format: 0, correct: 0, brier: 0 } });
    expect(without!.reason).toMatch(/states no confidence/);
    expect(beyond!.value).toBe(0);
    expect(beyond!.reason).toMatch(/"Confidence: 7"/);
  });

  it('says which row lacks the answer, and draws no line without a threshold', async () => {
    const [lacks] = await rate({ rlcr: {} }, [item('Why?', 'So.', {}, 7)]);
    expect(lacks).toEqual({ failure: 'not-applicable', detail: 'prompts.jsonl:7 has no right answer in a column "answer"' });
    expect((await rated({ rlcr: {} }, [ask('Paris. Confidence: 1')]))[0]).not.toHaveProperty('satisfied');
  });
});

describe('Rewarding Doubt', () => {
  it.each([
    [0, -7.502897584517, 10], [3, 9.016029225743, 8.969918623598], [5, 10.495449440187, 7.995449440187],
    [7, 11.469918623598, 6.516029225743], [10, 12.5, -10.002897584517],
  ])('a confidence of %d of 10 is worth %d where right and %d where wrong', (tenths, right, wrong) => {
    expect(doubtValue(true, tenths)).toBeCloseTo(right, 11);
    expect(doubtValue(false, tenths)).toBeCloseTo(wrong, 11);
  });

  it('with several answers the scale is 5; without a confidence it is −3 times the scale', () => {
    expect([doubtValue(true, 0, 5), doubtValue(false, 10, 5), doubtValue(true, 10, 5)].map((x) => Number(x.toFixed(9))))
      .toEqual([-3.751448792, -5.001448792, 6.25]);
    expect([doubtValue(true, undefined), doubtValue(false, undefined, 5)]).toEqual([-30, -15]);
  });

  it.each([[0.1, 1], [0.3, 3], [0.5, 5], [0.8, 8]])('at a probability of %d the best confidence is %d', (p, best) => {
    const expected = Array.from({ length: 11 }, (_, k) => p * doubtValue(true, k) + (1 - p) * doubtValue(false, k));
    expect(expected.indexOf(Math.max(...expected))).toBe(best);
  });

  it('takes whole numbers from 0 to 10 alone', async () => {
    const [eight, share] = await rated({ rewardingDoubt: {} }, [ask('Paris. Confidence: 10/10'), ask('Paris. Confidence: 0.8')]);
    expect(eight!.value).toBeCloseTo(12.5, 12);
    expect(share).toMatchObject({ value: -30, reason: expect.stringMatching(/whole number from 0 to 10/) as string });
  });
});

describe('stated confidences', () => {
  it.each([
    ['Rome. Confidence: 80%', 'Rome', 0.8, undefined], ['Rome. Confidence is 8/10', 'Rome', 0.8, 8],
    ['Rome. confidence: **9**', 'Rome', undefined, 9],
    ['Rome, I am 70 percent sure.', 'Rome', 0.7, undefined], ['Rome. Confidence: -1', 'Rome', undefined, undefined],
    ['Confidence: 0.1, no: Answer: Rome. Confidence: .5', 'Rome', 0.5, undefined], ['Rome', 'Rome', undefined, undefined],
    ["I'm 95% certain", '', 0.95, undefined],
    ['Self-confidence matters in 1 way.', 'Self-confidence matters in 1 way.', undefined, undefined],
  ])('%j', (text, answer, q, tenths) => {
    const stated = readStated(text);
    expect([stated.answer, asProbability(stated), asTenths(stated)]).toEqual([answer, q, tenths]);
  });
});

describe('abstention', () => {
  it('pays 1, 0 and −1', async () => {
    const results = await rated({ abstention: {} }, [ask('Paris.'), ask("I don't know."), ask('Lyon.'), ask('The city of Paris.')]);
    expect(results.map(({ value }) => value)).toEqual([1, 0, -1, -1]);
    expect(results.map(({ satisfied }) => satisfied)).toEqual([true, false, false, false]);
    expect(results[1]!.reason).toBe('It says "I don\'t know" and gives no answer.');
    const within = await rated({ abstention: { match: 'substring', abstained: -0.25 } }, [ask('The city of Paris.'), ask("I'm not sure.")]);
    expect(within.map(({ value }) => value)).toEqual([1, -0.25]);
  });

  it('compares with every right answer: as a number, and in whole words', async () => {
    const number = await rated({ abstention: { match: 'number' } }, [
      ask('3 + 4 = 7, so 1,200', '#### 1200'), ask('twelve', 12), ask('It costs 5 or 6.', 5), ask('many', 5),
    ]);
    expect(number.map(({ value }) => value)).toEqual([1, 1, -1, -1]);
    const lists = await rated({ abstention: { match: 'substring' } }, [
      ask('The unknown soldier.', ['no', 'never']), ask('No, never.', ['never']), ask('An Eiffel Tower!', ['the eiffel tower']),
    ]);
    expect(lists.map(({ value }) => value)).toEqual([-1, 1, 1]);
  });

  it.each([
    'I do not know', "I can't say", 'I have no idea', "I'm not sure", 'I am unable to answer', 'Nobody knows',
  ])('"%s" abstains', (text) => {
    expect(abstentionsIn(`${text}, sorry.`)).toHaveLength(1);
  });
  it.each(['He does not know her.', 'You know it.', 'I know it.', 'The unknown soldier', 'I can say that.'])('"%s" does not', (text) => {
    expect(abstentionsIn(text)).toEqual([]);
  });
});

describe('metrics of confidences', () => {
  it('are Brier score, calibration error and AUROC', () => {
    const metrics = confidenceMetrics([0.9, 0.8, 0.6, 0.6, 0.2], [true, true, false, true, false])!;
    expect(metrics.brier).toBeCloseTo(0.122, 12);
    expect(metrics.ece).toBeCloseTo(0.14, 12);
    expect(metrics.auroc).toBeCloseTo(0.916666666667, 11);
    expect(auroc([1, 2], [true, true])).toBeUndefined();
    expect(confidenceMetrics([], [])).toBeUndefined();
  });
});

describe('R-Tuning', () => {
  const own = (text: string, answer = 'Paris') => ({ question: 'Capital of France?', answer, own: text });
  const sure = (completion: string): string => completion.slice(completion.indexOf('I am'));

  it('is sure where the right answer stands before the first full stop of the own one', () => {
    const rows = rTuning([own('Paris. It'), own('Lyon.'), own('the Paris basin'), own('I know. Paris'), own('unknown', 'no')]);
    const said = rows.map(({ completion }) => sure(completion));
    expect(said).toEqual(['I am sure.', 'I am unsure.', 'I am sure.', 'I am unsure.', 'I am unsure.']);
    expect(rows[1]).toEqual({
      prompt: 'Question: Capital of France? Answer:',
      completion: 'Paris. Are you sure you accurately answered the question based on your internal knowledge? I am unsure.',
    });
  });

  it('is sure of the half of the questions whose samples agree most; of an odd number the middle one is unsure', () => {
    const samples = ['aaaaa', 'aaaab', 'aaabb', 'aabbc', 'abcde'].map((letters) => [...letters]);
    const rows = rTuningUncertain(samples.reverse().map((list) => ({ question: 'q', answer: 'a', samples: list })));
    expect(rows.map(({ completion }) => sure(completion)))
      .toEqual(['I am unsure.', 'I am unsure.', 'I am unsure.', 'I am sure.', 'I am sure.']);
  });

  it('puts a refusal, always the same one, where the model did not know', () => {
    const answers = [own('Paris'), own('Lyon')];
    const [known, unknown] = rTuningUnknown(answers);
    expect(known!.completion).toBe('Paris');
    expect(REFUSALS).toContain(unknown!.completion);
    expect(rTuningUnknown(answers)).toEqual([known, unknown]);
  });

  it('teaches refusals that count as abstentions', () => {
    for (const refusal of REFUSALS) expect(abstentionsIn(refusal).length, refusal).toBeGreaterThan(0);
  });
});
