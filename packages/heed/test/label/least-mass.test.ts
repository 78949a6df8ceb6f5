import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { ChoiceQuestion, ChoiceReply } from '../../src/judge/respondent.js';
import { withLeastMass } from '../../src/label/least-mass.js';
import { openStore } from '../../src/label/store.js';
import { cached } from '../../src/label/cached.js';
import { scratchFolder } from '../support/scratch.js';
import { chose, fake, USAGE } from './fake.js';

const { folder } = scratchFolder();

it('a choice counts only where the judge gave the answers so much probability; the store keeps what it said', async () => {
  const store = await openStore(join(folder, 'labels.db'));
  const unknown: ChoiceReply = { logprobs: [-1, -2], source: 'logprobs', usage: USAGE };
  const inner = fake({ choose: (_, i) => [chose(0.03, 0.01), chose(0.3, 0.2), unknown][i]! });
  const judge = cached(inner, store);
  const questions = ['a', 'b', 'c'].map((content): ChoiceQuestion => ({ messages: [{ role: 'user', content }], answers: ['1', '2'] }));
  const heard: object[] = [];
  const replies = await withLeastMass(judge, 0.1).choose(questions, { onReply: (index, reply) => { heard[index] = reply; } });
  expect(replies).toEqual([
    {
      failure: 'no-such-answer',
      detail: 'the judge would most likely have said something else: the answers together have a probability of 0.04, and leastMass is 0.1',
      usage: USAGE,
    },
    chose(0.3, 0.2),
    unknown,
  ]);
  expect(heard).toEqual(replies);
  expect((await withLeastMass(judge, 0.01).choose(questions)).map((reply) => 'failure' in reply)).toEqual([false, false, false]);
  expect(inner.choices).toHaveLength(3);
  store.close();
});
