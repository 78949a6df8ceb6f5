import { type Engine, startEngine } from '@heed/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JudgedRow, RefinedRow, ScoredRow } from '../../src/data/rows.js';
import { dpo } from '../../src/method/dpo.js';
import { forwardPrediction } from '../../src/method/forward-prediction.js';
import { hindsightReward } from '../../src/method/hindsight-reward.js';
import { ilf } from '../../src/method/ilf.js';
import { ilfDpo } from '../../src/method/ilf-dpo.js';
import { bind } from '../../src/method/bind.js';
import { sft } from '../../src/method/sft.js';
import { prepare } from '../../src/loop/items.js';
import { createRespond } from '../../src/text/respond.js';
import { chatTemplate } from '../../src/text/template.js';
import { createTokenizer } from '../../src/text/tokenizer.js';
import { lossOf } from '../support/loss.js';
import { fakeRespond, textOf } from '../support/respond.js';
import { expectGradient, spreadAll, trlBatch, trlEntries } from '../support/trl.js';
import { toyFiles } from '../text/support.js';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
});
afterAll(() => engine.close());

const source = { file: 'a', line: 1 };
const prompt = [{ role: 'user' as const, content: 'q' }];
const random = { shuffle: <T,>(items: readonly T[]): T[] => [...items] };
const shown = (sequences: readonly { prompt: readonly number[]; response: readonly number[] }[] | undefined): string[] =>
  sequences!.map((s) => `${textOf(s.prompt)}|${textOf(s.response)}`);
const near = (row: readonly number[], expected: number): void => row.forEach((d) => expect(d).toBeCloseTo(expected, 6));

describe('sft', () => {
  it('is −Σ log p / Σ tokens: every token weighs the same, in whatever row', async () => {
    const value = await lossOf(engine, bind(sft), { turns: [[-1, -2, -0.5, -0.5], [-6]] });
    expect(value.loss).toBeCloseTo(10 / 5, 6);
    value.gradient['turns']!.forEach((row) => near(row, -1 / 5));
  });

  it.each(['sft-conversations', 'sft-completions'])('is TRL’s %s, value and gradient', async (name) => {
    const entry = trlEntries('sft')(name);
    const lengths =
      entry.batch === 'pairs'
        ? trlBatch.pairs.map((p) => p.chosen.length)
        : trlBatch.conversations.map((c) => c.supervised.filter(Boolean).length);
    const value = await lossOf(engine, bind(sft), spreadAll(entry.logp, { turns: lengths }));
    expect(Math.abs(value.loss / entry.loss - 1)).toBeLessThan(5e-6);
    expectGradient(value, entry.dLoss);
  });

  it('learns from every assistant turn with its end, and from nothing else', () => {
    const tokenizer = createTokenizer(...toyFiles(['<e>']));
    const text = createRespond(
      chatTemplate(
        tokenizer,
        "{% for m in messages %}{{ m.role[:1] + ':' + m.content + '<e>' }}{% endfor %}{% if add_generation_prompt %}a:{% endif %}",
      ),
    );
    const turns = [
      ['system', 'Be brief.'],
      ['user', 'One?'],
      ['assistant', 'Yes.'],
      ['user', 'Two?'],
      ['assistant', 'No.'],
    ] as const;
    const [sequence, ...more] = bind(sft).sequences({ source, messages: turns.map(([role, content]) => ({ role, content })) }, text)[
      'turns'
    ]!;
    const { prompt: asked, response, supervised } = sequence!;
    expect(more).toEqual([]);
    expect(tokenizer.decode(asked)).toBe('s:Be brief.<e>u:One?<e>a:');
    expect(tokenizer.decode(response)).toBe('Yes.<e>u:Two?<e>a:No.<e>');
    expect(tokenizer.decode(response.filter((_, i) => supervised![i]))).toBe('Yes.<e>No.<e>');
    expect(supervised).toHaveLength(response.length);
  });
});

