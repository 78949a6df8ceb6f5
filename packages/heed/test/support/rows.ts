import type { AnyRow, Message, PreferenceRow, RefinedRow, RowKind } from '../../src/data/rows.js';
import { type MethodOptions, methodOf } from '../../src/method/index.js';

/** The lines of a file of prompts, "Why 0?", "Why 1?" and so on, with their ids. */
export const promptLines = (n: number, word: string): string =>
  Array.from({ length: n }, (_, i) => `${JSON.stringify({ id: `${word}-${i}`, prompt: `${word} ${i}?` })}\n`).join('');

const user = (content: string): Message[] => [{ role: 'user', content }];

/**
 * Prompt, a good and a bad answer, and what is wrong with the bad one: shared prompts, short rows, and one long row that pads all others.
 */
const material: readonly (readonly [string, string, string, string])[] = [
  ['Name a fruit.', 'An apple.', 'A brick.', '"brick" is no fruit.'],
  ['Name a fruit.', 'Pear', 'A stone, I would say.', '"stone" is no fruit.'],
  ['Say hi.', 'Hello there!', 'Go away!', '"Go away" is rude.'],
  ['What is 2 + 2?', 'Four.', 'It is 5, as far as I know.', '"5" is wrong.'],
  ['Name a fruit.', 'A ripe plum', 'Iron', '"Iron" is a metal.'],
  ['Why is the sky blue?', 'Air scatters blue light more than red light.', 'Because.', 'It gives no reason.'],
  ['x', 'y', 'q', 'z'],
  [
    'Tell me about rain in a few words, please, and take your time over it.',
    'Rain falls from clouds when drops grow heavy, and it feeds rivers.',
    'Rain falls from clouds, and then it falls again, and so on until it stops.',
    '"and so on" says nothing at all.',
  ],
];

/** Eight rows of any kind, as a file would give them. Every other row is satisfactory where a row can be. */
export function sampleRows(kind: RowKind): AnyRow[] {
  return material.map(([prompt, good, bad, judgment], i) => {
    const source = { file: 'rows.jsonl', line: i + 1 };
    const fine = i % 2 === 1;
    const asked = { source, prompt: user(prompt) };
    const judged = { ...asked, completion: fine ? good : bad, judgment: fine ? null : judgment, satisfied: fine };
    switch (kind) {
      case 'conversation':
        return { source, messages: [...user(prompt), { role: 'assistant', content: good }] };
      case 'prompt':
        return { ...asked, extra: {} };
      case 'completion':
        return { ...asked, completion: good };
      case 'judged':
        return judged;
      case 'refined':
        return fine ? judged : { ...judged, refinement: good };
      case 'preference':
        return { ...asked, chosen: good, rejected: bad, ...(i === 2 ? { soft_label: 0.7 } : {}), ...(i === 3 ? { margin: 0.5 } : {}) };
      case 'labelled':
        return { ...asked, completion: fine ? good : bad, label: fine };
      case 'negative':
        return { ...asked, rejected: bad, positives: [good, `${good} Indeed.`, 'That I would rather leave open.'].slice(0, 2 + (i % 2)) };
      case 'choice':
        return {
          ...asked,
          choices: ['A', 'B', 'C', 'D'].slice(0, 2 + (i % 3)),
          targets: i % 3 === 0 ? [0.3, 0.7] : [0, 1, 0, 0].slice(0, 2 + (i % 3)),
        };
      case 'classified':
        return { ...asked, text: fine ? good : bad, label: fine ? 'good' : 'bad' };
      case 'scored':
        return { ...asked, completion: fine ? good : bad, score: fine ? 8 : 2 };
      case 'rollout':
        return {
          ...asked,
          // Token ids that every model of the tests has; the better the answer, the higher its advantages.
          completions: [good, bad].map((completion, k) => {
            const ids = Array.from(completion, (c) => c.charCodeAt(0));
            const each = (of: (t: number) => number): number[] => ids.map((_, t) => of(t));
            return {
              completion, ids, maxTokens: 128, reward: 1 - k,
              advantages: each((t) => (k === 0 ? 0.7 : -0.5) + 0.1 * Math.sin(t + i)),
              sampled: each(() => -5), reference: each((t) => -5 + 0.1 * Math.cos(t)),
              returns: each((t) => 1 - k + 0.01 * t), values: each(() => 0.1),
            };
          }),
        };
      case 'principled':
        return {
          ...asked,
          responses: [good, bad],
          principles: [
            { name: 'Concise', text: 'The answer is short.', negation: 'The answer is long.', score: 1 - i },
            { name: 'Ethical', text: 'The answer harms nobody.', negation: 'The answer harms somebody.', score: 2 },
            { name: 'Precise', text: 'The answer is to the point.', negation: 'The answer wanders.', score: -0.5 },
          ],
        };
    }
  });
}

/** What a method cannot do without, and what makes the sample rows fit it. */
const OPTIONS: Readonly<Record<string, object>> = {
  classifier: { labels: ['good', 'bad'] },
  d2o: { k: 2 },
  // Every satisfactory row is taken.
  cut: { ratio: null }, hindsight: { ratio: null }, ilf: { ratio: null },
  'hindsight-reward': { threshold: 5 },
  // Gentle enough for a tiny random model, whose sigmoid is else flat.
  'sim-npo': { beta: 0.2 },
};

/** Eight rows that a method has a use for with these options. */
export function rowsFor(options: MethodOptions): AnyRow[] {
  const { row, uses, unfit } = methodOf(options);
  return sampleRows(row as RowKind).map((r, i) => {
    // ILF-DPO takes unsatisfactory rows alone: the others are made so.
    if (!uses(r))
      return { ...(r as RefinedRow), satisfied: false, judgment: 'It could be better.', refinement: `${material[i]![1]} So there.` };
    // A loss that sorts takes no soft labels.
    return unfit(r) === undefined ? r : { ...(r as PreferenceRow), soft_label: 1 };
  });
}

/** A method's smallest recipe section. */
export const sampleOptions = (name: string): MethodOptions => ({ name, ...OPTIONS[name] });
