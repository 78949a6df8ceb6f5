import path from 'node:path';
import { type Engine, type Tensor, concat, input, lower, plus, split } from '@heed/tensor';
import { expect, it } from 'vitest';
import { type Architecture, type Attend, architectureOf } from '../../src/model/architecture.js';
import { LAYOUT_SIZES, treeAttention } from '../../src/model/attention.js';
import { type Checkpoint, openCheckpoint } from '../../src/model/checkpoint/open.js';
import { decoder, ropeInputs } from '../../src/model/decoder.js';
import { compileForwardPass } from '../../src/model/forward-pass.js';
import { lastRows, layOut } from '../../src/model/layout.js';
import { attentionOver, feedsOf, ropeFeed, scoringFeeds } from '../../src/model/scoring.js';
import { frozenWeights } from '../../src/model/weights.js';
import { distance, modelFixture, useEngine } from './tiny.js';

const engine = useEngine();
const architecture = (name: string): string => path.join(import.meta.dirname, '../fixtures/architectures', name);
const { Mp, Mr } = LAYOUT_SIZES;

/** Queries and keys of the last layer, a row a token: the whole text alone, as a prompt. */
async function lastLayer(on: Engine, checkpoint: Checkpoint, shape: Architecture, text: readonly number[]) {
  const rows = {
    ids: concat([input('promptIds', [Mp], 'int32'), input('responseIds', [Mr], 'int32')], 0),
    positions: input('positions', [1, plus(Mp, Mr)], 'int64'),
    ...ropeInputs(shape),
  };
  const inner = treeAttention(shape, { recompute: false });
  const seen: Record<string, Tensor> = {};
  const attend: Attend = (layer, q, k, v) => {
    if (layer === shape.layers - 1) Object.assign(seen, { q: split(q, 0, [Mp, Mr])[0]!, k: split(k, 0, [Mp, Mr])[0]! });
    return inner(layer, q, k, v);
  };
  decoder(shape, frozenWeights(checkpoint), rows, attend, 'none');
  const program = lower(seen, { folder: checkpoint.folder });
  const session = await on.compile(program);
  const results = await session.run(feedsOf(program, scoringFeeds(layOut([{ prompt: text, response: [0] }]), shape, ropeFeed(shape))));
  await session.release();
  return { q: Array.from(results['q']!.data, Number), k: Array.from(results['k']!.data, Number) };
}

/** softmax(q·kᵀ·scale) of the last token, the mean over heads, in float64 by loops. */
function bruteForce(
  { heads, keyHeads, headSize: d, scale, local, layers }: Architecture, { q, k }: { q: number[]; k: number[] }, n: number,
): number[] {
  const from = local?.layers[layers - 1] === true ? Math.max(0, n - local.window) : 0;
  const mean = new Array<number>(n).fill(0);
  for (let h = 0; h < heads; h++) {
    const keyHead = Math.floor(h / (heads / keyHeads));
    const scores = Array.from({ length: n }, (_, t) => {
      let dot = 0;
      for (let i = 0; i < d; i++) dot += q[((n - 1) * heads + h) * d + i]! * k[(t * keyHeads + keyHead) * d + i]!;
      return t < from ? -Infinity : dot * scale;
    });
    const most = Math.max(...scores);
    const total = scores.reduce((sum, x) => sum + Math.exp(x - most), 0);
    scores.forEach((x, t) => (mean[t]! += Math.exp(x - most) / total / heads));
  }
  return mean;
}

it.each([
  ['llama3', modelFixture('llama3')],
  ['qwen3', architecture('qwen3')],
  ['qwen2-window, whose last layer sees a few tokens only', architecture('qwen2-window')],
  ['gemma3', architecture('gemma3')],
])('the attention of the last token in the last layer is the softmax by hand: %s', async (_, folder) => {
  const checkpoint = await openCheckpoint(folder);
  const shape = architectureOf(checkpoint);
  const sequences = [
    { prompt: [5, 9, 3, 12, 7], response: [4, 8, 15, 2, 6, 1, 3, 11] },
    { prompt: [5, 9, 3, 12, 7], response: [10, 2] },
    { prompt: [1, 6], response: [13, 3, 3, 9, 2] },
  ];
  const forward = await compileForwardPass(
    engine(), { checkpoint, architecture: shape }, undefined, (read) => ({ attention: read.attention() }),
  );
  const layout = layOut(sequences);
  const last = lastRows(sequences);
  const { attention } = await forward.run(layout, { lastFrom: { data: last, shape: [last.length] } });
  const found = attentionOver(layout, attention!.data).map((own) => Array.from(own));
  const expected: number[][] = [];
  for (const { prompt, response } of sequences) {
    const text = [...prompt, ...response];
    expected.push(bruteForce(shape, await lastLayer(engine(), checkpoint, shape, text), text.length).slice(prompt.length));
  }
  expect(distance(found, expected)).toBeLessThan(1e-6);
  // Some of it lies on the prompt, and tokens differ.
  const [first] = expected as [number[]];
  expect(Math.max(...first) - Math.min(...first)).toBeGreaterThan(1e-3);
  await forward.release();
});
