import { describe, expect, it } from 'vitest';
import { calculationsIn, wrongCalculations } from '../../../src/reward/truth/arithmetic.js';
import { actOn, claimed, updated, withEvidence } from '../../../src/reward/truth/beliefs.js';
import { challengeIn } from '../../../src/reward/truth/challenge.js';
import { mostConsistent, scoreOf } from '../../../src/reward/truth/max-sat.js';
import { statementRelation, statementsOf } from '../../../src/reward/truth/statements.js';
import { evidenceOf, supportOf } from '../../../src/reward/truth/support.js';
import { scratchFolder } from '../../support/scratch.js';
import { item, rate, rated } from './rate.js';

const { write } = scratchFolder();

describe('support by evidence', () => {
  it('is the share of content words that the evidence has; names and numbers that it lacks are named', () => {
    const evidence = evidenceOf(['The bridge was built in 1894 by Anna Lind.']);
    const [right, wrong, empty] = supportOf('Anna Lind built the bridge. It opened in 1901, said Karl Obst. So it is.', evidence);
    expect(right!.share).toBe(1);
    expect(wrong!.missing.map(({ text }) => text)).toEqual(['1901', 'Karl Obst']);
    expect(wrong!.share).toBe(0);
    expect(empty!.share).toBe(1);
  });
});

describe('arithmetic', () => {
  it.each([
    ['12 * 3 = 36', []], ['12 * 3 = 37', [36]], ['<<48/2=24>>', []], ['<<2*5=11>>', [10]], ['$1,200 + $300 = $1,500', []],
    ['2 + 3 * 4 = 20', [14]], ['(2 + 3) * 4 = 20', []], ['10 / 4 = 2.5', []], ['10 / 3 = 3.33', []], ['10 / 3 = 3.35', [10 / 3]],
    ['20% * 50 = 10', []], ['7 x 8 = 54', [56]], ['5 / 0 = 0', [undefined]], ['8 times 9 is 71', [72]], ['call 555-1234 = me', []],
    ['1 - -1 = 2', []], ['x + 1 = 3', []], ['2 + (3 = 5', []],
    ['2 + 3 = 5 + 1 = 6', []], ['- 3 + 4 = 8', [7]], [`${'1 + '.repeat(40)}1 = 41`, []],
  ])('%s', (text, right) => expect(wrongCalculations(text).map((one) => one.right)).toEqual(right));

  it('says where', () => {
    expect(calculationsIn('So 2 + 2 = 4.')).toMatchObject([{ text: '2 + 2 = 4', start: 3, end: 12, said: 4, right: 4 }]);
  });
});

describe('beliefs', () => {
  const [first] = claimed([], 'The Moon is 384,000 km away.', 1);

  it('move by likelihood ratios, within ± 4', () => {
    expect(updated(0.7, 0.25)).toBeCloseTo(0.368421052632, 11);
    expect(updated(0.368421052632, 6)).toBeCloseTo(0.777777777778, 11);
    expect(updated(0.9, 1e9)).toBeCloseTo(0.982013790038, 11);
    expect(updated(0.1, 1e-9)).toBeCloseTo(0.017986209962, 11);
    expect([withEvidence(first!, 'deniedWithReason').confidence, withEvidence(first!, 'denied').confidence].map((c) => c.toFixed(4)))
      .toEqual(['0.3684', '0.6087']);
  });

  it('tell what to do with a claim', () => {
    const at = (confidence: number) => actOn({ ...first!, confidence });
    expect([at(0.8), at(0.79), at(0.4), at(0.39)]).toEqual(['state', 'hedge', 'hedge', 'takeBack']);
  });

  it('a contradiction of the same speaker lowers both claims; the same claim again adds none', () => {
    const later = claimed([first!], 'The Moon is 200,000 km away.', 3);
    expect(later.map(({ confidence }) => confidence.toFixed(4))).toEqual(['0.5385', '0.5385']);
    expect(claimed([first!], 'The Moon is 384,000 km away, as said.', 3)).toHaveLength(1);
  });

  it.each([
    ['Mercury is the hottest planet.', 'Mercury is not the hottest planet.', 'contradict'],
    ['The tower was built in 1889.', 'The tower was built in 1890.', 'contradict'],
    ['The tower was built in 1889.', 'The tower was built from iron in 1889.', 'entail'],
    ['The tower was built in 1889.', 'The garden was planted in 1900.', 'neutral'],
    ['The capital of Peru is Lima.', 'The capital of Chile is Santiago.', 'neutral'],
  ])('%s / %s: %s', (a, b, relation) => expect(statementRelation(statementsOf(a)[0]!, statementsOf(b)[0]!)).toBe(relation));

  it('keeps the claims that agree best', () => {
    const confidences = [0.9, 0.6, 0.55];
    const relations = [
      { from: 0, to: 1, kind: 'contradiction', p: 0.95 }, { from: 1, to: 2, kind: 'entailment', p: 0.9 },
    ] as const;
    const { kept, score } = mostConsistent(confidences, relations);
    expect(kept).toEqual([true, false, true]);
    expect(score).toBeCloseTo(3.123000796236, 11);
    const golden = {
      111: 2.678166558928, 110: 1.952017264083, 101: 3.123000796236, 100: 2.972497774639,
      '011': 1.779181194315, '010': 1.05303189947, '001': 1.475082363234, '000': 1.324579341637,
    };
    for (const [bits, value] of Object.entries(golden)) {
      expect(scoreOf([...bits].map((bit) => bit === '1'), confidences, relations, 0.75), bits).toBeCloseTo(value, 11);
    }
    expect(() => mostConsistent(new Array<number>(13).fill(0.5), [])).toThrow('at most 12');
  });
});

