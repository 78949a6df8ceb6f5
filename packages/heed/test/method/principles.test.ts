import { type Engine, startEngine } from '@heed/tensor';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PrincipledRow, type ScoredPrinciple, rowSchemas } from '../../src/data/rows.js';
import { bind } from '../../src/method/bind.js';
import { asChoice, principleChoice } from '../../src/method/principle-choice.js';
import { principleRewardModel } from '../../src/method/principle-reward-model.js';
import { type PrincipleOptions, draw, geometric, hold, preferred, scoreOf } from '../../src/method/principles.js';
import { lossOf } from '../support/loss.js';
import { fakeRespond, textOf } from '../support/respond.js';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
});
afterAll(() => engine.close());

const principle = (name: string, score: number, scores?: [number, number]): ScoredPrinciple => ({
  name,
  text: `be ${name}`,
  negation: `avoid ${name}`,
  score,
  ...(scores && { scores }),
});
const row = (principles: ScoredPrinciple[], more: Partial<PrincipledRow> = {}): PrincipledRow => ({
  source: { file: 'compared.jsonl', line: 1 },
  prompt: [{ role: 'user', content: 'Is it open on Sunday?' }],
  responses: ['Yes, from ten.', 'No idea.'],
  principles,
  ...more,
});
const standard: PrincipleOptions = { principles: 'geometric', negation: 0.5, scale: 'none', labelNoise: 0, seed: 0 };
const rows = (n: number, principles: (i: number) => ScoredPrinciple[]) =>
  Array.from({ length: n }, (_, i) => row(principles(i), { prompt: [{ role: 'user', content: `Question ${i}` }] }));

describe('deciding by principles', () => {
  // Scores out of 6 of A and of B for Concise, Ethical and Precise: (2, 3, 6) and (1, 5, 5).
  const compared = [['Concise', 2 - 1], ['Ethical', 3 - 5], ['Precise', 6 - 5]] as const;
  const held = (negated: string | undefined) => compared.map(([name, score]) => hold(principle(name, score), name === negated));

  it('goes by the widest gap: Ethical, by which B wins, and A where it is negated', () => {
    expect(preferred(held(undefined))).toBe(1);
    expect(preferred(held('Ethical'))).toBe(0);
    expect(held('Ethical').map(({ text }) => text)).toEqual(['be Concise', 'avoid Ethical', 'be Precise']);
    expect(preferred(held('Concise'))).toBe(1); // not the widest, so it changes nothing
  });

  it('counts a score only where both orders of showing agree', () => {
    expect(scoreOf(principle('x', 0, [1, 3]))).toBe(2);
    expect(scoreOf(principle('x', 0, [-1, -0.5]))).toBe(-0.75);
    expect(scoreOf(principle('x', 9, [1, -3]))).toBe(0);
    expect(scoreOf(principle('x', 9, [1, 0]))).toBe(0);
    expect(scoreOf(principle('x', -4))).toBe(-4);
    // Ethical has the widest scores, but its orders disagree.
    expect(preferred([hold(principle('Ethical', 0, [-9, 1]), false), hold(principle('Concise', 1), false)])).toBe(0);
    expect(preferred([hold(principle('Ethical', 0, [-9, 1]), false)])).toBeUndefined();
  });

  const scored = fc.uniqueArray(fc.tuple(fc.stringMatching(/^[A-Z][a-z]{0,6}$/), fc.integer({ min: -9, max: 9 })), {
    minLength: 1,
    maxLength: 8,
    selector: ([name]) => name,
  });
  const options = fc.record({
    principles: fc.constant('geometric' as const),
    negation: fc.constantFrom(0, 0.5, 1),
    scale: fc.constant('none' as const),
    labelNoise: fc.constantFrom(0, 0.3),
    seed: fc.nat(99),
  });
  const words = (d: ReturnType<typeof draw>) => d && [d.better, d.worse, ...d.held.map(({ text }) => text)];

  it('does not mind which response or which principle is named first', () => {
    fc.assert(
      fc.property(scored, options, fc.nat(3), (list, o, number) => {
        const there = row(list.map(([name, score]) => principle(name, score)));
        const back = row(list.map(([name, score]) => principle(name, -score)).reverse(), {
          responses: [there.responses[1], there.responses[0]],
          source: { file: 'other', line: 9 },
        });
        expect(words(draw(back, o, [], number))).toEqual(words(draw(there, o, [], number)));
      }),
    );
  });

  it('with every principle negated decides the other way', () => {
    fc.assert(fc.property(scored, fc.nat(99), (list, seed) => {
      const of = row(list.map(([name, score]) => principle(name, score)));
      const decide = (negation: number) => draw(of, { ...standard, negation, seed }, [], 0);
      const [plain, negated] = [decide(0), decide(1)];
      expect(negated?.better).toBe(plain?.worse);
      expect(negated?.held.map(({ name }) => name)).toEqual(plain?.held.map(({ name }) => name));
    }));
  });
});

