import type { AddedToken } from './tokenizer-json.js';

/** The tokens that are matched as text before the model splits the rest: control tokens (special) and words added to the vocabulary. */
export class AddedTokens {
  readonly #ids: ReadonlyMap<string, number>;
  readonly #all: ReadonlySet<number>;
  readonly #special: ReadonlySet<number>;
  readonly #every: RegExp | undefined;
  readonly #ordinary: RegExp | undefined;

  constructor(tokens: readonly AddedToken[]) {
    this.#ids = new Map(tokens.map(({ content, id }) => [content, id]));
    this.#all = new Set(tokens.map(({ id }) => id));
    this.#special = new Set(tokens.filter(({ special }) => special).map(({ id }) => id));
    this.#every = pattern(tokens);
    this.#ordinary = pattern(tokens.filter(({ special }) => !special));
  }

  has(id: number): boolean {
    return this.#all.has(id);
  }

  isSpecial(id: number): boolean {
    return this.#special.has(id);
  }

  /** Cuts the text at added tokens: their ids, and the text between. Control tokens count only where `special` is true. */
  split(text: string, special: boolean): (number | string)[] {
    const regex = special ? this.#every : this.#ordinary;
    if (text.length === 0) return [];
    if (!regex) return [text];
    const sections: (number | string)[] = [];
    let at = 0;
    for (const match of text.matchAll(regex)) {
      if (match.index > at) sections.push(text.slice(at, match.index));
      const id = this.#ids.get(match[0]) ?? this.#ids.get(match[0].trim());
      if (id === undefined) throw new Error(`Added token ${JSON.stringify(match[0])} was matched but has no id.`);
      sections.push(id);
      at = match.index + match[0].length;
    }
    if (at < text.length) sections.push(text.slice(at));
    return sections;
  }
}

/** Leftmost, then longest, as the original library matches. */
function pattern(tokens: readonly AddedToken[]): RegExp | undefined {
  if (tokens.length === 0) return undefined;
  const word = '[\\p{L}\\p{N}_]';
  const sources = [...tokens].sort((a, b) => b.content.length - a.content.length).map((token) => {
    const escaped = token.content.replace(/[\\^$.*+?()[\]{}|/-]/g, (c) => `\\${c}`);
    const whole = token.single_word ? `(?<!${word})${escaped}(?!${word})` : escaped;
    return `${token.lstrip ? '\\s*' : ''}${whole}${token.rstrip ? '\\s*' : ''}`;
  });
  return new RegExp(sources.join('|'), 'gu');
}
