import type { Feed } from '@heed/tensor';
import type { AdaptedWeights } from '../model/weights.js';
import { createRandom } from '../run/random.js';
import type { MicroBatch } from './micro-batch.js';

/**
 * Dropout masks [rows, width] of 0 and 1, one for each adapted module. Each response has its own stream, keyed by (seed, step,
 * module, row of data), and each prompt by its tokens, so that neither micro-batches nor a resume change which entries are
 * dropped. Kept entries come in runs of geometric length, so the time grows with the number of dropped entries.
 */
export function dropoutMasks(
  masks: AdaptedWeights['masks'],
  batch: MicroBatch,
  p: number,
  seed: number,
  step: number,
): Record<string, Feed> {
  if (masks.length === 0) return {};
  const spans = spansOf(batch);
  const rows = batch.layout.promptRows + batch.layout.responseRows;
  return Object.fromEntries(masks.map(({ name, module, width }) => {
    const mask = new Uint8Array(rows * width).fill(1);
    for (const { key, start, length } of spans) {
      const random = createRandom('dropout', seed, step, module, key);
      const end = (start + length) * width;
      let at = start * width + gap(random.next(), p);
      while (at < end) {
        mask[at] = 0;
        at += 1 + gap(random.next(), p);
      }
    }
    return [name, { data: mask, shape: [rows, width] }];
  }));
}

/** The number of entries that are kept before the next dropped one. */
const gap = (u: number, p: number): number => Math.floor(Math.log(1 - u) / Math.log(1 - p));

/**
 * The flat rows of each prompt and response. A response is keyed by its data row and sequence. A prompt is keyed by its tokens, because
 * the rows that share it depend on the micro-batch.
 */
function spansOf({ layout, owners, items }: MicroBatch): { key: string; start: number; length: number }[] {
  const spans: { key: string; start: number; length: number }[] = [];
  const known = new Set<string>();
  let prompt = 0;
  let response = layout.promptRows;
  for (const { item, name, place, sequence } of owners) {
    const content = sequence.prompt.join();
    if (prompt < layout.promptRows && !known.has(content)) {
      known.add(content);
      spans.push({ key: `prompt:${content}`, start: prompt, length: sequence.prompt.length });
      prompt += sequence.prompt.length;
    }
    const key = `response:${items[item]!.index}:${name}${place === 0 ? '' : `:${place}`}`;
    spans.push({ key, start: response, length: sequence.response.length });
    response += sequence.response.length;
  }
  return spans;
}
