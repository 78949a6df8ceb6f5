/** Hides control tokens in text that must not be read as control tokens, length and everything else unchanged. */
export interface Mask {
  readonly hide: (text: string) => string;
  readonly show: (text: string) => string;
}

/**
 * A mask for these texts: the first character of every control token in them is swapped for a private-use character that occurs in
 * none of them. Overlapping occurrences are all broken.
 *
 * @param texts All texts that will be hidden.
 * @param control The control tokens as text.
 */
export function createMask(texts: readonly string[], control: readonly string[]): Mask {
  if (!texts.some((text) => control.some((token) => text.includes(token)))) return { hide: same, show: same };
  const taken = new Set([...texts, ...control].flatMap((text) => [...text]));
  const stands = new Map<string, string>();
  let next = 0xe000;
  for (const token of control) {
    const first = String.fromCodePoint(token.codePointAt(0) as number);
    if (stands.has(first)) continue;
    while (taken.has(String.fromCodePoint(next))) next++;
    stands.set(first, String.fromCodePoint(next++));
  }
  const back = new Map([...stands].map(([first, stand]) => [stand, first]));
  return {
    hide: (text) => {
      const broken = new Set<number>();
      for (const token of control) for (let at = text.indexOf(token); at >= 0; at = text.indexOf(token, at + 1)) broken.add(at);
      let hidden = '';
      let at = 0;
      for (const character of text) {
        hidden += broken.has(at) ? stands.get(character) ?? character : character;
        at += character.length;
      }
      return hidden;
    },
    show: (text) => Array.from(text, (character) => back.get(character) ?? character).join(''),
  };
}

function same(text: string): string {
  return text;
}
