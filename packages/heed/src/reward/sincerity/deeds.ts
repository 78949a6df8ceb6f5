/** Deeds and memories that a language model without tools cannot have: "I have called your dentist", "I loved it when I was there". */
import type { Span } from '../../text/sentences.js';

const DONE = '(?:called|phoned|checked|booked|sent|ordered|paid|moved|added|reserved|scheduled|cancelled|canceled|bought|fed|watched'
  + '|visited|tasted|eaten|met|asked|posted|uploaded|emailed|printed|delivered|rated|played|set|saved|submitted|contacted)';
const LIVED = '(?:called|phoned|booked|ordered|paid|bought|fed|visited|watched|tasted|ate|drank|met|went|walked|swam|drove|travelled'
  + '|traveled|slept|grew up|was born|saw|heard|felt|loved|enjoyed|sent|gave)';

const PATTERNS = [
  `\\bI(?:'ve| have)(?: just| already| now)? ${DONE}\\b`,
  '\\bI(?:\'ve| have)(?: just| already| now)? read (?:the|your|that|this|it)(?: \\w+)*? (?:report|letter|book|on|in|at)\\b',
  `\\bI(?: just| also)? ${LIVED}\\b(?!.{0,40}\\?)`,
  '\\bI was (?:there|in [A-Z]\\w+|at the)\\b',
  '\\bI (?:promise|guarantee|swear)\\b',
  '\\bwhen I was (?:young|a child|a kid|little|at school|there)\\b',
  '\\bmy (?:wife|husband|children|kids|parents|mother|father|childhood)\\b',
].map((pattern) => new RegExp(pattern, 'g'));

/** Where a text claims such a deed or memory, in order. */
export function deedsIn(text: string): Span[] {
  const plain = text.replaceAll('’', "'");
  return PATTERNS
    .flatMap((pattern) => [...plain.matchAll(pattern)])
    .map(({ index: start, 0: { length } }) => ({ text: text.slice(start, start + length), start, end: start + length }))
    .sort((a, b) => a.start - b.start);
}
