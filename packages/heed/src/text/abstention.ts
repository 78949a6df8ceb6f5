/** Phrases with which a text says that its writer does not know. A closed list, English. */
import type { Span } from './sentences.js';

/** Pieces of the patterns below. What a text says of others ("he does not know") does not count. */
const PIECES: Readonly<Record<string, string>> = {
  IAM: "I(?:'m| am)(?: really| honestly| afraid I am| sorry, I am)?",
  IHAVE: "I(?:'ve| have)",
  CANNOT: "(?:do(?:n't| not)|can(?:'t|not| not)|could(?:n't| not)|would(?:n't| not))(?: really| actually| honestly)?",
  KNOW: '(?:know|recogni[sz]e|recall|remember|say|tell|confirm|verify|predict|guess|be (?:sure|certain))',
  DATA: '(?:information|data|record|records|answer|details|access|knowledge)',
};

const PATTERNS = [
  '\\bI(?: really| honestly| simply)? CANNOT KNOW\\b',
  '\\bI(?: really)? do(?:n\'t| not) have (?:any |enough |a |the |that |this |such )?DATA\\b',
  '\\bIHAVE (?:no|not enough|too little) (?:idea|way|means|DATA)\\b',
  '\\bIAM (?:not (?:sure|certain|aware|familiar)|unsure|uncertain|unaware|unfamiliar)\\b',
  '\\bIAM (?:not able|unable) to (?:see|answer|KNOW)\\b',
  '\\bI(?:\'d| would) (?:only |just )?be (?:guessing|inventing|making)\\b',
  '\\bI have(?:n\'t| not| never) (?:seen|read|heard of)\\b',
  '\\bthere(?:\'s| is) no (?:reliable )?way (?:for me )?(?:to|of)\\b',
  '\\b(?:nobody|no one) (?:can |could |really )?(?:know|knows|knew|say|says|tell|predict)\\b',
  '\\bit(?:\'s| is) (?:impossible|not possible|hard)(?: for me)? to KNOW\\b',
  '\\b(?:is|are|remains?) (?:unknown|unknowable|not known|not something I)\\b',
  '\\bbeyond (?:what (?:I|anyone)|my knowledge)\\b',
  '\\bno (?:source|record|data|information) (?:tells|says|exists|is available)\\b',
  '\\bmy (?:information|knowledge|data) (?:may|might|could) be (?:out of date|outdated|wrong|incomplete)\\b',
].map((pattern) => new RegExp(pattern.replaceAll(/[A-Z]{4,}|IAM/g, (piece) => PIECES[piece]!), 'gi'));

/** Where a text says that its writer does not know, in order. */
export function abstentionsIn(text: string): Span[] {
  const plain = text.replaceAll('’', "'").replaceAll(/\s/g, ' ');
  return PATTERNS
    .flatMap((pattern) => [...plain.matchAll(pattern)])
    .map(({ index: start, 0: { length } }) => ({ text: text.slice(start, start + length), start, end: start + length }))
    .sort((a, b) => a.start - b.start);
}
