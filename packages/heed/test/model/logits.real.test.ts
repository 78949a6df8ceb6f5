import { concat, input, linear, lower, plus, split, sym } from '@heed/tensor';
import { describe, expect, it } from 'vitest';
import { architectureOf } from '../../src/model/architecture.js';
import { LAYOUT_SIZES, treeAttention } from '../../src/model/attention.js';
import { openCheckpoint } from '../../src/model/checkpoint/open.js';
import { layOut } from '../../src/model/layout.js';
import { decoder, finalNorm, head } from '../../src/model/decoder.js';
import { feedsOf, ropeFeed, scoringFeeds } from '../../src/model/scoring.js';
import { frozenWeights } from '../../src/model/weights.js';
import { json } from './support.js';
import { type Scored, distance, modelFixture, openTiny, scorer, useEngine } from './tiny.js';

const engine = useEngine();
const logprobsOf = (rows: readonly Scored[]) => rows.map((row) => row.logprobs);

describe('log-probabilities equal those of Python transformers', () => {
  const expected = json<Record<string, Scored[]>>(modelFixture('logprobs.json'));
  const variants = [
    ['llama3', 'untied, 4 query and 2 key heads, llama3 rope, f32'],
    ['linear', 'tied, one key head, biases, linear rope, bf16 in three shards'],
    ['plain', 'untied, every head its own keys, default rope, f16'],
  ] as const;
  it.each(variants)('%s: %s', async (name) => {
    const rows = expected[name]!;
    const model = await scorer(engine(), await openTiny(name));
    expect(distance(await model.score(rows, true), logprobsOf(rows))).toBeLessThan(1e-4);
    expect(distance(await model.score(rows, false), logprobsOf(rows))).toBeLessThan(1e-4);
    for (const row of rows) expect(distance(await model.score([row]), [row.logprobs])).toBeLessThan(1e-4);
    await model.release();
  });
});

describe('SmolLM2-135M-Instruct', () => {
  const expected = json<{ sequences: Scored[]; logits: { every: number; prompt: number[]; at: number[]; values: number[][] } }>(
    modelFixture('smollm2.json'),
  );

  it('has the log-probabilities that transformers computes, with a shared prompt and without', async () => {
    const model = await scorer(engine(), await openCheckpoint(undefined));
    expect(distance(await model.score(expected.sequences, true), logprobsOf(expected.sequences))).toBeLessThan(1e-3);
    expect(distance(await model.score(expected.sequences, false), logprobsOf(expected.sequences))).toBeLessThan(1e-3);
    await model.release();
  });

  it('has the logits that transformers computes', async () => {
    const checkpoint = await openCheckpoint(undefined);
    const architecture = architectureOf(checkpoint);
    const { Mp, Mr } = LAYOUT_SIZES;
    const rows = {
      ids: concat([input('promptIds', [Mp], 'int32'), input('responseIds', [Mr], 'int32')], 0),
      positions: input('positions', [1, plus(Mp, Mr)], 'int64'),
      cosine: input('cosine', [sym('ropeRows'), architecture.headSize / 2]),
      sine: input('sine', [sym('ropeRows'), architecture.headSize / 2]),
    };
    const weights = frozenWeights(checkpoint);
    const [prompts] = split(decoder(architecture, weights, rows, treeAttention(architecture, { recompute: false }), 'none'), 0, [Mp, Mr]);
    const program = lower(
      { logits: linear(finalNorm(architecture, weights, prompts!), head(architecture, weights).part(0, architecture.vocabulary)) },
      { folder: checkpoint.folder },
    );
    const session = await engine().compile(program);
    const { every, prompt, at, values } = expected.logits;
    const { logits } = await session.run(
      feedsOf(program, scoringFeeds(layOut([{ prompt, response: [0] }]), architecture, ropeFeed(architecture))),
    );
    const ours = at.map((row, i) => values[i]!.map((_, j) => logits!.data[row * architecture.vocabulary + j * every] as number));
    expect(distance(ours, values)).toBeLessThan(1e-3);
    await session.release();
  });
});