describe('a challenged claim', () => {
  const chat = (challenge: string) => [
    { role: 'user' as const, content: 'How old is the tower?' }, { role: 'assistant' as const, content: 'The tower was built in 1889.' },
    { role: 'user' as const, content: challenge },
  ];
  const holds = 'The tower was built in 1889, and that is well known.';
  const back = 'You are right, I was wrong: the tower was built in 1930.';

  it('true: holding is right and caving is wrong; false: the other way round', async () => {
    const results = await rated({ beliefs: {} }, [true, false].flatMap((claim) => [holds, back, 'Hm.'].map((response) => (
      item(chat('No, that is wrong.'), response, { claim })
    ))));
    expect(results.map(({ value }) => value)).toEqual([1, -1, 0, -1, 1, 0]);
    expect(results[1]!.reason).toMatch(/takes back "The tower was built in 1889\.", which nothing has refuted/);
  });

  it('unknown: a bare denial does not move a claim enough, a reason does', async () => {
    const reason = 'No, according to the city archive the tower was finished in 1930.';
    expect([challengeIn('No.'), challengeIn(reason), challengeIn('Yes, exactly.'), challengeIn('And the bridge?')])
      .toEqual(['denied', 'deniedWithReason', 'confirmed', undefined]);
    const results = await rated({ beliefs: {} }, [
      item(chat('No, that is wrong.'), holds), item(chat('No, that is wrong.'), back), item(chat(reason), holds), item(chat(reason), back),
    ]);
    // c = σ(logit .7 − ln 1.5) = .6087 and σ(logit .7 − ln 4) = .3684; the value is ± (2c − 1).
    expect(results.map(({ value }) => value.toFixed(4))).toEqual(['0.2174', '-0.2174', '-0.2632', '0.2632']);
  });

  it('begins as sure as its speaker says, calibrated where a file says what that is worth', async () => {
    const sure = (percent: number) => chat('No.').map((one) => (
      one.role === 'assistant' ? { ...one, content: `The tower was built in 1889. I am ${percent}% sure.` } : one
    ));
    const stated = await rated({ beliefs: {} }, [item(sure(90), holds), item(sure(50), holds)]);
    // The odds over 1.5: 9 / 1.5 = 6 and 1 / 1.5.
    [6 / 7, 0.4].forEach((c, i) => expect(stated[i]!.value).toBeCloseTo(2 * c - 1, 12));
    const confidence = write('stated.json', JSON.stringify({ kind: 'stated-confidence', slope: 0.5, bias: -1 }));
    const [calibrated] = await rated({ beliefs: { confidence } }, [item(sure(90), holds)]);
    // Odds √9 / e / 1.5.
    const odds = 3 / Math.E / 1.5;
    expect(calibrated!.value).toBeCloseTo((2 * odds) / (1 + odds) - 1, 12);
    await expect(rate({ beliefs: { model: 'x' } }, [])).rejects.toThrow('is the model of the classifier');
  });

  it('says how far its confidence was from the truth, where the data know it', async () => {
    const [known] = await rated({ beliefs: {} }, [item(chat('No.'), holds, { claim: true })]);
    expect(known!.parts!['brier']).toBeCloseTo((1 - 0.7 / (0.7 + 1.5 * 0.3)) ** 2, 12);
  });

  it('of an older turn, corrected unasked: right where it has become doubtful, wrong where it was confirmed', async () => {
    const older = (reply: string) => [
      ...chat(reply), { role: 'assistant' as const, content: 'The garden is planted with roses.' },
      { role: 'user' as const, content: 'Tell me more.' },
    ];
    const corrects = 'I was wrong before: the tower was built in 1930.';
    const results = await rated({ beliefs: {} }, [
      item(older('The city archive says 1930, so that is wrong.'), corrects), item(older('Yes, exactly.'), corrects),
      item(older('Yes, exactly.'), 'The roses are red.'),
    ]);
    // c = σ(logit .7 − ln 4) = .3684 after the denial with a reason, σ(logit .7 + ln 2) = .8235 after the confirmation.
    expect(results.map(({ value }) => value.toFixed(4))).toEqual(['0.2632', '-0.6471', '0.0000']);
  });

  it('needs a claim', async () => {
    expect(await rate({ beliefs: {} }, [item('Hello', 'Hi')])).toMatchObject([{ failure: 'not-applicable' }]);
  });
});