describe('sft and responses that somebody called bad', () => {
  const row = (satisfied?: boolean) => ({ source, messages: [...prompt, { role: 'assistant' as const, content: 'a' }], satisfied });

  it('leaves them out, and says what they are', () => {
    expect([row(true), row(false), row()].map((one) => bind(sft).uses(one))).toEqual([true, false, true]);
    expect(bind(sft).unused).toBe('not satisfactory (by satisfied, label or judgment)');
    const { items, unused } = prepare([row(true), row(false), row()], bind(sft), fakeRespond(), { maxTokens: 100, onLong: 'error' });
    expect([items.map(({ index }) => index), unused]).toEqual([[0, 2], 1]);
  });

  it('cannot learn from them alone', () => {
    expect(bind(sft).unfitTogether([row(false), row(false)])).toMatch(
      /every row says that its response is bad .* use method: unlikelihood or cut, or npo or d2o/,
    );
    expect(bind(sft).unfitTogether([row(false), row()])).toBeUndefined();
  });
});

describe('hindsight-reward', () => {
  const row = (score: number): ScoredRow => ({ source, prompt, completion: 'a', score });

  it('asks for a wrong answer below the threshold, for a correct one from it on', () => {
    const method = bind(hindsightReward, { threshold: 0.5 });
    const prompts = [0.49, 0.5, 3].map((score) => shown(method.sequences(row(score), fakeRespond())['response'])[0]);
    expect(prompts).toEqual([
      'user: q\n\nGenerate a wrong answer.|a.',
      'user: q\n\nGenerate a correct answer.|a.',
      'user: q\n\nGenerate a correct answer.|a.',
    ]);
    expect([0.49, 0.5].map((score) => method.columnsOf(row(score)))).toEqual([{ wrong: 1 }, { wrong: 0 }]);
    const own = bind(hindsightReward, { threshold: 0, correct: 'Well: {instruction}', wrong: 'Badly: {instruction}' });
    expect(shown(own.sequences(row(-1), fakeRespond())['response'])).toEqual(['user: Badly: q|a.']);
  });

  it('imitates every response, each by the mean of its tokens', async () => {
    const value = await lossOf(
      engine,
      bind(hindsightReward, { threshold: 0 }),
      { response: [[-1, -2], [-0.5], [-3, -1, -2]] },
      { wrong: [1, 0, 1] },
    );
    expect(value.loss).toBeCloseTo((1.5 + 0.5 + 2) / 3, 6);
    expect(value.metrics).toMatchObject({ nll_correct: expect.closeTo(0.5, 6) as number, nll_wrong: expect.closeTo(1.75, 6) as number });
    [2, 1, 3].forEach((n, i) => near(value.gradient['response']![i]!, -1 / n / 3));
  });

  it('needs scores on both sides of the threshold, which it cannot guess', () => {
    const method = bind(hindsightReward, { threshold: 0.5 });
    expect(method.unfitTogether([row(0.5), row(7)])).toMatch(/from 0.5 to 7, all on one side of the threshold 0.5/);
    expect(method.unfitTogether([row(0.5), row(-7)])).toBeUndefined();
    expect(() => bind(hindsightReward, {} as { threshold: number })).toThrow(/threshold/);
  });

  it.each([
    [{ correct: 'no place' }, 'lacks {instruction}'],
    [{ wrong: '{instruction} {score}' }, 'unknown placeholder {score}'],
    [{ wrong: '{instruction}', correct: '{instruction}' }, 'could not tell the two apart'],
  ])('refuses %j', (options, message) => {
    expect(() => bind(hindsightReward, { threshold: 0, ...options })).toThrow(message);
  });
});

describe('forward-prediction', () => {
  const row = (judgment: string | null): JudgedRow => ({ source, prompt, completion: 'a', judgment, satisfied: judgment === null });

  it('is −1/N Σ log p(y) − 1/Q Σ log p(j), a mean over rows', async () => {
    const value = await lossOf(engine, bind(forwardPrediction), {
      response: [
        [-1, -2],
        [-0.5, -0.5, -2],
      ],
      judgment: [[-4, -1, -1, -2], null],
    });
    expect(value.loss).toBeCloseTo((1.5 + 1) / 2 + 2 / 2, 6);
    near(value.gradient['response']![0]!, -1 / 2 / 2);
    near(value.gradient['response']![1]!, -1 / 3 / 2);
    near(value.gradient['judgment']![0]!, -1 / 4 / 2);
    expect(value.metrics).toMatchObject({ nll_response: expect.closeTo(6 / 5, 6) as number, nll_judgment: expect.closeTo(2, 6) as number });
  });

  it('predicts the judgment after the response, as a further turn; a row without words teaches its response alone', () => {
    const method = bind(forwardPrediction, { question: 'So?' });
    const { response, judgment } = method.sequences(row('wrong'), fakeRespond());
    expect(shown(response)).toEqual(['user: q|a.']);
    expect(shown(judgment)).toEqual(['user: q\nassistant: a\nuser: So?|wrong.']);
    expect(Object.keys(method.sequences(row(null), fakeRespond()))).toEqual(['response']);
  });
});

