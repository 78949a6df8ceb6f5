
import type { Completion } from '../generate/request.js';

/** What is told by of an answer. */
type Told = Pick<Completion, 'ids' | 'text' | 'finish'>;

/** Signs that a policy degenerates, over all answers of a round: those that were cut off or not rated count too. */
export interface Degenerate {
  /** Answers without a word. */
  readonly empty: number;
  /** Answers that repeat themselves (`repeatsItself`). */
  readonly repetitive: number;
}

/** Answers of fewer tokens are not looked at: a short list or a refrain may well repeat. */
const LEAST = 16;
/** n-grams of so many tokens, as in the paper. */
const N = 4;

/**
 * Whether an answer repeats itself: at least half of its 4-grams of tokens occurred before in it. The share is seq-rep-4 (Welleck et al.,
 * ICLR 2020, arXiv 1908.04319, section 6): 0 for fresh text, near 1 for a loop, in any language. Answers of fewer than 16 tokens never do.
 */
export function repeatsItself(ids: readonly number[]): boolean {
  if (ids.length < LEAST) return false;
  const grams = ids.slice(N - 1).map((_, i) => ids.slice(i, i + N).join(' '));
  return 1 - new Set(grams).size / grams.length >= 0.5;
}

export const degenerate = (answers: readonly Pick<Told, 'ids' | 'text'>[]): Degenerate => ({
  empty: answers.filter(({ text }) => text.trim() === '').length,
  repetitive: answers.filter(({ ids }) => repeatsItself(ids)).length,
});

/** For people: what was counted, and from a quarter of the answers on what to do about it; undefined where all are fine. */
export function describeDegenerate({ empty, repetitive }: Degenerate, answers: number): string | undefined {
  const parts = [...(empty > 0 ? [`${empty} empty`] : []), ...(repetitive > 0 ? [`${repetitive} that repeat themselves`] : [])];
  if (parts.length === 0) return undefined;
  const advice = empty + repetitive >= answers / 4
    ? '; the model writes worse and worse: hold it closer to its reference (method.beta), learn in smaller steps (train.learningRate), '
      + 'or let the reward see it'
    : '';
  return `of ${answers} answers ${parts.join(' and ')}${advice}.`;
}

/** Fewer answers than these may be equal by chance. */
const FEWEST = 8;
/** The shares of the answers from which on they are a sign; of those that are cut off, above which. */
const SHARES = { degenerate: 1 / 4, cut: 1 / 2, same: 0.9 } as const;

/**
 * Signs that a model has collapsed, whatever its rewards say: a quarter of the answers or more are empty or repeat themselves, most are cut
 * off, or nine in ten of at least 8 are the same text.
 */
export function signsIn(answers: readonly Told[]): string[] {
  const { length } = answers;
  const { empty, repetitive } = degenerate(answers);
  const cut = answers.filter(({ finish }) => finish === 'length').length;
  const texts = new Map<string, number>();
  for (const { text } of answers) texts.set(text.trim(), (texts.get(text.trim()) ?? 0) + 1);
  const same = Math.max(0, ...texts.values());
  const said = (n: number, is: boolean, what: string): string[] => (n > 0 && is ? [`${n} of ${length} answers ${what}`] : []);
  return [
    ...said(empty, empty >= SHARES.degenerate * length, 'are empty'),
    ...said(repetitive, repetitive >= SHARES.degenerate * length, 'repeat themselves'),
    ...said(cut, cut > SHARES.cut * length, 'are cut off'),
    ...said(same, length >= FEWEST && same >= SHARES.same * length, 'are the same text'),
  ];
}

/** In one line, what such signs mean. @returns undefined where there are none */
export const describeSigns = (name: string, signs: readonly string[]): string | undefined =>
  (signs.length === 0 ? undefined : `Look at the answers of ${name} before its numbers: ${signs.join(', ')}.`);
