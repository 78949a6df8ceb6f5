/** Names in a text: runs of capitalised words that do not merely begin a sentence. */
import { type Span, sentencesOf } from './sentences.js';

const CAPITALISED = /\p{Lu}[\p{L}\p{M}\p{N}'’-]*(?:[ \t]+\p{Lu}[\p{L}\p{M}\p{N}'’-]*)*/gu;

/** Words with a capital letter that are not names. */
const NO_NAMES = /^(?:I|I['’]\w+|OK|Yes|No|Mr|Mrs|Ms|Dr)$/;

/**
 * The names of a text, in order. A capitalised word that begins a sentence counts only where it begins a longer name ("Karl Obst sang") or
 * stands elsewhere in the text too, since any word has a capital there.
 */
export function namesIn(text: string): Span[] {
  const found: Span[] = [];
  const doubtful: Span[] = [];
  for (const sentence of sentencesOf(text)) {
    for (const match of sentence.text.matchAll(CAPITALISED)) {
      const start = sentence.start + match.index;
      const span = { text: match[0], start, end: start + match[0].length };
      if (NO_NAMES.test(span.text)) continue;
      const begins = /^["'“‘(\[]*$/.test(sentence.text.slice(0, match.index));
      if (begins && !/\s/.test(span.text)) doubtful.push(span);
      else if (!begins) found.push(span);
      else found.push(...longer(span));
    }
  }
  const known = new Set(found.flatMap((span) => span.text.split(/\s+/)));
  return [...found, ...doubtful.filter((span) => known.has(span.text))].sort((a, b) => a.start - b.start);
}

/** At the beginning of a sentence, "The Blue Olive" and "Karl Obst": without a first word that merely begins. */
function longer(span: Span): Span[] {
  const cut = /^(?:The|A|An|In|On|At|My|Our|Your|His|Her|Its|Their|This|That|And|But|Dear|When|If|For|From|Is|Are|Was|Did|Does|Do)\s+/.exec(span.text);
  const start = span.start + (cut?.[0].length ?? 0);
  const text = span.text.slice(cut?.[0].length ?? 0);
  return text === '' ? [] : [{ text, start, end: span.end }];
}
