import { expect, it } from 'vitest';
import { type JudgmentsOptions, JudgmentsOptions as Judgments, labelJudgments } from '../../src/label/judgments.js';
import type { Pair, Single } from '../../src/label/material.js';
import { PreferencesOptions, labelPreferences } from '../../src/label/preferences.js';
import { RevisionsOptions, labelRevisions } from '../../src/label/revisions.js';
import { chose, fake, said } from './fake.js';

const source = { file: 'rows.jsonl', line: 1 };
const prompt = [{ role: 'user' as const, content: 'Describe a lamp.' }];
const single: Single = { source, prompt, completion: 'A stunning lamp.' };
const REFUSAL = 'I’m sorry, but I can’t help with that.';
const options: JudgmentsOptions = Judgments.parse({ name: 'judgments' });
const rules = [{ name: 'Plain', text: 'It does without hype.', negation: 'It is full of hype.' }];
const containing = (words: string): string => expect.stringContaining(words) as string;
const revise = (words: (asked: string) => string, completion = single.completion) => labelRevisions(
  [{ ...single, completion }], fake({ write: ({ messages }) => said(words(messages[0]!.content)) }),
  RevisionsOptions.parse({ name: 'revisions', principles: 'p.yaml', rounds: 1 }), rules,
);

it('judgments: a refusal is a failure; thoughts before a judgment are no part of it', async () => {
  const thoughtful = '<think>"stunning"? Yes.</think>The word "stunning" is hype.';
  const texts = [REFUSAL, thoughtful, '```\nPerfect.\n```', 'It says “I can’t help with that”.'];
  const { rows, failures } = await labelJudgments(
    texts.map((_, i) => ({ ...single, id: String(i) })), fake({ write: (_, i) => said(texts[i]!) }), options,
  );
  expect(failures).toMatchObject([{ id: '0', failure: 'refused', detail: containing("I'm sorry, but I can't help") }]);
  expect(rows.map(({ judgment, satisfied }) => [judgment, satisfied])).toEqual([
    ['The word "stunning" is hype.', false], [null, true], ['It says “I can’t help with that”.', false],
  ]);
});

it('revisions: a refused critique or revision is a failure, unless a refusal was to be revised', async () => {
  const isRevision = (asked: string): boolean => asked.includes('Rewrite the response');
  expect((await revise(() => REFUSAL)).failures).toMatchObject([{ failure: 'refused', detail: containing('critique') }]);
  const second = await revise((asked) => (isRevision(asked) ? REFUSAL : '"stunning" is hype.'));
  expect(second.failures).toMatchObject([{ failure: 'refused', detail: containing('revision') }]);
  const thinks = await revise((asked) => (isRevision(asked) ? '<think>Shorter.</think>A lamp.' : 'Hm.</think>"stunning" is hype.'));
  expect(thinks.more!['refined']).toMatchObject([{ judgment: '"stunning" is hype.', refinement: 'A lamp.' }]);
  const kept = await revise((asked) => (isRevision(asked) ? REFUSAL : 'It could be kinder.'), 'I cannot help with that.');
  expect(kept.failures).toEqual([]);
});

it('preferences: a rationale that refuses is a failure', async () => {
  const pair: Pair = { source, prompt, responses: ['A lamp.', 'A stunning lamp.'] };
  const how = PreferencesOptions.parse({ name: 'preferences', rationale: {} });
  const judge = fake({ write: (_, i) => said(i === 0 ? REFUSAL : 'The first is plain.'), choose: () => chose(0.8, 0.2) });
  expect((await labelPreferences([pair], judge, how)).failures).toMatchObject([{ failure: 'refused' }]);
});
