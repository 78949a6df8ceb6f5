import path from 'node:path';
import { view } from '@heed/tensor';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBranchScorer } from '../../src/generate/branch-scorer.js';
import { architectureOf } from '../../src/model/architecture.js';
import { initialParameters, planAdapter } from '../../src/model/adapter.js';
import { openCheckpoint } from '../../src/model/checkpoint/open.js';
import { createScorer } from '../../src/model/scorer.js';
import { shareBeginnings } from '../../src/model/shared-beginnings.js';
import { createRandom } from '../../src/run/random.js';
import { json } from '../model/support.js';
import { type Scored, distance, modelFixture, useEngine } from '../model/tiny.js';

const engine = useEngine();
const architecture = (name: string): string => path.join(import.meta.dirname, '../fixtures/architectures', name);
const FAMILIES = ['mistral', 'qwen2-window', 'qwen3', 'phi3', 'phi3-long', 'gemma3'];
const MODELS = [modelFixture('llama3'), modelFixture('linear'), ...FAMILIES.map(architecture)];

const random = createRandom('branches');
const tokens = (n: number): number[] => Array.from({ length: n }, () => 3 + random.int(20));
const preamble = tokens(40);
const other = [19, ...tokens(30)];
/** Ragged prompts behind two preambles and behind none, with answers of one and of several tokens, one the beginning of another. */
const requests = [
  ...[0, 1, 7, 12].map((n) => ({ prompt: [...preamble, ...tokens(n)], answers: [[4], [5], [4, 6], tokens(9)] })),
  ...[3, 5].map((n) => ({ prompt: [...other, ...tokens(n)], answers: [[7], [8, 9, 10]] })),
  { prompt: [11], answers: [[4], [5, 5]] },
  { prompt: tokens(6), answers: [[4], [5]] },
];

describe.each(MODELS)('%s', (folder) => {
  it('gives branches behind shared beginnings the numbers of whole sequences, in whatever company', async () => {
    const checkpoint = await openCheckpoint(folder);
    const model = { checkpoint, architecture: architectureOf(checkpoint) };
    const [plain, branches] = [await createScorer(engine(), model), await createBranchScorer(engine(), model)];
    const expected = await plain.logProbs(requests.flatMap(({ prompt, answers }) => answers.map((response) => ({ prompt, response }))));
    const seen: number[] = [];
    const together = await branches.logProbs(requests, { onResult: (index) => seen.push(index) });
    expect(distance(together.flat(), expected as number[][])).toBeLessThan(1e-4);
    expect([...seen].sort((a, b) => a - b)).toEqual([...requests.keys()]);
    // Behind what the call before left: the same numbers.
    const alone = [];
    for (const request of [...requests].reverse()) alone.unshift(...(await branches.logProbs([request]))[0]!);
    expect(distance(alone, expected as number[][])).toBeLessThan(1e-4);
    await plain.release();
    await branches.release();
  });
});

it('has the numbers that transformers computes', async () => {
  const checkpoint = await openCheckpoint(architecture('gemma3'));
  const { sequences } = json<{ sequences: readonly Scored[] }>(`${architecture('gemma3')}.json`);
  const scorer = await createBranchScorer(engine(), { checkpoint, architecture: architectureOf(checkpoint) });
  const scored = await scorer.logProbs(sequences.map(({ prompt, response }) => ({ prompt, answers: [response] })));
  expect(distance(scored.map(([logProbs]) => logProbs!), sequences.map(({ logprobs }) => logprobs))).toBeLessThan(1e-4);
  await scorer.release();
});

it('scores with an adapter, and computes a shared preamble once for all rows and calls', async () => {
  const checkpoint = await openCheckpoint(modelFixture('llama3'));
  const model = { checkpoint, architecture: architectureOf(checkpoint) };
  const targets = ['q_proj', 'v_proj', 'down_proj'];
  const plan = planAdapter(checkpoint.tensors.values(), { rank: 2, alpha: 8, targets, dropout: 0, rslora: false });
  const parameters = initialParameters(plan, 1);
  for (const { b } of plan.modules.values()) for (let i = 0; i < b.shape[0] * b.shape[1]; i++) parameters[b.offset + i] = random.normal();
  const adapter = { plan, parameters: view(await engine().upload(parameters)) };
  const base = await createScorer(engine(), model);
  const plain = await createScorer(engine(), model, adapter);
  const branches = await createBranchScorer(engine(), model, adapter);
  const rows = Array.from({ length: 20 }, (_, i) => ({ prompt: [...preamble, i, ...tokens(5)], answers: [[4], [5]] }));
  const sequences = rows.flatMap(({ prompt, answers }) => answers.map((response) => ({ prompt, response })));
  const expected = (await plain.logProbs(sequences)) as number[][];
  expect(distance(await base.logProbs(sequences) as number[][], expected)).toBeGreaterThan(1e-2);
  expect(distance((await branches.logProbs(rows)).flat(), expected)).toBeLessThan(1e-4);
  expect(branches.computed).toBe(40 + 20 * 6);
  await branches.logProbs(rows);
  expect(branches.computed).toBe(40 + 2 * 20 * 6);
  for (const one of [base, plain, branches]) await one.release();
});

it('stops when aborted', async () => {
  const checkpoint = await openCheckpoint(modelFixture('llama3'));
  const scorer = await createBranchScorer(engine(), { checkpoint, architecture: architectureOf(checkpoint) });
  const abort = new AbortController();
  const onResult = (): void => abort.abort(new Error('enough'));
  await expect(scorer.logProbs(requests, { signal: abort.signal, onResult })).rejects.toThrow('enough');
  expect(await scorer.logProbs(requests.slice(0, 1))).toHaveLength(1);
  await scorer.release();
});

describe('sharing beginnings', () => {
  const sequence = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 200 });
  it('puts every sequence into one group whose beginning it has, and never computes more than without', () => {
    const beginning = fc.constantFrom<readonly number[]>([], preamble, other);
    fc.assert(fc.property(fc.array(fc.tuple(beginning, sequence), { maxLength: 12 }), (drawn) => {
      const all = drawn.map(([begin, rest]) => [...begin, ...rest]);
      const groups = shareBeginnings(all, (s) => s);
      expect(groups.flatMap(({ items }) => [...items]).sort()).toEqual([...all].sort());
      for (const { items, length } of groups) for (const s of items) {
        expect(s.length).toBeGreaterThan(length);
        expect(s.slice(0, length)).toEqual(items[0]!.slice(0, length));
      }
      const computed = groups.reduce((n, { items, length }) => n + length + items.reduce((m, s) => m + s.length - length, 0), 0);
      expect(computed).toBeLessThanOrEqual(all.reduce((n, s) => n + s.length, 0));
    }));
  });

  it('keeps preambles apart where that saves more than it costs', () => {
    const [a, b] = [Array<number>(100).fill(1), Array<number>(100).fill(2)];
    const groups = shareBeginnings([[...a, 3], [...b, 3], [...a, 4], [...b, 4], [...a, 5]], (s) => s);
    expect(groups.map(({ items, length }) => [items.length, length])).toEqual([[3, 100], [2, 100]]);
    expect(shareBeginnings([[1, 2], [3, 4], [5]], (s) => s)).toMatchObject([{ length: 0 }]);
    expect(shareBeginnings([], (s: number[]) => s)).toEqual([]);
  });
});
