/** The example's briefs must be what the quickstart says they are: three sets of other products, asked for in other words. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { applyRules } from '../../src/reward/rules.js';
import { loadRules } from '../../src/reward/rules/load.js';
import { words } from '../../src/text/words.js';

interface Brief { readonly id: string; readonly category: string; readonly prompt: string }

const read = (name: string): Brief[] =>
  readFileSync(join(import.meta.dirname, '../../../../examples/house-style', name), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Brief);
const train = read('train.jsonl');
const dev = read('dev.jsonl');
const heldout = read('heldout.jsonl');
const ngrams = (text: string, n: number): string[] =>
  words(text)
    .slice(0, words(text).length - n + 1)
    .map((_, i) =>
      words(text)
        .slice(i, i + n)
        .join(' '),
    );
const opening = ({ prompt }: Brief): string => words(prompt).slice(0, 2).join(' ');

describe('house-style briefs', () => {
  it('are enough, and each is there once', () => {
    expect([train, dev, heldout].map((set) => set.length)).toEqual([96, 80, 120]);
    const all = [...train, ...dev, ...heldout];
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    expect(new Set(all.map(({ prompt }) => prompt)).size).toBe(all.length);
  });

  it.each([['dev', 'train', dev, train], ['heldout', 'train', heldout, train], ['heldout', 'dev', heldout, dev]] as const)(
    '%s shares no category, no opening and no four words in a row with %s', (_, __, later, earlier) => {
      const seen = (of: (brief: Brief) => readonly string[]): string[] => {
        const known = new Set(earlier.flatMap(of));
        return [...new Set(later.flatMap(of))].filter((part) => known.has(part));
      };
      expect(seen(({ category }) => [category])).toEqual([]);
      expect(seen((brief) => [opening(brief)])).toEqual([]);
      expect(seen(({ prompt }) => ngrams(prompt, 4))).toEqual([]);
    });
});

describe('house-style demonstrations', () => {
  const demonstrations = read('demonstrations.jsonl') as unknown as readonly (Brief & { readonly completion: string })[];

  it('answer briefs to learn on, in their words, and keep every rule', async () => {
    const { rules } = await loadRules(join(import.meta.dirname, '../../../../examples/house-style/house-style.rules.yaml'));
    const briefs = new Map(train.map(({ id, prompt }) => [id, prompt]));
    expect(demonstrations).toHaveLength(16);
    for (const { id, prompt, completion } of demonstrations) {
      expect(prompt, id).toBe(briefs.get(id));
      expect(applyRules(rules, completion), id).toMatchObject({ value: 1, satisfied: true });
    }
  });
});
