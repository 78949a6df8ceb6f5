/** The example's held-out prompts must be what the quickstart says they are: other products, asked for in other words. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { words } from '../../src/evaluate/fluency.js';

interface Brief { readonly id: string; readonly category: string; readonly prompt: string }

const read = (name: string): Brief[] =>
  readFileSync(join(import.meta.dirname, '../../../../examples/house-style', name), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Brief);
const train = read('train.jsonl');
const heldout = read('heldout.jsonl');
const ngrams = (text: string, n: number): string[] => words(text).slice(0, words(text).length - n + 1).map((_, i) => words(text).slice(i, i + n).join(' '));

describe('house-style briefs', () => {
  it('are enough, and each is there once', () => {
    expect(train).toHaveLength(96);
    expect(heldout).toHaveLength(80);
    const all = [...train, ...heldout];
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    expect(new Set(all.map(({ prompt }) => prompt)).size).toBe(all.length);
  });

  it('share no category', () => {
    const seen = new Set(train.map(({ category }) => category));
    expect(heldout.filter(({ category }) => seen.has(category))).toEqual([]);
  });

  it('share no opening and no longer phrase', () => {
    const openings = new Set(train.map(({ prompt }) => words(prompt).slice(0, 2).join(' ')));
    expect(heldout.map(({ prompt }) => words(prompt).slice(0, 2).join(' ')).filter((opening) => openings.has(opening))).toEqual([]);
    const phrases = new Set(train.flatMap(({ prompt }) => ngrams(prompt, 4)));
    expect([...new Set(heldout.flatMap(({ prompt }) => ngrams(prompt, 4)))].filter((phrase) => phrases.has(phrase))).toEqual([]);
  });
});