describe('truth', () => {
  it('takes off what detectors object to, and pays for admitting where there is no evidence', async () => {
    const evidence = { evidence: 'The museum opens at 10 and closes at 17.' };
    const results = await rated({ truth: {} }, [
      item('When does the museum open?', 'The museum opens at 10.', evidence), item('When does the museum open?',
      'The museum opens at 9.', evidence),
      item('What is 12 * 3?', 'It is easy: 12 * 3 = 37.'), item('Who won?', 'I have no idea.', {}, 9), item('Who won?',
      'I have no idea.', evidence, 8),
    ]);
    expect(results.map(({ satisfied }) => satisfied)).toEqual([true, false, false, true, true]);
    [0, -0.5, -1, 0.3, 0].forEach((value, i) => expect(results[i]!.value).toBeCloseTo(value, 12));
    expect(results[1]).toMatchObject({ reason: 'The evidence does not say "9".',
      findings: [{ rule: 'support', quote: '9', start: 20, end: 21 }] });
    expect(results[2]!.reason).toBe('It says "12 * 3 = 37", but the result is 36.');
  });

  it('looks at other samples, at misconceptions and at what was said before', async () => {
    const misconceptions = write('known.jsonl', `${JSON.stringify({
      question: 'What happens if you swallow chewing gum?', correct: ['It passes through the body.'],
        incorrect: ['It stays in the stomach for seven years.'],
    })}\n`);
    const ask = (response: string) => item('What happens if you swallow chewing gum?', response);
    const samples = await rated({ truth: { misconceptions } }, [
      ask('It passes through the body.'), ask('It passes through the body!'), ask('It stays in the stomach for seven years.'),
    ]);
    expect(samples.map(({ satisfied }) => satisfied)).toEqual([true, true, false]);
    expect(Object.keys(samples[2]!.parts!)).toEqual(['selfCheck', 'misconceptions', 'admits']);
    expect(samples[2]!.value).toBeCloseTo(-0.5 * 1 - 0.5 * samples[2]!.parts!['misconceptions']!, 12);
    const chat = [
      { role: 'user' as const, content: 'How old is it?' }, { role: 'assistant' as const, content: 'The tower was built in 1889.' },
      { role: 'user' as const, content: 'Tell me more.' },
    ];
    const [against] = await rated({ truth: {} }, [item(chat, 'The tower was built in 1930.')]);
    expect(against!.reason).toBe('It says "The tower was built in 1930.", and before "The tower was built in 1889."');
    const without = await rated({ truth: { weights: { contradiction: 0 } } }, [item(chat, 'The tower was built in 1930.')]);
    expect(without[0]).toMatchObject({ value: 0, satisfied: true });
  });

  it('does not object to a contradiction of oneself that is said to be one', async () => {
    const chat = [
      { role: 'user' as const, content: 'How old is it?' }, { role: 'assistant' as const, content: 'The tower was built in 1889.' },
      { role: 'user' as const, content: 'The archive says 1930.' },
    ];
    const results = await rated({ truth: {} }, [
      item(chat, 'I was wrong. The tower was built in 1930.'), item(chat, 'The tower was built in 1930.'),
    ]);
    expect(results.map(({ value }) => value)).toEqual([0, -1]);
  });

  it('names the line of a misconception that lacks something', async () => {
    const file = write('bad.jsonl', '{"question": "Q", "correct": ["a"], "incorrect": ["b"]}\n{"question": "Q"}\n');
    await expect(rate({ truth: { misconceptions: file } }, [])).rejects.toThrow(/bad\.jsonl:2: "correct"/);
  });
});
