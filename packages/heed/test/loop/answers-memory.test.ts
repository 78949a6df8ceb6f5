import { beforeAll, describe, expect, it } from 'vitest';
import type { AnyRow, PromptRow } from '../../src/data/rows.js';
import { type AnswersMemorySetup, foreseeAnswers } from '../../src/loop/answers-memory.js';
import { requireMemory } from '../../src/loop/dry-run.js';
import { makerOf } from '../../src/loop/rows-of.js';
import { type MethodOptions, methodOf } from '../../src/method/index.js';
import { planAdapter } from '../../src/model/adapter.js';
import { type Model, loadModel } from '../../src/model/load.js';
import { TrainOptions } from '../../src/run/recipe-schemas.js';
import { createRespond } from '../../src/text/respond.js';
import { checkMemory } from '../../src/train/memory.js';
import { scratchFolder } from '../support/scratch.js';
import { tinyTalker } from './talkative.js';

// The tokens of this model are bytes.
const { folder } = scratchFolder();
const prompts: PromptRow[] = ['Why?', 'Why is the sky blue?', 'And?'].map((content, i) => ({
  source: { file: 'prompts.jsonl', line: i + 1 }, prompt: [{ role: 'user', content }], extra: {},
}));
let model: Model;
let longest: number;
beforeAll(async () => {
  model = await loadModel(await tinyTalker(folder, { context: 512, leaning: 2 }), { template: undefined, log: () => undefined });
  longest = model.template.prompt(prompts[1]!.prompt).length;
});

const MAKER = { every: 0, maxNewTokens: 100, make: () => { throw new Error('Nothing is to be made here.'); } };

function setup(given: MethodOptions, more: Partial<AnswersMemorySetup> = {}): AnswersMemorySetup {
  const method = methodOf(given);
  const adapter = { rank: 4, alpha: 8, targets: ['gate_proj', 'down_proj'], dropout: 0, rslora: false };
  return {
    model, method, prompts, samples: 4, maxNewTokens: 100, text: createRespond(model.template),
    options: TrainOptions.parse({ batch: 2, microBatch: 1, checkpointing: 'none' }),
    plan: planAdapter(model.checkpoint.tensors.values(), adapter, method.heads),
    limits: { maxTokens: 512, onLong: 'error' }, rowsOf: method.credit === undefined ? makerOf(method.row) : undefined, ...more,
  };
}

describe('what learning from answers will take', () => {
  it.each([
    // An answer begins with a few words of its own, and ends with a token of its own.
    { name: 'kto', sequences: 1 }, { name: 'sft', sequences: 1 }, { name: 'dpo', sequences: 2 },
  ])('is that of $name on the longest prompt and answers of that length', ({ name, sequences }) => {
    const { needed } = foreseeAnswers(setup({ name }))!;
    const each = longest + 100;
    expect(needed.largest.tokens).toBeGreaterThanOrEqual(longest + sequences * 100);
    expect(needed.largest.tokens).toBeLessThanOrEqual(sequences * (each + 30));
  });

  it('is exactly that of a group of rollouts', () => {
    const given = setup({ name: 'rloo' }, { prompts: [prompts[1]!] });
    const { needed } = foreseeAnswers(given)!;
    const ids = Array<number>(100).fill(0);
    const sequence = { prompt: model.template.prompt(prompts[1]!.prompt), response: ids };
    const reference = given.method.reads.reference ? ids : undefined;
    const completion = { completion: '', ids, maxTokens: 100, sampled: ids, reward: 1, advantages: ids, reference };
    const columns = given.method.columnsOf({ ...prompts[1]!, completions: Array.from({ length: 4 }, () => completion) });
    const item = { index: 0, where: 'here', columns, sequences: { [given.method.names[0]!]: Array.from({ length: 4 }, () => sequence) } };
    expect(needed).toEqual(checkMemory({ ...given, items: [item] }).needed);
    expect(needed.largest).toEqual({ rows: 1, tokens: longest + 400 });
  });

  it('refuses answers that the machine cannot hold, with what would fit', () => {
    const given = setup({ name: 'rloo' }, { options: TrainOptions.parse({ batch: 2, microBatch: 2, checkpointing: 'none' }) });
    const { needed: { total, parts } } = foreseeAnswers(given)!;
    const check = foreseeAnswers(given, total - 1, total - parts.weights - 1)!;
    expect(() => { requireMemory(check, () => undefined); }).toThrow(/needs about .* of memory beside its weights/);
    expect(check.ways.map(({ settings }) => settings)).toEqual(['train.microBatch=1']);
  });

  it.each(['error', 'skip', 'truncate-prompt-left'] as const)('counts no more than data.maxTokens, and refuses no row (%s)', (onLong) => {
    // Answers of 100 tokens just fit, or not: what is pretended is longer, and is no reason to refuse a run.
    for (const maxTokens of [longest + 100, longest + 50, 60]) {
      const { needed } = foreseeAnswers(setup({ name: 'kto', loss: 'apo-zero' }, { limits: { maxTokens, onLong } }))!;
      expect(needed.largest.tokens).toBe(maxTokens);
    }
  });

  it('counts the texts that the model is to write for the rows, which have a length of their own', () => {
    const maker = { ...MAKER, pretend: (row: AnyRow, text: string) => ({ ...row, refinement: text }) };
    const needed = (maxNewTokens: number): number =>
      foreseeAnswers(setup({ name: 'ilf' }, { maker: { ...maker, maxNewTokens } }))!.needed.largest.tokens;
    expect(needed(400) - needed(300)).toBe(100);
  });

  it('is unknown where no row can be made: no answer can be better than another one', () => {
    expect(foreseeAnswers(setup({ name: 'dpo' }, { samples: 1 }))).toBeUndefined();
  });
});
