import { describe, expect, it } from 'vitest';
import { scoresOf } from '../../../src/evaluate/score.js';
import { contextOf, shotsOf } from '../../../src/evaluate/tasks/context.js';
import { TASKS, TaskOptions } from '../../../src/evaluate/tasks/index.js';
import { readItems } from '../../../src/evaluate/tasks/read-items.js';
import type { ChoiceTask, ContinuationTask } from '../../../src/evaluate/tasks/task.js';
import { type Oracle, example, oracle } from './lm-eval.js';

const lmEval = oracle<Record<string, Oracle>>('lm_eval.json');
const sums = { path: example('sums.jsonl') };

/** A task of ours, and lm-evaluation-harness' results on the same rows. */
const CASES: readonly (readonly [name: string, options: object, results: readonly string[]])[] = [
  ['mmlu', { data: example('subjects.jsonl'), shots: 2, dev: example('subjects-dev.jsonl') }, ['mmlu_baking', 'mmlu_rail_travel']],
  ['arc', { data: example('questions.jsonl') }, ['arc_easy']],
  ['commonsenseqa', { data: example('everyday.jsonl') }, ['commonsense_qa']],
  ['hellaswag', { data: example('endings.jsonl') }, ['hellaswag']],
  ['truthfulqa-mc1', { data: example('myths.jsonl') }, ['truthfulqa_mc1']],
  ['truthfulqa-mc2', { data: example('myths.jsonl') }, ['truthfulqa_mc2']],
  ['gsm8k', { data: { ...sums, where: { split: 'test' } }, shots: 2, dev: { ...sums, where: { split: 'train' } } }, ['gsm8k']],
];

async function items(name: string, options: object) {
  const task = TASKS.get(name) as ChoiceTask | ContinuationTask;
  const { data, dev, shots = 0 } = TaskOptions.parse({ task: name, ...options });
  const solved = dev === undefined ? [] : await readItems(task.row, dev);
  const rows = await readItems(task.row, data);
  return rows.map((row) => ({ task, row, context: contextOf(row, shotsOf(row, solved, shots)!, false) }));
}

describe('lm-evaluation-harness on the same rows', () => {
  it.each(CASES)('%s: asks the same texts, and makes the same metrics of the same log-likelihoods', async (name, options, results) => {
    const asked = await items(name, options);
    const oracles = results.map((one) => lmEval[one]!);
    const theirs = oracles.flatMap((one) => one.items);
    expect(asked.map(({ context }) => context)).toEqual(theirs.map(({ context }) => ({ text: context })));
    const measured = asked.map(({ task, row }, i) => {
      const { choices, logLikelihoods, text } = theirs[i]!;
      if (task.kind === 'continuation') return { measures: task.measure(row, text!) };
      const choice = row as Parameters<ChoiceTask['measure']>[0];
      expect(choice.choices.map((one) => ` ${one}`)).toEqual(choices);
      return { group: row.group, measures: task.measure(choice, logLikelihoods!) };
    });
    for (const [at, one] of results.entries()) {
      const own = measured.filter(({ group }) => results.length === 1 || one === `mmlu_${group}`);
      const scores = scoresOf(own);
      const { metrics } = oracles[at]!;
      expect(Object.keys(scores).length).toBeGreaterThan(0);
      for (const [metric, { mean, stderr }] of Object.entries(scores)) {
        const [key, filter = 'none'] = metric.split(',');
        expect(mean, metric).toBeCloseTo(metrics[`${key},${filter}`]!, 9);
        expect(stderr, metric).toBeCloseTo(metrics[`${key}_stderr,${filter}`]!, 9);
      }
    }
  });
});
