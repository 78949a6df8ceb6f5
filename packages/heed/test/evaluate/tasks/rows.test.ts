import { describe, expect, it } from 'vitest';
import { TASKS, TaskOptions } from '../../../src/evaluate/tasks/index.js';
import { readItems } from '../../../src/evaluate/tasks/read-items.js';
import type { ChoiceTask } from '../../../src/evaluate/tasks/task.js';
import { scratchFolder } from '../../support/scratch.js';
import { sharedData } from '../../support/shared-data.js';

const { write } = scratchFolder();
const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

async function read(task: string, rows: readonly object[], more: object = {}) {
  const path = write(`${task}.jsonl`, lines(rows));
  const { data } = TaskOptions.parse({ task, data: { path, ...more } });
  return readItems((TASKS.get(task) as ChoiceTask).row, data);
}
const right = (items: readonly object[]): unknown[] => items.map((item) => (item as { right: number }).right);

describe('rows of benchmarks', () => {
  const question = 'Which?';
  const texts = ['one', 'two', '0'];

  it('name the right choice by label, index, letter or text', async () => {
    const rows = [
      { question, choices: texts, answer: 2 }, { question, choices: texts, answer: 'B' }, { question, choices: texts, answer: 'two' },
      { question, choices: { text: texts, label: ['1', '2', '3'] }, answer: '3' },
      { question, choices: { text: texts, label: ['A', 'B', 'C'] }, answer: 'A' },
    ];
    expect(right(await read('arc', rows))).toEqual([2, 1, 1, 2, 0]);
    expect(right(await read('arc', [{ question, choices: texts, choice_labels: ['1', '2', '3'], answer_key: '3' }]))).toEqual([2]);
    expect(right(await read('arc', [{ question, choices: texts, choice_labels: ['1', '2', '3'], answerKey: 3 }]))).toEqual([2]);
  });

  it.each([
    [{ question, choices: texts, answer: '0' }, 'may mean "one" and "0"'],
    [{ question, choices: texts, answer: 'D' }, 'names none of the choices'],
    [{ question, choices: texts, answer: 3 }, 'expected a number from 0 to 2'],
    [{ question, choices: texts, answer: null }, 'is null'],
    [{ question, choices: ['one'], answer: 0 }, 'has 1 items; expected 2 or more'],
    [{ question, choices: ['one', ''], answer: 0 }, 'has an item 2 that is no text, or empty'],
    [{ question, choices: { text: texts, label: ['A', 'A', 'B'] }, answer: 'A' }, 'has a label twice'],
    [{ question, choices: { text: texts, label: ['A', 'B'] }, answer: 'A' }, 'has 3 choices and 2 labels'],
    [{ question: ' ', choices: texts, answer: 0 }, 'is empty'],
  ])('are refused, with file and line: %j', async (row, message) => {
    const reading = read('arc', [{ question, choices: texts, answer: 0 }, row]);
    await expect(reading).rejects.toThrow(message);
    await expect(reading).rejects.toThrow('arc.jsonl:2');
  });

  it('of TruthfulQA need true answers and false ones', async () => {
    const targets = (labels: readonly number[]) => ({ question, mc2_targets: { choices: texts, labels } });
    await expect(read('truthfulqa-mc2', [targets([1, 0, 1])])).resolves.toHaveLength(1);
    await expect(read('truthfulqa-mc2', [targets([1, 1, 1])])).rejects.toThrow('none is 1, or none is 0');
    await expect(read('truthfulqa-mc2', [targets([1, 0])])).rejects.toThrow('not 3 times 1 or 0');
    const two = { question, mc1: { choices: texts, labels: [0, 1, 1] } };
    await expect(read('truthfulqa-mc1', [two])).rejects.toThrow('not exactly one is 1');
  });

  it('of HellaSwag whose split has no answers say so', async () => {
    const row = { activity_label: 'A', ctx_a: 'b', ctx_b: '', endings: texts, label: '' };
    await expect(read('hellaswag', [row])).rejects.toThrow('take the validation split');
    await expect(read('hellaswag', [{ ...row, label: '3' }])).rejects.toThrow('from 0 to 2');
  });

  it('are chosen by columns, order and number', async () => {
    const splitOf = (i: number): string => (i % 2 === 0 ? 'test' : 'train');
    const rows = Array.from({ length: 20 }, (_, i) => ({ question: `q${i}`, choices: texts, answer: 0, split: splitOf(i) }));
    const first = await read('arc', rows, { where: { split: 'test' }, limit: 3 });
    expect(first.map(({ source }) => source.line)).toEqual([1, 3, 5]);
    const drawn = await read('arc', rows, { shuffle: true, limit: 10 });
    expect(new Set(drawn.map(({ source }) => source.line)).size).toBe(10);
    expect(drawn.map(({ source }) => source.line)).not.toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    await expect(read('arc', rows, { where: { split: 'dev' } })).rejects.toThrow('split is dev (it is test, train)');
    await expect(read('arc', rows, { where: { splits: 'dev' } })).rejects.toThrow('which no row of');
  });

  it.each([
    ['mmlu', 'mmlu.jsonl', {}], ['arc', 'arc_easy.jsonl', {}], ['commonsenseqa', 'commonsenseqa.jsonl', {}],
    ['truthfulqa-mc1', 'truthfulqa.jsonl', {}], ['truthfulqa-mc2', 'truthfulqa.jsonl', {}],
    ['gsm8k', 'gsm8k.jsonl', { where: { split: 'test' } }], ['xstest', 'xstest_prompts.jsonl', {}],
  ])('%s reads the published set as it is', async (task, name, more) => {
    const path = sharedData(name);
    if (path === undefined) return;
    const { data } = TaskOptions.parse({ task, data: { path, ...more } });
    expect((await readItems((TASKS.get(task) as ChoiceTask).row, data)).length).toBeGreaterThan(300);
  });
});
