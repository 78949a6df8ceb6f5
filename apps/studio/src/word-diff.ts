/** What two texts have in common, word by word. */
import { diffWordsWithSpace } from 'diff';

/** A piece of two texts: in both, or in one of them. */
export interface Piece { readonly text: string; readonly of: 'both' | 'first' | 'second' }

/** Edits beyond which two texts are called different as a whole: comparing them would take too long, and show nothing. */
const MOST_EDITS = 1500;

/** The pieces in their order. */
export function wordDiff(first: string, second: string): Piece[] {
  // Scripts without blanks have no words but for those that the browser finds.
  const words = /\s/.test(first.slice(0, 200)) ? undefined : new Intl.Segmenter(undefined, { granularity: 'word' });
  const changes = diffWordsWithSpace(first, second, { maxEditLength: MOST_EDITS, intlSegmenter: words });
  if (changes === undefined) return [{ text: first, of: 'first' }, { text: second, of: 'second' }];
  const ofOne = (removed: boolean): Piece['of'] => (removed ? 'first' : 'second');
  return changes.map(({ value, added, removed }) => ({ text: value, of: added || removed ? ofOne(removed) : 'both' }));
}
