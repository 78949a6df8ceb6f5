/** Lists and objects that a cell spells as text: JSON, Python's `repr`, numpy's, which leaves commas out, or what JavaScript prints. */
import { repeatedKey } from './repeated-key.js';
import { halfIn } from './well-formed.js';

const NUMBER = /[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y;
const WORD = /[A-Za-z_][A-Za-z_0-9.]*/y;
const KEY = /[A-Za-z_$][\w$]*(?=\s*:)/y;
const BIG = 15;
const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', v: '\v', a: '\x07', '0': '\0', '\\': '\\', "'": "'", '"': '"', '/': '/', '\n': '',
};
const WORDS: Readonly<Record<string, unknown>> = {
  True: true, False: false, None: null, true: true, false: false, null: null,
};

/** JSON that was written as JSON once more: `"[{\"role\": …}]"`. */
const TWICE = /^"(?:\\*")?\s*[[{]/;

/**
 * Reads text as a list or an object.
 *
 * @returns undefined where the text is none, or holds half a character.
 */
export function parseSpelt(text: string): unknown {
  const trimmed = text.trim();
  if (TWICE.test(trimmed)) {
    const inner = attempt(() => JSON.parse(trimmed));
    return typeof inner === 'string' ? parseSpelt(inner) : undefined;
  }
  if (!/^(\[|\{|\(|array\()/.test(trimmed)) return undefined;
  const value = attempt(() => parseJson(trimmed)) ?? attempt(() => new Literal(trimmed).whole());
  return halfIn(value) === undefined ? value : undefined;
}

function attempt(parse: () => unknown): unknown {
  try {
    return parse();
  } catch (error) {
    if (error instanceof NotLiteral || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/**
 * JSON, in which whole numbers that a double cannot hold stay the digits they are, as text.
 *
 * @throws SyntaxError where it is none, or an object has a key twice: only one of the values would be read
 */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(/\d{16}/.test(text) ? text.replace(TOKEN, digitsAsText) : text);
  const twice = repeatedKey(text);
  if (twice !== undefined) throw new SyntaxError(`one object has the key ${JSON.stringify(twice)} twice`);
  return value;
}

const TOKEN = /"[^"\\]*(?:\\[^][^"\\]*)*"|-?\d[\d.eE+-]*/g;

function digitsAsText(token: string): string {
  return token.length > BIG && losesDigits(token) ? `"${token}"` : token;
}

const losesDigits = (token: string): boolean =>
  /^[+-]?\d+$/.test(token) && !Number.isSafeInteger(Number(token)) && String(Number(token)) !== token;

class NotLiteral extends Error {}

/** A recursive reader of Python's and JavaScript's literals. */
class Literal {
  private at = 0;

  constructor(private readonly text: string) {}

  whole(): unknown {
    const value = this.value();
    this.blanks();
    if (this.at < this.text.length) throw new NotLiteral();
    return value;
  }

  private blanks(): void {
    while (/\s/.test(this.text[this.at] ?? '')) this.at++;
  }

  private take(character: string): boolean {
    this.blanks();
    if (this.text[this.at] !== character) return false;
    this.at++;
    return true;
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }

  private value(): unknown {
    this.blanks();
    if (this.take('[')) return this.items(']');
    if (this.take('(')) return this.items(')');
    if (this.take('{')) return this.entries();
    const start = this.text[this.at];
    if (start === '"' || start === "'") return this.string();
    const number = this.match(NUMBER);
    if (number !== undefined) {
      return losesDigits(number) ? number : Number(number);
    }
    return this.word();
  }

  private word(): unknown {
    const word = this.match(WORD);
    if (word === 'array' && this.take('(')) {
      const value = this.value();
      // `dtype=object`
      if (this.take(',') && (this.blanks(), this.match(WORD) !== 'dtype' || !this.take('=') || this.match(WORD) === undefined)) {
        throw new NotLiteral();
      }
      if (!this.take(')')) throw new NotLiteral();
      return value;
    }
    if (word === undefined || !Object.hasOwn(WORDS, word)) throw new NotLiteral();
    return WORDS[word];
  }

  private items(end: string): unknown[] {
    const items: unknown[] = [];
    while (!this.take(end)) {
      items.push(this.value());
      // numpy writes no commas.
      this.take(',');
    }
    return items;
  }

  private entries(): Record<string, unknown> {
    const entries: [string, unknown][] = [];
    while (!this.take('}')) {
      // JavaScript prints keys without quotation marks.
      const key = this.match(KEY) ?? this.value();
      if (typeof key !== 'string' || !this.take(':')) throw new NotLiteral();
      // Only one of the values would be read.
      if (entries.some(([other]) => other === key)) throw new NotLiteral();
      entries.push([key, this.value()]);
      if (!this.take(',') && this.text[this.at] !== '}') throw new NotLiteral();
    }
    return Object.fromEntries(entries);
  }

  private string(): string {
    const quote = this.text[this.at++]!;
    let text = '';
    for (;;) {
      const character = this.text[this.at++];
      if (character === undefined) throw new NotLiteral();
      if (character === quote) return text;
      text += character === '\\' ? this.escape() : character;
    }
  }

  private escape(): string {
    const kind = this.text[this.at++] ?? '';
    const digits = ({ x: 2, u: 4, U: 8 } as Readonly<Record<string, number>>)[kind];
    if (digits === undefined) return ESCAPES[kind] ?? `\\${kind}`;
    const code = this.text.slice(this.at, this.at + digits);
    if (!/^[0-9a-fA-F]+$/.test(code) || code.length < digits || Number.parseInt(code, 16) > 0x10ffff) throw new NotLiteral();
    this.at += digits;
    const number = Number.parseInt(code, 16);
    return kind === 'u' ? String.fromCharCode(number) : String.fromCodePoint(number);
  }
}
