/** A text that ran into its limit, up to the last sentence that it ended; '' where it ended none. */
export function wholeSentences(text: string): string {
  const end = /^[^]*[.!?]["'”’)\]]*(?=\s|$)/.exec(text.trim());
  return end?.[0].trim() ?? '';
}

/** A part of a text, and where it stands there: `[start, end)` in UTF-16 units. */
export interface Span {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** Titles and the like, after which a full stop ends no sentence. */
const SHORT = /\b(?:Mr|Mrs|Ms|Dr|St|Prof|Sr|Jr|vs|etc|e\.g|i\.e|cf|No|[A-Z])\.$/;

/** The sentences of a text: they end with a full stop, a question mark, an exclamation mark or a line. Without the spaces around them. */
export function sentencesOf(text: string): Span[] {
  const spans: Span[] = [];
  let start = 0;
  const add = (end: number): void => {
    const piece = text.slice(start, end);
    const trimmed = piece.trim();
    if (trimmed !== '') {
      const at = start + piece.indexOf(trimmed);
      spans.push({ text: trimmed, start: at, end: at + trimmed.length });
    }
    start = end;
  };
  for (const match of text.matchAll(/[.!?]+["'”’)\]]*(?=\s|$)|\n+/g)) {
    const end = match.index + match[0].length;
    if (match[0].startsWith('.') && SHORT.test(text.slice(start, end))) continue;
    add(end);
  }
  add(text.length);
  return spans;
}
