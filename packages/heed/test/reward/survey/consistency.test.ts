import { describe, expect, it } from 'vitest';
import {
  clusterProbabilities, clusters, entropyOf, sameAnswer, semanticEntropy, surprise,
} from '../../../src/reward/consistency/entropy.js';
import { item, rate, rated } from './rate.js';

describe('semantic entropy', () => {
  const cluster = [0, 0, 1, 2, 1];
  const logLikelihood = [-0.2, -0.4, -1, -1.5, -0.8];

  it('weighs clusters by their answers’ mean log-likelihood, or counts', () => {
    const p = [...clusterProbabilities(cluster, logLikelihood).values()];
    [0.588699715426, 0.323085253991, 0.088215030582].forEach((one, i) => expect(p[i]).toBeCloseTo(one, 11));
    expect(semanticEntropy(cluster, logLikelihood)).toBeCloseTo(0.891134577148, 11);
    expect(semanticEntropy(cluster)).toBeCloseTo(1.054920167986, 11);
  });

  it('of counts', () => {
    const golden = [0, 0.500402423538, 0.673011667009, 1.054920167986, 1.609437912434];
    ['aaaaa', 'aaaab', 'aaabb', 'aabbc', 'abcde'].forEach((letters, i) => expect(entropyOf([...letters])).toBeCloseTo(golden[i]!, 11));
  });

  it('clusters by words, numbers, or most of the words', () => {
    const answers = ['The answer is 12.', 'twelve', 'It is the big red house there.', 'It is the big red house here.', 'a  TWELVE!'];
    expect(clusters(answers, 'exact')).toEqual([0, 1, 2, 3, 1]);
    expect(clusters(answers, 'number')).toEqual([0, 0, 1, 2, 0]);
    expect(clusters(answers, 'words')).toEqual([0, 0, 1, 1, 0]);
    expect(sameAnswer('I was born in 1969', 'It costs 3', 'words')).toBe(false);
  });
});

describe('SelfCheckGPT’s unigram score', () => {
  it('is the surprise of the rarest word', () => {
    // 10 words, among them "lyon" once and "paris" twice.
    const samples = ['it is paris', 'paris it is', 'it is'];
    expect(surprise('Lyon is', samples)).toBeCloseTo(Math.log(10), 12);
    expect(surprise('Paris', samples, 'Paris it')).toBeCloseTo(Math.log(10 / 3), 12);
    expect(surprise('', samples)).toBe(0);
  });
});

describe('agreement', () => {
  it('is the share of the other samples of the same prompt that say the same', async () => {
    const items = [
      item('Capital of France?', 'Paris.'), item('And of Italy?', 'Rome.', {}, 2), item('Capital of France?', 'paris'),
      item('Capital of France?', 'Answer: Lyon'), item('And of Italy?', 'The Rome!', {}, 2), item('Capital of France?', 'Nice.'),
    ];
    const results = await rated({ agreement: { threshold: 0.5 } }, items);
    expect(results.map(({ value }) => Number(value.toFixed(6)))).toEqual([0.333333, 1, 0.333333, 0, 1, 0]);
    expect(results.map(({ satisfied }) => satisfied)).toEqual([false, true, false, false, true, false]);
    expect(results[3]).toMatchObject({
      reason: 'Only 0 of the 3 other answers to this prompt say the same.',
      findings: [{ rule: 'agreement', quote: 'Answer: Lyon', start: 0, end: 12 }], parts: { clusters: 3 },
    });
    expect(results[0]!.parts!['entropy']).toBeCloseTo(1.0397207708, 9); // −½ ln ½ − 2 · ¼ ln ¼
    expect(results[1]!.parts!['entropy']).toBe(0);
  });

  it('needs a second sample', async () => {
    expect(await rate({ agreement: {} }, [item('Why?', 'So.')])).toEqual([
      { failure: 'not-applicable', detail: 'its prompt has no other sample to agree with: set generate.samples to 2 or more' },
    ]);
  });
});
