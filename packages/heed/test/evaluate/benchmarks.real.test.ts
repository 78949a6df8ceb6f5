import { type Engine, startEngine } from '@heed/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scoreChoices, writeAnswers } from '../../src/evaluate/ask-benchmarks.js';
import { isChoice, prepareTask } from '../../src/evaluate/prepared.js';
import { TaskOptions } from '../../src/evaluate/tasks/index.js';
import { type Model, loadModel } from '../../src/model/load.js';
import { scratchFolder } from '../support/scratch.js';
import { type Oracle, example, oracle } from './tasks/lm-eval.js';

const lmEval = oracle<Record<string, Oracle>>('lm_eval.json');
const { folder } = scratchFolder();
const sums = { path: example('sums.jsonl') };
const shots = { shots: 2, dev: example('subjects-dev.jsonl') };

/** A task of ours, and lm-evaluation-harness' results on the same rows. */
const CASES: readonly (readonly [results: string, options: object])[] = [
  ['mmlu_baking', { task: 'mmlu', data: { path: example('subjects.jsonl'), where: { subject: 'baking' } }, ...shots }],
  ['mmlu_rail_travel', { task: 'mmlu', data: { path: example('subjects.jsonl'), where: { subject: 'rail_travel' } }, ...shots }],
  ['arc_easy', { task: 'arc', data: example('questions.jsonl') }],
  ['commonsense_qa', { task: 'commonsenseqa', data: example('everyday.jsonl') }],
  ['hellaswag', { task: 'hellaswag', data: example('endings.jsonl') }],
  ['truthfulqa_mc1', { task: 'truthfulqa-mc1', data: example('myths.jsonl') }],
  ['truthfulqa_mc2', { task: 'truthfulqa-mc2', data: example('myths.jsonl') }],
  ['mmlu_baking-chat', {
    task: 'mmlu', data: { path: example('subjects.jsonl'), where: { subject: 'baking' } }, ...shots, applyChatTemplate: true,
  }],
  ['arc_easy-chat', { task: 'arc', data: example('questions.jsonl'), applyChatTemplate: true }],
];

describe('the default model on benchmarks', () => {
  let engine: Engine;
  let model: Model;
  beforeAll(async () => {
    [engine, model] = await Promise.all([startEngine(), loadModel(undefined)]);
  });
  afterAll(() => engine.close());
  const path = (...parts: string[]): string => [folder, ...parts].join('/');
  const asked = () => ({ engine, model, adapter: undefined, run: { path }, hooks: {} });

  it('gives every choice the log-likelihood that lm-evaluation-harness computes, to 1e-3', async () => {
    const prepared = await Promise.all(CASES.map(([name, options]) => prepareTask(name, TaskOptions.parse(options), model)));
    const tasks = prepared.filter(isChoice);
    expect(tasks).toHaveLength(CASES.length);
    const scored = await scoreChoices(asked(), tasks);
    for (const [t, [name]] of CASES.entries()) {
      const theirs = lmEval[name]!.items.map(({ logLikelihoods }) => logLikelihoods!);
      const gaps = scored[t]!.flatMap((own, i) => own.map((value, k) => Math.abs(value - theirs[i]![k]!)));
      expect(gaps.length, name).toBe(theirs.flat().length);
      expect(Math.max(...gaps), name).toBeLessThan(1e-3);
    }
  });

  it('continues the sums of gsm8k with the same words', async () => {
    const options = TaskOptions.parse({
      task: 'gsm8k', data: { ...sums, where: { split: 'test' }, limit: 2 }, shots: 2, dev: { ...sums, where: { split: 'train' } },
      maxNewTokens: 64,
    });
    const task = await prepareTask('gsm8k', options, model);
    if (isChoice(task)) throw new Error('gsm8k has no choices');
    const [answers] = await writeAnswers(asked(), [task]);
    expect(answers!.map(({ text }) => text)).toEqual(lmEval['gsm8k']!.items.slice(0, 2).map(({ text }) => text));
  });
});
