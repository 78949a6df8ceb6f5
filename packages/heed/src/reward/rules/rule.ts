/** A rule: a function that finds faults in a text, and the sentence that tells of them. */

/** A fault in a text: where it is, and what to quote when that is not the text there. */
export interface Fault {
  readonly start: number;
  readonly end: number;
  /** Default: the text from start to end. */
  readonly quote?: string;
}

/** Everything that is wrong with a text; empty for a text without faults. */
export type Check = (text: string) => readonly Fault[];

/** A check with the words for its faults. */
export interface Rule {
  readonly id: string;
  readonly check: Check;
  /**
   * A sentence about the faults. `{quotes}` becomes what was found (`"you", "your" and "best"`), each once, in order; `{count}` how many
   * faults there are. Quote: a model learns from words that it sees both in the judgment and in its answer.
   */
  readonly message: string;
}

const PLACES = /\{(\w*)\}/g;

/** What is wrong with a message, or undefined. */
export function messageProblem(message: string): string | undefined {
  const places = [...message.matchAll(PLACES)].map((match) => match[1] ?? '');
  const unknown = places.find((place) => place !== 'quotes' && place !== 'count');
  if (unknown !== undefined) return `the message has the unknown placeholder {${unknown}}; known are {quotes} and {count}`;
  if (!places.includes('quotes')) return 'the message does not quote what was found: write {quotes} where it belongs';
  return undefined;
}

/**
 * A rule written in TypeScript.
 *
 * @example defineRule({ id: 'prices', check: (text) => matches(text, /[$€£]\s?\d+/gu), message: 'It names the price {quotes}.' })
 * @throws when the message lacks `{quotes}` or has another placeholder.
 */
export function defineRule(rule: Rule): Rule {
  const problem = messageProblem(rule.message);
  if (problem !== undefined) throw new Error(`Rule "${rule.id}": ${problem}.`);
  return rule;
}

/** All matches of a global pattern. Empty matches are left out. */
export function matches(text: string, pattern: RegExp): Fault[] {
  const found = [...text.matchAll(pattern)].filter((match) => match[0] !== '');
  return found.map((match) => ({ start: match.index, end: match.index + match[0].length }));
}

/** `"you", "your" and "best"`: each quote once, whatever its case, in order of first use. */
export function joinQuotes(quotes: readonly string[]): string {
  const first = new Map<string, string>();
  for (const quote of quotes) {
    const key = quote.toLowerCase();
    if (!first.has(key)) first.set(key, `"${quote}"`);
  }
  const parts = [...first.values()];
  const last = parts.pop() ?? '';
  return parts.length === 0 ? last : `${parts.join(', ')} and ${last}`;
}

/** The rule's sentence about these quotes. A `$` or a brace in a quote stands for itself. */
export function renderMessage(message: string, quotes: readonly string[]): string {
  const values: Readonly<Record<string, string>> = { quotes: joinQuotes(quotes), count: String(quotes.length) };
  return message.replace(PLACES, (place, name: string) => (Object.hasOwn(values, name) ? values[name]! : place));
}
