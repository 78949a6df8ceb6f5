/** Words of an answer that are marked. */
import type { MarkedSpan } from '../../api.js';

/** A part of a text, and whether it is marked. */
export interface Piece { readonly text: string; readonly marked: boolean; readonly chosen: boolean }
type Range = readonly [start: number, end: number];

/** The pieces of a text between the edges of marks; `chosen` is what is about to be marked. */
export function pieces(text: string, marks: readonly Range[], chosen?: Range): Piece[] {
  const all = chosen === undefined ? marks : [...marks, chosen];
  const edges = [...new Set([0, text.length, ...all.flat()])].filter((edge) => edge >= 0 && edge <= text.length).sort((a, b) => a - b);
  const covers = (ranges: readonly Range[], from: number, to: number): boolean => ranges.some(([start, end]) => start <= from && end >= to);
  return edges.slice(0, -1).map((from, i) => {
    const to = edges[i + 1]!;
    return { text: text.slice(from, to), marked: covers(marks, from, to), chosen: chosen !== undefined && covers([chosen], from, to) };
  });
}

const segmenter = new Intl.Segmenter(undefined, { granularity: 'word' });

/** Where the words of a text stand. */
export const wordsOf = (text: string): Range[] => [...segmenter.segment(text)]
  .filter(({ isWordLike, segment }) => isWordLike || segment.trim() !== '').map(({ index, segment }) => [index, index + segment.length]);

/** A selection grown to whole words; undefined where it holds none. */
export function snapped(text: string, start: number, end: number): Range | undefined {
  const touched = wordsOf(text).filter(([from, to]) => from < end && to > start);
  return touched.length === 0 ? undefined : [touched[0]![0], touched.at(-1)![1]];
}

/** What the browser has selected within an element that holds the text alone. */
export function selectedIn(element: HTMLElement): Range | undefined {
  const selection = getSelection();
  if (selection === null || selection.rangeCount === 0 || selection.isCollapsed) return undefined;
  const range = selection.getRangeAt(0);
  if (!element.contains(range.startContainer) || !element.contains(range.endContainer)) return undefined;
  const before = document.createRange();
  before.selectNodeContents(element);
  before.setEnd(range.startContainer, range.startOffset);
  const start = before.toString().length;
  return snapped(element.textContent ?? '', start, start + range.toString().length);
}

/** A judgment with a quotation behind it, in marks that the words themselves do not have. A quotation is of one line. */
export function quoting(judgment: string, words: string): string {
  const line = words.trim().split('\n')[0]!.trim();
  const quoted = line.includes('"') ? `“${line}”` : `"${line}"`;
  const gap = judgment === '' || /\s$/.test(judgment) ? '' : ' ';
  return `${judgment}${gap}${quoted} `;
}

/** A new mark beside the others; the same place is marked once. */
export const withMark = (spans: readonly MarkedSpan[], text: string, response: number, [start, end]: Range): MarkedSpan[] => [
  ...spans.filter((one) => one.response !== response || one.start !== start || one.end !== end),
  { start, end, quote: text.slice(start, end), response },
];