describe('drawing principles', () => {
  it('takes k of 8 with the mean of a geometric distribution kept within 8: 3.39', () => {
    const n = 100_000;
    const drawn = Array.from({ length: n }, (_, i) => geometric((i + 0.5) / n, 8));
    expect(drawn.reduce((a, b) => a + b) / n).toBeCloseTo(3.39, 2);
    expect([Math.min(...drawn), Math.max(...drawn)]).toEqual([1, 8]);
    for (let k = 1; k < 8; k++) {
      const share = (j: number) => drawn.filter((x) => x === j).length;
      expect(share(k + 1) / share(k)).toBeCloseTo(0.8, 2);
    }
    expect(geometric(1 - 2 ** -53, 1)).toBe(1);
  });

  it('negates half of them, takes each as often, and turns round as many decisions as the noise says', () => {
    const names = ['A', 'B', 'C', 'D'];
    const many = rows(2000, () => names.map((name) => principle(name, 1)));
    const draws = many.map((r) => draw(r, { ...standard, principles: 2, labelNoise: 0.1 }, [], 0)!);
    const held = draws.flatMap((d) => d.held);
    const close = (count: number, expected: number) =>
      expect(Math.abs(count - expected), `${count}, not about ${expected}`).toBeLessThan(150);
    close(held.filter(({ text }) => text.startsWith('avoid')).length, 2000);
    for (const name of names) close(held.filter((h) => h.name === name).length, 1000);
    close(draws.filter((d) => (d.held[0]!.gap > 0) !== (d.better === 'Yes, from ten.')).length, 200);
  });

  it('is the same each time, and another with another seed or number', () => {
    const of = row(['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'].map((name, i) => principle(name, i - 3.5)));
    const shown = (o: Partial<PrincipleOptions>, number = 0) => JSON.stringify(draw(of, { ...standard, principles: 4, ...o }, [], number));
    expect(shown({})).toBe(shown({}));
    expect(new Set([shown({}), shown({ seed: 1 }), shown({ seed: 2 }), shown({}, 1), shown({}, 2)]).size).toBe(5);
  });

  it('divides by the variance over all rows where asked to, which may change what decides', () => {
    // Loud's scores are ten times as wide: its variance a hundred times.
    const all = [row([principle('Loud', 20), principle('Quiet', -1)]), ...rows(1, () => [principle('Loud', -20), principle('Quiet', 1)])];
    const o = { ...standard, principles: 2, negation: 0 };
    expect(draw(all[0]!, o, all, 0)!.better).toBe('Yes, from ten.');
    const scaled = draw(all[0]!, { ...o, scale: 'variance' as const }, all, 0)!;
    expect(scaled.better).toBe('No idea.');
    expect(Object.fromEntries(scaled.held.map((h) => [h.name, h.gap]))).toEqual({ Loud: 20 / 400, Quiet: -1 });
    expect(() => draw(all[0]!, { ...o, scale: 'variance' }, [all[0]!], 0)).toThrow(
      /compared\.jsonl:1: the principle ".*" has the same score in all 1 rows/,
    );
  });
});

