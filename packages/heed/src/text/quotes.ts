/** The words of a response that a judgment quotes. */
import { escapePattern } from './pattern.js';

export interface Quote {
  readonly quote: string;
  /** Where it stands in the response, in UTF-16 units: `[start, end)`. */
  readonly start: number;
  readonly end: number;
}

/** "…", “…”, „…“, «…», `…`, and '…' where it is not an apostrophe. */
const QUOTED = /"([^"\n]+)"|“([^”\n]+)”|„([^“”\n]+)[“”]|«([^»\n]+)»|`([^`\n]+)`|(?<![\p{L}\p{N}])'([^'\n]+(?:'\p{L}[^'\n]*)*)'(?![\p{L}\p{N}])/gu;

/**
 * Each place that is quoted, in the order of the judgment; a quotation that is repeated in the response means its first occurrence.
 * `misquotes` counts quotations that the response does not hold: what should have been said, or what the judge made up.
 */
export function quotedSpans(judgment: string, response: string): { readonly spans: readonly Quote[]; readonly misquotes: number } {
  const spans: Quote[] = [];
  let misquotes = 0;
  for (const match of judgment.matchAll(QUOTED)) {
    const words = match.slice(1).find((group) => group !== undefined)!;
    // A judgment puts its own full stop or comma inside.
    const forms = [words, words.trim(), words.trim().replace(/(\.{3}|…|[.,;:!?])$/u, '')].filter((form) => form !== '');
    const quote = forms.find((form) => response.includes(form));
    if (quote === undefined) {
      misquotes++;
      continue;
    }
    const start = response.indexOf(quote);
    const end = start + quote.length;
    if (!spans.some((span) => span.start === start && span.end === end)) spans.push({ quote, start, end });
  }
  return { spans, misquotes };
}

/** A text as a pattern that finds it as whole words, in any case. */
function wholeWords(text: string): RegExp {
  const [before, after] = [/^[\p{L}\p{N}]/u, /[\p{L}\p{N}]$/u].map((edge) => edge.test(text));
  const [left, right] = [before ? String.raw`(?<![\p{L}\p{N}])` : '', after ? String.raw`(?![\p{L}\p{N}])` : ''];
  return new RegExp(`${left}${escapePattern(text)}${right}`, 'giu');
}

/**
 * Every place of a response that a judgment's quotations speak of: where the quoted words stand as whole words, in any case. A judgment
 * names a word once, however often the response has it.
 */
export function quotedPlaces(judgment: string, response: string): Pick<Quote, 'start' | 'end'>[] {
  return quotedSpans(judgment, response).spans.flatMap(({ quote, start, end }) => {
    const places = [...response.matchAll(wholeWords(quote))].map((found) => ({ start: found.index, end: found.index + found[0].length }));
    // A quotation that begins or ends within a word is where it was found.
    return places.length === 0 ? [{ start, end }] : places;
  });
}
