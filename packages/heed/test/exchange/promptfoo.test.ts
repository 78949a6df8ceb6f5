import { describe, expect, it } from 'vitest';
import { findings, refusals, rows } from './support.js';
import { promptfooResult as result } from './samples.js';

const base = { id: '4/0/p', prompt: 'Name a fruit.' };

describe("promptfoo's results", () => {
  it('pass and fail are votes, and pair the answers of one test with equal prompts', () => {
    const good = result('Pear.', true, { provider: { id: 'q' } });
    const found = findings('promptfoo', [
      result('Carrot.', false), good, result('Leek.', false, { testIdx: 5 }), result('Kale.', false, { prompt: { raw: 'Another prompt' } }),
    ]);
    expect(rows(found, 'labelled')).toHaveLength(4);
    expect(rows(found, 'scored')[0]).toEqual({ ...base, completion: 'Carrot.', score: 0.25 });
    expect(rows(found, 'preference')).toEqual([
      { id: '4/0/q>4/0/p', prompt: [{ role: 'user', content: 'Name a fruit.' }], chosen: 'Pear.', rejected: 'Carrot.' },
    ]);
  });

  it("a person's thumb and comment count before the assertions", () => {
    const components = [
      { pass: true, score: 1, reason: 'It names a fruit.', assertion: { type: 'llm-rubric' } },
      { pass: false, score: 0, reason: 'Manual result (overrides all others)', comment: 'No fruit.', assertion: { type: 'human' } },
    ];
    const gradingResult = { pass: false, score: 0, reason: 'Manual result', componentResults: components };
    const manual = result('Carrot.', true, { gradingResult });
    const found = findings('promptfoo', [manual, result('Beet.', true, { testIdx: 1 })]);
    const judged = { ...base, completion: 'Carrot.', judgment: 'No fruit.', satisfied: false };
    expect(rows(found, 'judged', { humanOnly: true })).toEqual([judged]);
    expect(rows(found, 'labelled', { humanOnly: true })).toEqual([{ ...base, completion: 'Carrot.', label: false }]);
    expect(rows(found, 'labelled')).toHaveLength(2);
  });

  it("a rubric's reason is a judgment; one of an assertion without a reader is none", () => {
    const graded = (type: string) => result('Carrot.', false, {
      gradingResult: { pass: false, score: 0, componentResults: [{ pass: false, score: 0, reason: 'A root.', assertion: { type } }] },
    });
    expect(rows(findings('promptfoo', [graded('llm-rubric')]), 'judged')).toEqual([
      { ...base, completion: 'Carrot.', judgment: 'A root.', satisfied: false },
    ]);
    expect(rows(findings('promptfoo', [graded('contains')]), 'judged')).toEqual([]);
  });

  it('a prompt that is a list of messages becomes turns', () => {
    const raw = JSON.stringify([{ role: 'system', content: 'Brief.' }, { role: 'user', content: 'Fruit?' }]);
    expect(rows(findings('promptfoo', [result('Pear.', true, { prompt: { raw } })]), 'labelled')).toEqual([
      expect.objectContaining({ prompt: [{ role: 'system', content: 'Brief.' }, { role: 'user', content: 'Fruit?' }] }),
    ]);
  });

  it('errors, objects and the DPO download are refused', () => {
    const results = [result('', false, { failureReason: 2 }), result({ a: 1 }, true), result('Pear.', true)];
    const download = { chosen: ['a'], rejected: ['b'], prompts: ['x'] };
    const found = findings('promptfoo', [{ evalId: 'e', results: { version: 3, results } }, download]);
    expect(refusals(found)).toEqual({
      'results[] no answer came: the provider failed': 1, 'results[] response.output: is not text': 1,
      'comes from the DPO download, whose prompts lack their variables; import the results: promptfoo eval -o FILE': 1,
    });
    expect(found.answers).toHaveLength(1);
    expect([...found.unused]).toContain('results[].latencyMs');
  });
});