describe('learning from refinements', () => {
  const row = (given: Partial<RefinedRow>): RefinedRow => ({
    source,
    prompt,
    completion: 'bad',
    judgment: 'wrong',
    satisfied: false,
    ...given,
  });
  const refined = row({ refinement: 'better' });
  const satisfied = row({ satisfied: true, judgment: null, completion: 'good' });

  it('ilf imitates the refinement under the plain prompt, never the response that was judged', () => {
    const sequences = bind(ilf).sequences(refined, fakeRespond());
    expect(Object.keys(sequences)).toEqual(['refinement']);
    expect(shown(sequences['refinement'])).toEqual(['user: q|better.']);
    expect(shown(bind(ilf).sequences(satisfied, fakeRespond())['satisfied'])).toEqual(['user: q|good.']);
  });

  it('ilf is −1/N Σ log p, a mean over rows', async () => {
    const value = await lossOf(
      engine,
      bind(ilf, { ratio: null }),
      { refinement: [[-1, -2], null], satisfied: [null, [-0.5, -0.5, -2]] },
      { satisfied: [0, 1] },
    );
    expect(value.loss).toBeCloseTo((1.5 + 1) / 2, 6);
    near(value.gradient['refinement']![0]!, -1 / 2 / 2);
    near(value.gradient['satisfied']![1]!, -1 / 3 / 2);
    expect(value.metrics).toMatchObject({
      nll_refinement: expect.closeTo(1.5, 6) as number,
      nll_satisfied: expect.closeTo(1, 6) as number,
    });
  });

  it('ilf leaves satisfactory rows out unless a ratio is given; ilf-dpo always', () => {
    const rows = [satisfied, refined, { ...satisfied }, refined];
    expect(bind(ilf).select(rows, random)).toEqual([refined, refined]);
    expect(bind(ilf, { ratio: 0.5 }).select(rows, random)).toHaveLength(3);
    expect(bind(ilf, { ratio: null }).select(rows, random)).toHaveLength(4);
    expect(rows.map((one) => bind(ilfDpo).uses(one))).toEqual([false, true, false, true]);
    expect(bind(ilfDpo).unfitTogether([satisfied])).toMatch(/none holds a pair/);
    expect(bind(ilfDpo).unfitTogether(rows)).toBeUndefined();
    expect(bind(ilf).unfit(satisfied)).toBeUndefined();
  });

  it('ilf-dpo is dpo of the refinement over the response, with its options', async () => {
    const sequences = bind(ilfDpo).sequences(refined, fakeRespond());
    expect([shown(sequences['chosen']), shown(sequences['rejected'])]).toEqual([['user: q|better.'], ['user: q|bad.']]);
    const [policy, reference] = [
      { chosen: [[-0.25, -0.25], [-10]], rejected: [[-0.1], [-30]] },
      { chosen: [[-0.3, -0.2], [-10.1]], rejected: [[-0.1], [-20.1]] },
    ];
    const method = bind(ilfDpo, { beta: 0.1 });
    expect(method.columnsOf(refined)).toEqual({ soft_label: 1 });
    const value = await lossOf(engine, method, policy, { soft_label: [1, 1] }, { under: { reference } });
    expect(value.loss).toBeCloseTo((0.6931471806 + 0.3132616875) / 2, 6);
    expect(value.gradient).toEqual((await lossOf(engine, bind(dpo), policy, { soft_label: [1, 1] }, { under: { reference } })).gradient);
    expect(method.lossAtReference).toBe(Math.LN2);
    expect(() => bind(ilfDpo, { loss: 'hinge', labelSmoothing: 0.1 })).toThrow(/no labelSmoothing/);
  });

  it.each([ilf.name, ilfDpo.name])('%s cannot use a row without a refinement, or with none that differs', (name) => {
    const method = name === 'ilf' ? bind(ilf) : bind(ilfDpo);
    expect(method.unfit(refined)).toBeUndefined();
    expect(method.unfit(row({}))).toMatch(/no refinement/);
    expect(method.unfit(row({ refinement: ' bad\n' }))).toMatch(/equals its completion/);
  });
});