describe('principle-reward-model', () => {
  const of = row([principle('Concise', 1), principle('Ethical', -2), principle('Precise', 1)]);
  it('shows response, request, principles, in this order, the same principles to both', () => {
    const method = bind(principleRewardModel, { principles: 3, negation: 0 });
    const { chosen, rejected } = method.sequences(of, fakeRespond());
    const [better, worse] = [textOf(chosen![0]!.prompt), textOf(rejected![0]!.prompt)];
    expect(better).toBe(worse.replace('Yes, from ten.', 'No idea.'));
    const places = ['No idea.', 'Is it open on Sunday?', '- Concise: be Concise'].map((part) => better.indexOf(part));
    expect(places.every((p, i) => p > (places[i - 1] ?? 0))).toBe(true);
    expect(textOf(chosen![0]!.response)).toBe('.');
  });

  it('gives a pair a draw, and none for a draw that decides nothing', () => {
    const method = bind(principleRewardModel, { principles: 1, draws: 12 });
    expect(method.sequences(of, fakeRespond())['chosen']).toHaveLength(12);
    const mixed = row([principle('Concise', 0), principle('Ethical', -2)]);
    const pairs = method.sequences(mixed, fakeRespond());
    expect(pairs['chosen']!.length).toBeGreaterThan(0);
    expect(pairs['chosen']!.length).toBeLessThan(12);
    expect(pairs['rejected']).toHaveLength(pairs['chosen']!.length);
  });

  it('is Bradley–Terry on the scores, a mean over pairs; ln 2 at equal scores', async () => {
    const method = bind(principleRewardModel);
    const run = (chosen: number[], rejected: number[]) => lossOf(engine, method, {}, {}, { scores: { chosen, rejected } });
    const nll = (x: number) => Math.log1p(Math.exp(-x));
    const value = await run([2, 0.5], [1, 1.5]);
    expect(value.loss).toBeCloseTo((nll(1) + nll(-1)) / 2, 6);
    expect(value.metrics['accuracy']).toBe(0.5);
    value.scoreGradient['chosen']!.forEach((d, i) => expect(d).toBeCloseTo(-1 / (1 + Math.exp([1, -1][i]!)) / 2, 6));
    expect((await run([0, 0], [0, 0])).loss).toBeCloseTo(Math.LN2, 6);
  });

  it('says why a row cannot be learnt from, and which options contradict each other', () => {
    const unfit = (principles: ScoredPrinciple[], options = {}) => bind(principleRewardModel, options).unfit(row(principles));
    expect(unfit([principle('A', 0, [1, -1])])).toMatch(/no principle tells its responses apart/);
    expect(unfit([principle('A', 1)], { principles: 3 })).toBe('method.principles draws 3, and it has only 1');
    expect(unfit([principle('A', 1)])).toBeUndefined();
    const half = rows(40, () => [principle('A', 0), principle('B', 1)]).map((r) => bind(principleRewardModel, { principles: 1 }).unfit(r));
    expect(half.filter((reason) => /another method\.seed/.test(reason ?? '')).length).toBeGreaterThan(5);
    expect(() => bind(principleRewardModel, { principles: 1, scale: 'variance' })).toThrow(/scale does nothing/);
    expect(() => bind(principleRewardModel, { principles: 0 })).toThrow();
    expect(() => bind(principleRewardModel, { labelNoise: 0.5 })).toThrow();
  });
});

describe('principle-choice', () => {
  const of = row([principle('Concise', 1), principle('Ethical', -2), principle('Precise', 1)]);
  it('asks for the letter of the response that the principles prefer, each letter about half the time', () => {
    const asked = rows(400, () => of.principles).map((r) => ({
      better: draw(r, standard, [], 0)!.better,
      question: asChoice(r, standard)!,
    }));
    for (const { better, question } of asked) {
      expect(rowSchemas.choice.safeParse(question).success).toBe(true);
      expect(question.targets).toEqual([1, 0]);
      expect(question.prompt[0]!.content).toContain(`Answer ${question.choices[0]!}:\n${better}\n`);
    }
    const first = asked.filter(({ question }) => question.choices[0] === 'A').length;
    expect(Math.abs(first - 200)).toBeLessThan(50);
  });

  it("is −log of the better letter's share", async () => {
    const value = await lossOf(
      engine,
      bind(principleChoice),
      {
        answers: [
          [
            [-1, -0.1],
            [-2, -0.4],
          ],
        ],
      },
      { target: [bind(principleChoice).columnsOf(of)['target'] as number[]] },
    );
    expect(value.loss).toBeCloseTo(Math.log1p(Math.exp(-1.3)), 6);
    const { answers } = bind(principleChoice).sequences(of, fakeRespond());
    expect(answers!.map((s) => textOf(s.response)).sort()).toEqual(['A.', 'B.']);
    expect(bind(principleChoice).heads).toEqual({});
  });
});
