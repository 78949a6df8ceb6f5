/** Words and n-grams of a text, in lower case, and what two texts share of them. */

/** A word, in any script: "don't", "eco-friendly" and "2.5" are one each, signs are none. */
export const WORD = /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*(?:['’.,-][\p{L}\p{N}][\p{L}\p{N}\p{M}]*)*/gu;

/** The words of a text in lower case; "don't", "eco-friendly" and "2.5" are one word each, signs are none. */
export function words(text: string): string[] {
  return [...text.matchAll(WORD)].map(([word]) => word.toLowerCase());
}

/** The same with straight apostrophes, so that "don’t" and "don't" are one word. */
export const plainWords = (text: string): string[] => words(text.replaceAll('’', "'"));

/** Runs of `n` words, joined by a space. */
export function* ngrams(list: readonly string[], n: number): Generator<string> {
  for (let i = 0; i + n <= list.length; i++) yield list.slice(i, i + n).join(' ');
}

/** English words that name no thing, deed or property: articles, pronouns, prepositions, auxiliaries, and what fills talk. */
const STOP_WORDS = new Set(`
  a an the this that these those i me my mine myself you your yours yourself he him his himself she her hers herself it its
  itself we us our ours ourselves they them their theirs themselves who whom whose which what when where why how and or but
  nor so if then than as because while although though since until of at by for with about against between into through
  during before after above below to from up down in out on off over under again further once here there all any both each
  few more most other some such only own same too very can could will would shall should may might must do does did doing
  done be am is are was were been being have has had having get gets got just also even still yet well really quite much
  many lot like okay ok yes yeah oh hi hello hey please thanks thank not no don't doesn't didn't isn't aren't wasn't weren't
  won't wouldn't can't cannot couldn't shouldn't haven't hasn't hadn't i'm i've i'd i'll you're you've you'd you'll he's
  she's it's we're we've we'll they're they've they'll that's there's what's who's let's let one ones thing things something
  anything nothing everything someone anyone perhaps maybe say says said tell know think way
`.trim().split(/\s+/));

/** Whether a word names no thing, deed or property. English alone. */
export const isStopWord = (word: string): boolean => STOP_WORDS.has(word);

/** The words of a text that say what it is about, in lower case and in order. English stop words are left out, and single letters. */
export const contentWords = (text: string): string[] => plainWords(text).filter((word) => word.length > 1 && !isStopWord(word));

const PLURALS = new Map(Object.entries({ children: 'child', men: 'man', women: 'woman', mice: 'mouse', people: 'person' }));

/**
 * A word without its commonest English endings, so that "dogs" and "dog", "baking" and "bakes" meet. Cruder than Porter's stemmer: it need
 * not give a word, and it must only be the same on both sides.
 */
export function stem(word: string): string {
  const known = PLURALS.get(word);
  if (known !== undefined) return known;
  if (word.length < 4) return word;
  let short = word.replace(/'s$/, '').replace(/(?:ies|ied)$/, 'y').replace(/(?:sses)$/, 'ss');
  if (/[^s]s$/.test(short)) short = short.slice(0, -1);
  short = short.replace(/(?<=[a-z]{3})(?:ing|ed|ly|er)$/, '');
  return short.replace(/([bdfgmnprt])\1$/, '$1').replace(/(?<=[a-z]{3})e$/, '');
}

/** How many of each word. */
export function counts(list: Iterable<string>): Map<string, number> {
  const found = new Map<string, number>();
  for (const word of list) found.set(word, (found.get(word) ?? 0) + 1);
  return found;
}

/** How much of `part` also stands in `whole`, as a share; repeated words count as often as they stand there. NaN where `part` is empty. */
export function shareFound(part: readonly string[], whole: Iterable<string>): number {
  const known = new Set(whole);
  return part.filter((word) => known.has(word)).length / part.length;
}

/** F1 of two lists of words as multisets (Rajpurkar et al., EMNLP 2016, §6.1); 1 for two empty lists, 0 for one. */
export function wordF1(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return Number(a.length === b.length);
  const other = counts(b);
  let common = 0;
  for (const [word, n] of counts(a)) common += Math.min(n, other.get(word) ?? 0);
  return (2 * common) / (a.length + b.length);
}
