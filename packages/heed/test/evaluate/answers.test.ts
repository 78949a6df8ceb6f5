import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { PromptRow } from '../../src/data/rows.js';
import { type EvaluationParts, evaluateAnswers } from '../../src/evaluate/answers.js';
import type { Generator } from '../../src/generate/generator.js';
import { scratchFolder } from '../support/scratch.js';

const { folder } = scratchFolder();

it('keeps what was answered, and measures the same from it', async () => {
  let asked = 0;
  const generator = {
    generate: (requests: readonly object[]) => {
      asked++;
      return Promise.resolve(requests.map((_, row) => ({ row, sample: 0, ids: [row, 3], text: `It is ${row}.`, logprobs: [-0.1 - row / 3, Math.fround(-1 / 7)], finish: 'stop' as const })));
    },
  } as unknown as Generator;
  const rows = [0, 1, 2].map((line): PromptRow => ({ source: { file: 'f', line }, prompt: [{ role: 'user', content: `p${line}` }], extra: {} }));
  const keptIn = join(folder, 'work', 'before.json');
  const parts: EvaluationParts = {
    model: { template: { prompt: () => [1] } } as unknown as EvaluationParts['model'],
    judge: { name: 'j', judge: (given) => Promise.resolve(given.map(({ response }) => ({ satisfied: response.includes('1'), judgment: null, score: 0, findings: [] }))) },
    generator, rows, sampling: { maxNewTokens: 4, temperature: 0, seed: 0 }, keptIn,
  };
  const first = await evaluateAnswers(parts);
  const again = await evaluateAnswers(parts);
  expect(asked).toBe(1);
  expect(again).toEqual(first);
  expect(again.fluency.logprobPerToken).toBe((3 * Math.fround(-1 / 7) - 0.1 - (0.1 + 1 / 3) - (0.1 + 2 / 3)) / 6);
  expect(JSON.parse(readFileSync(keptIn, 'utf8'))).toHaveLength(3);
});
