/** Two texts in columns. */

const WIDE = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\u3000-\u303f\uff00-\uff60]|\p{Emoji_Presentation}|\ufe0f/u;
const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
const split = (text: string): string[] => Array.from(graphemes.segment(text), ({ segment }) => segment);

/** Columns of a terminal that a text takes: two for East Asian characters and emoji. */
export function cells(text: string): number {
  return split(text).reduce((n, character) => n + (WIDE.test(character) ? 2 : 1), 0);
}

/** Lines of at most `width` cells, broken at spaces, and inside a word only where it is longer than a line. */
export function wrap(text: string, width: number): string[] {
  return text.split('\n').flatMap((paragraph) => {
    const lines: string[] = [];
    let line = '';
    for (const piece of paragraph.match(/\s+|\S+/g) ?? []) {
      if (cells(line) + cells(piece) <= width) {
        line += piece;
        continue;
      }
      if (line !== '') lines.push(line.trimEnd());
      line = '';
      if (piece.trim() === '') continue;
      for (const character of split(piece)) {
        if (cells(line) + cells(character) > width) {
          lines.push(line);
          line = '';
        }
        line += character;
      }
    }
    return [...lines, line.trimEnd()];
  });
}

/** Texts side by side under their names, in `width` cells together. */
export function sideBySide(texts: readonly { readonly name: string; readonly text: string }[], width: number): string {
  const gap = ' │ ';
  const each = Math.floor((width - gap.length * (texts.length - 1)) / texts.length);
  const columns = texts.map(({ name, text }) => [name, '─'.repeat(each), ...wrap(text, each)]);
  const pad = (line: string): string => line + ' '.repeat(Math.max(0, each - cells(line)));
  const height = Math.max(...columns.map((column) => column.length));
  return Array.from({ length: height }, (_, i) => columns.map((column) => pad(column[i] ?? '')).join(gap).trimEnd()).join('\n');
}
