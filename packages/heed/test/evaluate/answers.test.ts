import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { PromptRow } from '../../src/data/rows.js';
import { type EvaluationParts, evaluateAnswers } from '../../src/evaluate/answers.js';
import { UserError } from '../../src/errors.js';
import type { Generator } from '../../src/generate/generator.js';
import type { Failure } from '../../src/judge/respondent.js';
import type { Rated, Reward } from '../../src/reward/reward.js';
import { proportionInterval } from '../../src/run/statistics.js';
import { scratchFolder } from '../support/scratch.js';

const { folder } = scratchFolder();

const rewardOf = (rate: (response: string) => Rated | Failure): Reward => ({
  name: 'r', drawsLine: true, close: () => Promise.resolve(), rate: (items) => Promise.resolve(items.map(({ response }) => rate(response))),
});

it('keeps what was answered, and measures the same from it', async () => {
  let asked = 0;
  const generator = {
    generate: (requests: readonly object[]) => {
      asked++;
      return Promise.resolve(requests.map((_, row) => ({
        row, sample: 0, ids: [row, 3], text: `It is ${row}.`, logprobs: [-0.1 - row / 3, Math.fround(-1 / 7)], finish: 'stop' as const,
      })));
    },
  } as unknown as Generator;
  const rows = [0, 1, 2].map((line): PromptRow => (
    { source: { file: 'f', line }, prompt: [{ role: 'user', content: `p${line}` }], extra: {} }
  ));
  const keptIn = join(folder, 'work', 'before.json');
  const parts: EvaluationParts = {
    model: { template: { prompt: () => [1] } } as unknown as EvaluationParts['model'],
    reward: rewardOf((response) => (
      { value: response.includes('1') ? 2 : 0.5, reason: null, satisfied: response.includes('1'), findings: [] }
    )),
    generator, rows, sampling: { maxNewTokens: 4, temperature: 0, seed: 0 }, keptIn,
  };
  const first = await evaluateAnswers(parts);
  const again = await evaluateAnswers(parts);
  expect(asked).toBe(1);
  expect(again).toEqual(first);
  expect(again.fluency.logprobPerToken).toBe((3 * Math.fround(-1 / 7) - 0.1 - (0.1 + 1 / 3) - (0.1 + 2 / 3)) / 6);
  expect(JSON.parse(readFileSync(keptIn, 'utf8'))).toHaveLength(3);

  // Means are over the answers with a rating; a failure is neither bad nor 0.
  expect(first).toMatchObject({ value: { mean: 1, n: 3 }, satisfied: proportionInterval(1, 3), findings: { mean: 0, n: 3 }, failures: {} });
  const slow = rewardOf((text) => (text.includes('2') ? { failure: 'timeout', detail: 'slow' } : { value: -3, reason: null }));
  const failing = await evaluateAnswers({ ...parts, reward: slow });
  expect(failing).toMatchObject({ value: { mean: -3, n: 2 }, failures: { timeout: 1 } });
  expect(failing.satisfied).toBeUndefined();
  expect(failing.findings).toBeUndefined();
  await expect(evaluateAnswers({ ...parts, reward: rewardOf(() => ({ failure: 'refused', detail: 'not I' })) })).rejects.toThrow(
    new UserError('None of 3 answers got a rating from r: refused 3.', ['The first: not I']),
  );
});
