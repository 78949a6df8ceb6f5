/** Turns one completion's tokens into text as they come, and finds where a stop text begins. */
export interface TextStream {
  /** Returns the text that this token made certain, without what may be the beginning of a stop text. `stopped`: a stop text was found. */
  push(id: number): { readonly delta: string; readonly stopped: boolean };
  /** Returns the text that was still held back. */
  end(): string;
  /** All text before the stop text, if one was found, and how many tokens lie wholly before it. */
  readonly cut: { readonly text: string; readonly tokens: number } | undefined;
  /** How many tokens lie wholly in the text given so far. A token without text counts with the next token that has some. */
  readonly tokens: number;
}

/** Most bytes of a character in UTF-8. A token can end inside a character. */
const LONGEST_CHARACTER = 4;

/**
 * @param decode Text of token ids; special tokens give none. Only its last few tokens are decoded again at each step.
 * @param stop Texts that end the completion, also where they begin or end inside a token.
 */
export function createTextStream(decode: (ids: readonly number[]) => string, stop: readonly string[]): TextStream {
  const ids: number[] = [];
  /** Length of the text that is certain after each token. */
  const lengths: number[] = [];
  /** Length of the text up to the end of each token, once that is certain. */
  const ends: number[] = [];
  let [window, certain] = [0, 0];
  let text = '';
  let given = 0;
  let cut: TextStream['cut'];

  /** Decodes from a token before the new ones: some vocabularies drop the space that begins a text. */
  const advance = (all: boolean): void => {
    const whole = decode(ids.slice(window));
    let [upTo, after] = [ids.length, whole];
    if (whole.endsWith('\uFFFD') && !all) {
      // The last tokens may be the beginning of a character. A token with as many tokens behind it as a character has bytes is not.
      do {
        upTo = upTo === ids.length ? upTo - LONGEST_CHARACTER + 1 : upTo - 1;
        if (upTo <= certain) return;
        after = decode(ids.slice(window, upTo));
      } while (!whole.startsWith(after));
    }
    const before = decode(ids.slice(window, certain));
    if (after.length <= before.length) return;
    text += after.slice(before.length);
    [window, certain] = [certain, upTo];
    while (ends.length < certain) ends.push(text.length);
  };

  return {
    push(id) {
      ids.push(id);
      const searched = text.length;
      advance(false);
      lengths.push(text.length);
      const from = (s: string): number => text.indexOf(s, Math.max(0, searched - s.length + 1));
      const found = stop.map(from).filter((at) => at >= 0);
      if (found.length === 0) {
        const safe = Math.max(given, text.length - longestBeginning(text, stop));
        const delta = text.slice(given, safe);
        given = safe;
        return { delta, stopped: false };
      }
      const at = Math.min(...found);
      const exact = at === 0 ? 0 : lengths.indexOf(at) + 1;
      const straddled = lengths.findIndex((length) => length > at);
      cut = { text: text.slice(0, at), tokens: at === 0 || exact > 0 ? exact : straddled };
      const delta = cut.text.slice(given);
      given = at;
      return { delta, stopped: true };
    },
    end() {
      if (cut !== undefined) return '';
      advance(true);
      const delta = text.slice(given);
      given = text.length;
      return delta;
    },
    get cut() {
      return cut;
    },
    get tokens() {
      const at = ends.findIndex((end) => end > given);
      return at < 0 ? ends.length : at;
    },
  };
}

/** Length of the longest end of `text` that begins one of the stop texts. */
function longestBeginning(text: string, stop: readonly string[]): number {
  let longest = 0;
  for (const s of stop) {
    for (let n = Math.min(s.length - 1, text.length); n > longest; n--) {
      if (text.endsWith(s.slice(0, n))) longest = n;
    }
  }
  return longest;
}
