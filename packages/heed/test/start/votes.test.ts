import { describe, expect, it } from 'vitest';
import { numberIn, scaleOf, voteIn, voteOnScale } from '../../src/start/votes.js';
import { preferredIn } from '../../src/start/preferred.js';

describe('voteIn', () => {
  it.each([
    ...[
      'up',
      'Thumbs up',
      'thumbs_up',
      'thumbsUp',
      'UP',
      '👍',
      '👍🏽',
      ':+1:',
      '+1',
      1,
      '1.0',
      true,
      'TRUE',
      'Yes',
      'sí',
      'oui',
      'ja',
      'good!',
      '❤️',
    ].map((v) => [v, true]),
    ...[
      'down',
      'thumbs-down',
      'thumbsDown',
      '👎🏿',
      ':thumbsdown:',
      -1,
      '-1',
      0,
      '0',
      false,
      'no',
      'nein',
      'Bad.',
      'not helpful',
      '❌',
    ].map((v) => [v, false]),
    ...[null, undefined, '', '  ', 'n/a', 'neutral', 'None', '-'].map((v) => [v, null]),
    ...['purple', 7, {}, ['up']].map((v) => [v, undefined]),
  ] as [unknown, boolean | null | undefined][])('%j says %j', (value, says) => {
    expect(voteIn(value)).toBe(says);
  });

  it('takes 0 for nothing where -1 is what says bad', () => {
    expect([voteIn(0, null), voteIn('0', null), voteIn(-1, null)]).toEqual([null, null, false]);
  });
});

describe('scores', () => {
  it.each([
    ['4', 4],
    ['4/5', 4],
    ['5 stars', 5],
    ['★★★☆☆', 3],
    ['⭐️⭐️', 2],
    [3.5, 3.5],
    ['7 /10', 7],
    ['four', undefined],
    ['4 of 5', undefined],
  ] as const)('%s is %s', (value, number) => expect(numberIn(value)).toBe(number));

  it('are votes on a scale of whole numbers to 5 or 10, and on no other', () => {
    expect(scaleOf([1, 2, 5])).toEqual({ from: 1, to: 5, good: 4, bad: 2 });
    expect(scaleOf([0, 3, 9])).toEqual({ from: 0, to: 10, good: 8, bad: 4 });
    for (const numbers of [
      [0, 1],
      [0.5, 3],
      [-2, 3],
      [3, 80],
      [0, 4],
    ])
      expect(scaleOf(numbers)).toBeUndefined();
    const scale = scaleOf([1, 2, 3, 4, 5])!;
    expect([1, 2, 3, 4, 5].map((number) => voteOnScale(number, scale))).toEqual([false, false, null, true, true]);
  });
});

describe('which of two answers is better', () => {
  const columns = ['reply_a', 'reply_b'] as const;
  it.each([
    ['place', 'A', 1],
    ['place', 'reply_b', 0],
    ['place', 'Response 1', 1],
    ['place', 2, 0],
    ['place', 'tie', 0.5],
    ['place', 'both bad', undefined],
    ['sign', -3, 1],
    ['sign', '2', 0],
    ['sign', 0, 0.5],
    ['between', 1.25, 0.75],
    ['between', 3, undefined],
    ['zero', 0, 1],
    ['zero', '1', 0],
  ] as const)('by %s, %j gives the first %s', (by, value, first) => {
    expect(preferredIn(value, { by, columns })).toBe(first);
  });
});
