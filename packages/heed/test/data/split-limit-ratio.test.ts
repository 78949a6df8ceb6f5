import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.js';
import { hashUnit } from '../../src/data/hash.js';
import { fit, fitAll } from '../../src/data/limit.js';
import { limitSatisfied } from '../../src/data/ratio.js';
import { type CompletionRow, rowDefinition } from '../../src/data/rows.js';
import { splitByPrompt } from '../../src/data/split.js';

const row = (prompt: string, line: number): CompletionRow => ({
  source: { file: 'f', line },
  prompt: [{ role: 'user', content: prompt }],
  completion: `c${line}`,
});
const completion = rowDefinition('completion');
const rows = (prompts: readonly string[]) => prompts.map((prompt, i) => row(prompt, i + 1));

describe('splitByPrompt', () => {
  const hundred = rows(Array.from({ length: 100 }, (_, i) => `prompt ${i}`));

  it('takes a fraction or a count, the rest stays, both in file order', () => {
    expect(splitByPrompt(completion, hundred, 0.1, 0).eval).toHaveLength(10);
    expect(splitByPrompt(completion, hundred, 0.1, 0).train).toHaveLength(90);
    const { eval: held } = splitByPrompt(completion, hundred, 7, 0);
    expect(held).toHaveLength(7);
    expect(held.map(({ source }) => source.line)).toEqual([...held.map(({ source }) => source.line)].sort((a, b) => a - b));
  });

  it('depends on seed and text, not on the order of the file', () => {
    const key = (held: readonly CompletionRow[]) => held.map(({ completion }) => completion).sort();
    const first = splitByPrompt(completion, hundred, 0.2, 1);
    expect(key(splitByPrompt(completion, [...hundred].reverse(), 0.2, 1).eval)).toEqual(key(first.eval));
    expect(key(splitByPrompt(completion, hundred, 0.2, 2).eval)).not.toEqual(key(first.eval));
  });

  it('keeps rows with the same prompt together and never holds out more than asked', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'b', 'c', 'd ', ' d', 'e'), { minLength: 2, maxLength: 30 }),
        fc.integer({ min: 1, max: 10 }),
        fc.nat(),
        (prompts, held, seed) => {
          let split;
          try {
            split = splitByPrompt(completion, rows(prompts), held, seed);
          } catch (error) {
            expect(error).toBeInstanceOf(UserError);
            return;
          }
          expect(split.train.length + split.eval.length).toBe(prompts.length);
          expect(split.eval.length).toBeGreaterThan(0);
          expect(split.eval.length).toBeLessThanOrEqual(held);
          const trained = new Set(split.train.map(({ prompt }) => prompt[0]?.content.trim()));
          for (const { prompt } of split.eval) expect(trained.has(prompt[0]?.content.trim())).toBe(false);
        },
      ),
    );
  });

  it('refuses to leave a part empty', () => {
    expect(() => splitByPrompt(completion, rows(['a', 'a', 'a']), 1, 0)).toThrow(/data.eval: 1 cannot split 3 rows with 1 distinct prompt/);
    expect(() => splitByPrompt(completion, rows(['a', 'b']), 2, 0)).toThrow(UserError);
  });

  it('hashes are sha256, the first 48 bits', () => {
    // printf '0\0a' | sha256sum → 5f1aa0c8dad9…; checked against Python's hashlib.
    expect(hashUnit(0, 'a')).toBe(0.3715000620239586);
  });
});

describe('fit', () => {
  const tokens = { prompt: [1, 2, 3, 4], response: [5, 6, 7] };

  it('cuts the head of the prompt, never the response', () => {
    expect(fit(tokens, 7, 'error')).toEqual({ tokens, cut: 0 });
    expect(fit(tokens, 5, 'truncate-prompt-left')).toEqual({ tokens: { prompt: [3, 4], response: [5, 6, 7] }, cut: 2 });
    expect(fit(tokens, 4, 'truncate-prompt-left')).toEqual({ tokens: { prompt: [4], response: [5, 6, 7] }, cut: 3 });
    expect(fit(tokens, 3, 'truncate-prompt-left')).toEqual({
      tooLong: 'has 4 prompt + 3 response tokens, over maxTokens 3, and the response leaves no room for any of the prompt',
    });
    expect(fit(tokens, 6, 'skip')).toEqual({ tooLong: 'has 4 prompt + 3 response tokens, over maxTokens 6' });
  });

  it('lists all long rows at once', () => {
    const items = [3, 4, 9].map((n, i) => ({
      source: { file: 'f', line: i + 1 },
      tokens: { prompt: Array<number>(n).fill(1), response: [2] },
    }));
    expect(() => fitAll(items, 4, 'error')).toThrow(
      '2 of 3 rows are too long\n  f:2  has 4 prompt + 1 response tokens, over maxTokens 4\n  f:3  has 9 prompt',
    );
    const skipped = fitAll(items, 4, 'skip');
    expect([skipped.kept.length, skipped.skipped.length, skipped.truncated.length]).toEqual([1, 2, 0]);
    const cut = fitAll(items, 4, 'truncate-prompt-left');
    expect(cut.kept.map(({ tokens: { prompt } }) => prompt.length)).toEqual([3, 3, 3]);
    expect(cut.truncated).toEqual([{ source: { file: 'f', line: 2 }, cut: 1 }, { source: { file: 'f', line: 3 }, cut: 6 }]);
    expect(() => fitAll(items, 1, 'truncate-prompt-left')).toThrow('data.maxTokens is 1');
  });
});

describe('limitSatisfied', () => {
  const reversing = { shuffle: <T>(items: readonly T[]): T[] => [...items].reverse() };
  const judged = (pattern: string) => [...pattern].map((c, i) => ({ satisfied: c === '+', i }));

  it('keeps floor(ratio × unsatisfactory) satisfactory rows and the order', () => {
    const kept = (pattern: string, ratio: number) =>
      limitSatisfied(judged(pattern), ratio, reversing)
        .map(({ satisfied }) => (satisfied ? '+' : '-'))
        .join('');
    expect(kept('+-+-+-+-+', 0.25)).toBe('----+');
    expect(kept('+-+-+-+-+', 0.6)).toBe('---+-+');
    expect(kept('+-+-+-+-+', 0)).toBe('----');
    expect(kept('+-+', 5)).toBe('+-+');
    expect(kept('---', 0.25)).toBe('---');
  });

  it('gives the authors’ counts: 287 unsatisfactory of 1000 at 0.25 keep 71', () => {
    expect(limitSatisfied(judged('-'.repeat(287) + '+'.repeat(713)), 0.25, reversing)).toHaveLength(287 + 71);
  });

  it('refuses to keep nothing', () => {
    expect(() => limitSatisfied(judged('++'), 0.25, reversing)).toThrow('All 2 rows are satisfactory');
  });
});
