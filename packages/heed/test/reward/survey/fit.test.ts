import { describe, expect, it } from 'vitest';
import { fitLogistic, logOdds, scaled, scalingOf, sigmoid } from '../../../src/reward/fit/logistic.js';
import { minimise } from '../../../src/reward/fit/minimise.js';
import { fitTextClassifier, readyClassifier } from '../../../src/reward/fit/text-classifier.js';
import { scratchFolder } from '../../support/scratch.js';
import { item, rate, rated } from './rate.js';

const { write } = scratchFolder();
const dense = (row: readonly number[]) => ({ at: row.map((_, i) => i), values: row });

describe('fitting', () => {
  it('finds the minimum of Rosenbrock’s function', () => {
    const found = minimise(([x, y]) => ({
      value: (1 - x!) ** 2 + 100 * (y! - x! ** 2) ** 2,
      gradient: Float64Array.from([-2 * (1 - x!) - 400 * x! * (y! - x! ** 2), 200 * (y! - x! ** 2)]),
    }), Float64Array.from([-1.2, 1]));
    expect(found[0]).toBeCloseTo(1, 6);
    expect(found[1]).toBeCloseTo(1, 6);
  });

  it('is the logistic regression that Newton’s method finds', () => {
    const rows = [[1, 2], [2, 0.5], [-1, 1], [0, -1], [3, 1], [-2, -1]];
    const labels = [true, true, false, false, false, true];
    const model = fitLogistic(rows.map(dense), labels, 2, 0.5);
    // Newton's method in float64 to a gradient below 1e-14.
    [-0.165900198174, 0.212671260556].forEach((one, i) => expect(model.weights[i]).toBeCloseTo(one, 6));
    expect(model.bias).toBeCloseTo(-0.005354411322, 6);
    expect(sigmoid(logOdds(model, dense([1, 1])))).toBeCloseTo(sigmoid(model.bias + model.weights[0]! + model.weights[1]!), 12);
  });

  it('scales to mean 0 and deviation 1, and leaves out what never varies', () => {
    const scaling = scalingOf([[1, 5], [3, 5]]);
    expect(scaling).toEqual({ mean: [2, 5], deviation: [1, 0] });
    expect([...Array.from(scaled(scaling, [4, 9]).values)]).toEqual([2, 0]);
  });
});

const rows = ['you are an idiot', 'what an idiot', 'shut up idiot', 'idiot go away'].map((text) => ({ text, label: 'rude' }))
  .concat(['you are kind', 'what a day', 'thank you', 'come and see us'].map((text) => ({ text, label: 'polite' })));

describe('detector', () => {
  it('of words: 1 less the probability of what is avoided', async () => {
    const saved = fitTextClassifier(rows);
    const file = write('rude.json', JSON.stringify(saved));
    const items = [item('Hi', 'What an idiot.'), item('Hi', 'Thank you!')];
    const avoided = await rated({ detector: { avoid: 'rude', file } }, items);
    const wanted = await rated({ detector: { want: 'polite', file } }, items);
    expect(avoided.map(({ satisfied }) => satisfied)).toEqual([false, true]);
    avoided.forEach(({ value }, i) => expect(value).toBeCloseTo(wanted[i]!.value, 12));
    expect(avoided[0]!.reason).toBe(`The detector gives "rude" a probability of ${(1 - avoided[0]!.value).toFixed(2)}.`);
  });

  it('with sentences, takes what the response lacks off where it lacks it, each sentence rated alone', async () => {
    const file = write('sentences.json', JSON.stringify(fitTextClassifier(rows)));
    const texts = ['Thank you! What an idiot.', 'What an idiot.', ''];
    const items = texts.map((text) => item('Hi', text));
    const plain = await rated({ detector: { avoid: 'rude', file } }, items);
    const [mixed, one, none] = await rated({ detector: { avoid: 'rude', file, sentences: true } }, items);
    const alone = await rated({ detector: { avoid: 'rude', file } }, [item('Hi', 'Thank you!'), item('Hi', 'What an idiot.')]);
    expect([mixed!.value, one!.value, none!.value]).toEqual(plain.map(({ value }) => value));
    const [thanks, idiot] = mixed!.spans!;
    const placed = mixed!.spans!.map(({ start, end }) => texts[0]!.slice(start, end));
    expect(placed).toEqual(['Thank you!', 'What an idiot.']);
    expect(thanks!.value + idiot!.value).toBeCloseTo(mixed!.value - 1, 12);
    expect(idiot!.value / thanks!.value).toBeCloseTo((1 - alone[1]!.value) / (1 - alone[0]!.value), 9);
    expect(one!.spans).toEqual([{ start: 0, end: 14, value: one!.value - 1 }]);
    expect(none!.spans).toEqual([]);
  });

  it('tells three labels apart', () => {
    const three = [...rows, ...['two plus two', 'three times two', 'two is even'].map((text) => ({ text, label: 'sums' }))];
    const p = readyClassifier(fitTextClassifier(three))('two times two');
    expect(p['sums']).toBeGreaterThan(0.5);
    expect(Object.values(p).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
  });

  it('says what is missing or wrong', async () => {
    const file = write('other.json', JSON.stringify(fitTextClassifier(rows)));
    await expect(rate({ detector: { avoid: 'rood', file } }, [])).rejects.toThrow('knows no label "rood"');
    await expect(rate({ detector: { file } }, [])).rejects.toThrow('exactly one of avoid and want');
    await expect(rate({ detector: { avoid: 'a', adapter: 'x' } }, [])).rejects.toThrow('an adapter needs its labels');
    expect(() => fitTextClassifier(rows.slice(0, 4))).toThrow('all 4 rows have the label "rude"');
  });
});
