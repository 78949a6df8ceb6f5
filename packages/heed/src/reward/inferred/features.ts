/** What a text can be valued for: named measures of a response to a prompt, computed from the words alone. Lists of words are English. */
import { abstentionsIn } from '../../text/abstention.js';
import { praisesItself } from '../../text/self-praise.js';
import { sentencesOf } from '../../text/sentences.js';
import type { Message } from '../../text/template.js';
import { contentWords, ngrams, plainWords, shareFound } from '../../text/words.js';

/** A response as the measures see it. */
interface Parts {
  /** What the user asked last. */
  readonly asked: string;
  readonly text: string;
  readonly words: readonly string[];
  readonly sentences: number;
}

interface Feature {
  /** What is measured, for people. */
  readonly says: string;
  of(parts: Parts): number;
}

const any = (pattern: RegExp) => ({ text }: Parts): number => Number(pattern.test(text.replaceAll('’', "'")));
/** How many of a hundred words are such words. */
const ofHundred = (is: (word: string) => boolean) => ({ words }: Parts): number =>
  (100 * words.filter(is).length) / Math.max(1, words.length);
const among = (list: string): ((word: string) => boolean) => {
  const known = new Set(list.split(' '));
  return (word) => known.has(word);
};
const REFUSAL = new RegExp(
  String.raw`\bI(?:'m| am)? (?:(?:really |just )?(?:can(?:'t|not)|won't|will not)|(?:not able|unable) to) `
  + '(?:help|assist|do|provide|answer|discuss|give)', 'i',
);
const orZero = (share: number): number => (Number.isNaN(share) ? 0 : share);

const FEATURES = {
  length: { says: 'logarithm of the number of words', of: ({ words }) => Math.log1p(words.length) },
  sentenceLength: { says: 'words in a sentence', of: ({ words, sentences }) => words.length / Math.max(1, sentences) },
  list: {
    says: 'share of lines that are items of a list',
    of({ text }) {
      const lines = text.split('\n').filter((line) => line.trim() !== '');
      return lines.filter((line) => /^\s*(?:[-*•]|\d+[.)])\s/.test(line)).length / Math.max(1, lines.length);
    },
  },
  examples: { says: 'gives an example', of: any(/\b(?:for example|for instance|such as|e\.g\.)/i) },
  numbers: { says: 'numbers among a hundred words', of: ofHundred((word) => /\d/.test(word)) },
  onTopic: {
    says: "share of the question's content words that occur",
    of: ({ asked, text }) => orZero(shareFound(contentWords(asked), contentWords(text))),
  },
  supported: {
    says: 'share of its content words that the question has',
    of: ({ asked, text }) => orZero(shareFound(contentWords(text), contentWords(asked))),
  },
  hedges: {
    says: 'hedges among a hundred words',
    of: ofHundred(among('perhaps maybe might may could possibly probably likely seems seem appears appear generally usually often')),
  },
  unsure: { says: 'says that it does not know', of: ({ text }) => Number(abstentionsIn(text).length > 0) },
  refusal: { says: 'refuses', of: any(REFUSAL) },
  apology: { says: 'apologises', of: any(/\b(?:sorry|apolog(?:y|ies|i[sz]e)|my mistake|forgive me)\b/i) },
  polite: { says: 'is polite', of: any(/\b(?:please|thanks|thank you|you're welcome|glad to|happy to)\b/i) },
  questionBack: { says: 'asks a question', of: any(/\?/) },
  exclamations: {
    says: 'exclamation marks in a sentence', of: ({ text, sentences }) => (text.match(/!/g) ?? []).length / Math.max(1, sentences),
  },
  firstPerson: {
    says: 'I, we and their forms among a hundred words', of: ofHundred(among("i me my mine i'm i've i'd i'll we us our ours we're we've")),
  },
  secondPerson: { says: 'you and its forms among a hundred words', of: ofHundred(among("you your yours you're you've you'll")) },
  selfPraise: { says: 'praises itself or the question', of: ({ text }) => Number(praisesItself(text)) },
  repetition: {
    says: 'share of triples of words that occurred before',
    of({ words }) {
      const all = [...ngrams(words, 3)];
      return all.length === 0 ? 0 : 1 - new Set(all).size / all.length;
    },
  },
} satisfies Readonly<Record<string, Feature>>;

export type FeatureName = keyof typeof FEATURES;
export const FEATURE_NAMES = Object.keys(FEATURES) as FeatureName[];
export const isFeatureName = (name: string): name is FeatureName => Object.hasOwn(FEATURES, name);

/** What a feature measures, for people. */
export const saysOf = (name: FeatureName): string => FEATURES[name].says;

/** The features of a response, in the order of the names. */
export function featuresOf(names: readonly FeatureName[], prompt: readonly Message[], response: string): number[] {
  const asked = prompt.findLast(({ role }) => role === 'user')?.content ?? '';
  const parts = { asked, text: response, words: plainWords(response), sentences: sentencesOf(response).length };
  return names.map((name) => FEATURES[name].of(parts));
}
