import { beforeAll, describe, expect, it } from 'vitest';
import { type WritingSetup, predictWriting, requireWritingMemory } from '../../src/generate/memory.js';
import { planAdapter } from '../../src/model/adapter.js';
import { loadModel } from '../../src/model/load.js';
import { twins } from '../model/packed-model.js';
import { scratchFolder } from '../support/scratch.js';

const { folder } = scratchFolder();
// Llama, 2 layers of width 256, 4 heads of 64, 2 of them with keys, MLPs of 512: in float32, and in codes of 4 and 8 bits.
let wide: WritingSetup;
let codes: WritingSetup;
let plan: NonNullable<WritingSetup['plan']>;
const Q = 256 * 256, UP = 256 * 512;

beforeAll(async () => {
  const made = await twins(folder);
  const asked = { batch: 4, prompts: [100, 30], maxNewTokens: 20 };
  wide = { model: await loadModel(made.widened), ...asked };
  codes = { model: await loadModel(made.codes), ...asked };
  const lora = { rank: 4, alpha: 8, targets: ['q_proj', 'up_proj'], dropout: 0, rslora: false };
  plan = planAdapter(wide.model.checkpoint.tensors.values(), lora);
});

describe('the memory of answering', () => {
  it('holds keys and values of as many answers at a time as there are, for the longest prompts and whole answers', () => {
    // Keys and values, layers, key heads, places (120 rounded up to 64s), numbers of a head, bytes of each.
    const slot = 2 * 2 * 2 * 128 * 64 * 4;
    expect(predictWriting(wide).parts.cache).toBe(2 * slot);
    expect(predictWriting({ ...wide, batch: 1 }).parts.cache).toBe(slot);
    expect(predictWriting({ ...wide, prompts: [1, 2, 3, 4, 5, 100] }).parts.cache).toBe(4 * slot);
    expect(predictWriting({ ...wide, maxNewTokens: 90 }).parts.cache).toBe(2 * slot * (192 / 128));
    // No further ahead than the cache is made, and no further than the context.
    expect(predictWriting({ ...wide, maxNewTokens: 1e6 }).parts.cache).toBeLessThanOrEqual(2 * slot * (1152 / 128));
  });

  it('has a merged copy of the modules of an adapter in float32, and the factors alone beside codes', () => {
    const merged = 2 * 4 * (Q + UP);
    const { adapter } = predictWriting({ ...wide, plan }).parts;
    expect(adapter).toBeGreaterThan(merged);
    expect(adapter).toBeLessThan(merged + 4 * plan.size + 2 * 4 * UP + 1);
    expect(predictWriting({ ...codes, plan }).parts.adapter).toBe(8 * plan.size);
    expect(predictWriting(wide).parts.adapter).toBe(0);
    // What is merged is not packed as well.
    expect(predictWriting(wide).parts.packed - predictWriting({ ...wide, plan }).parts.packed).toBe(merged);
  });

  it('knows weights in codes, those of a file and those that would be made', () => {
    const all = ({ weights, parts }: ReturnType<typeof predictWriting>): number => weights + parts.packed;
    const exact = all(predictWriting(wide));
    const bytes = [...wide.model.checkpoint.tensors.values()].reduce((sum, { length }) => sum + length, 0);
    expect(exact).toBe(bytes);
    // Each code is there twice, as its file has it and as kernels read it.
    for (const rounded of [codes, { ...wide, precision: 'int4' as const }]) {
      expect(all(predictWriting(rounded))).toBeGreaterThan(exact / 5);
      expect(all(predictWriting(rounded))).toBeLessThan(exact / 1.5);
    }
  });
});

describe('requireWritingMemory', () => {
  const never = (line: string): void => { throw new Error(line); };

  it('says nothing where there is room, and where weights find none, that they are read again', () => {
    const { resident, weights } = predictWriting(wide);
    requireWritingMemory([wide], {}, never, resident + weights, resident);
    const said: string[] = [];
    requireWritingMemory([wide], {}, (line) => said.push(line), resident + weights - 1, resident);
    expect(said).toEqual([expect.stringMatching(/weights that find no room are read from the disk again at every token/)]);
  });

  it('refuses what the machine cannot hold, with the settings that fit', () => {
    const long = { ...wide, plan, maxNewTokens: 2000, prompts: Array<number>(4).fill(30) };
    const ways = { maxNewTokens: '--max-tokens ', batch: '--batch ', precision: 'precision=' };
    const refused = (capacity: number, of = [long]): { message: string; hints: string[] } => {
      try {
        requireWritingMemory(of, ways, never, 1e12, capacity);
      } catch (error) {
        return error as { message: string; hints: string[] };
      }
      throw new Error('not refused');
    };
    const { resident } = predictWriting(long);
    const { message, hints } = refused(resident - 1);
    expect(message).toMatch(/^Answering needs about \d+ MB of memory beside the weights, and the machine has \d+ MB\.$/);
    expect(hints).toEqual([
      expect.stringMatching(/^--max-tokens \d+ would need about/), expect.stringMatching(/^--batch 2 would need about/),
      expect.stringMatching(/^precision=int4 would need about/),
    ]);
    const [, tokens] = /^--max-tokens (\d+)/.exec(hints[0]!)!;
    requireWritingMemory([{ ...long, maxNewTokens: Number(tokens) }], {}, never, 1e12, resident - 1);
    expect(refused(1e6).hints).toEqual([expect.stringContaining('No setting makes it fit')]);
    // Two generators take the process once.
    const both = 2 * resident - predictWriting(long).parts.process;
    requireWritingMemory([long, long], {}, never, 1e12, both);
    expect(refused(both - 1, [long, long]).message).toMatch(/^Answering needs/);
  });
});
