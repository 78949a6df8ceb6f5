import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { type RatedAnswer, openRolloutLog } from '../../src/loop/rollout-log.js';
import { rolloutMetrics } from '../../src/loop/rollout-metrics.js';
import type { Message } from '../../src/text/template.js';
import { scratchFolder } from '../support/scratch.js';

const { folder } = scratchFolder();

it('the log of rollouts says which answers of earlier rounds it has lost', async () => {
  const file = join(folder, 'rollouts.jsonl');
  const lines = [1, 1, 2, 3, 3].map((round, sample) => `${JSON.stringify({ round, sample })}\n`);
  writeFileSync(file, lines.join(''));
  const said: string[] = [];
  const log = openRolloutLog(file, 2, (line) => said.push(line));
  await log.check(5);
  expect(said).toEqual([
    `${file} has 1 of the 2 answers of round 2: the others were lost.`, `${file} has 0 of the 2 answers of round 4: the others were lost.`,
  ]);
  // Once a process.
  await log.check(6);
  expect(said).toHaveLength(2);
  const first: string[] = [];
  await openRolloutLog(join(folder, 'none.jsonl'), 2, (line) => first.push(line)).check(1);
  expect(first).toEqual([]);
});

/** An answer of so many tokens to a prompt. */
function answered(prompt: readonly Message[], tokens: number, finish: 'stop' | 'length' = 'stop'): RatedAnswer {
  const zeros = new Array<number>(tokens).fill(0);
  return {
    answer: { round: 1, row: 0, sample: 0, text: 'So.', ids: zeros, logprobs: zeros, finish },
    prompt: { source: { file: 'rows', line: 7 }, prompt: [...prompt], extra: {} }, promptTokens: 2,
    result: { value: 1, reason: null }, rollout: { group: 0, reward: 1, tokens }, credit: { advantages: zeros },
  };
}

it('a line has the whole conversation where the prompt is longer than one turn', async () => {
  const file = join(folder, 'turns.jsonl');
  const talk: Message[] = [
    { role: 'system', content: 'Be brief.' }, { role: 'user', content: 'Who was it?' }, { role: 'assistant', content: 'Ada.' },
    { role: 'user', content: 'When?' },
  ];
  await openRolloutLog(file, 2, () => undefined).append(1, [answered(talk, 3), answered(talk.slice(3), 3)]);
  const [long, short] = readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(long).toMatchObject({ prompt: 'When?', messages: talk });
  expect(short).toMatchObject({ prompt: 'When?' });
  expect(short).not.toHaveProperty('messages');
});

it('lengths of ended answers leave out those that were cut off; where none ended they are 0, as in TRL', async () => {
  const of = (name: string, ...rated: RatedAnswer[]) => rolloutMetrics(rated, join(folder, name), join(folder, 'before'));
  const [prompt] = [[{ role: 'user', content: 'So?' }]] as const;
  expect(await of('some', answered(prompt, 3), answered(prompt, 9, 'length'), answered(prompt, 6))).toMatchObject({
    'completions/mean_length': 6, 'completions/min_length': 3, 'completions/max_length': 9,
    'completions/mean_terminated_length': 4.5, 'completions/min_terminated_length': 3, 'completions/max_terminated_length': 6,
    'completions/clipped_ratio': 1 / 3, num_tokens: 24,
  });
  expect(await of('none', answered(prompt, 9, 'length'))).toMatchObject({
    'completions/mean_terminated_length': 0, 'completions/min_terminated_length': 0, 'completions/max_terminated_length': 0,
  });
});
