/** Marks in the place of what tells who somebody is: e-mail addresses, phone and card numbers, IP addresses, street addresses. */

interface Kind {
  readonly what: string;
  readonly mark: string;
  readonly pattern: RegExp;
  /** Whether what looks like one is one. Default: it is. */
  readonly sure?: (found: string) => boolean;
}

/** What is looked for, in this order: what is found first is gone for the others. */
const KINDS: readonly Kind[] = [
  { what: 'e-mail address', mark: '[EMAIL]', pattern: /(?<![\w.+-])[\w.+-]{1,64}@(?:[\p{L}\d-]{1,63}\.)+\p{L}{2,24}(?![\w@])/gu },
  { what: 'card number', mark: '[CARD]', pattern: /(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-]|\.\d)/g, sure: isCard },
  { what: 'IP address', mark: '[IP]', pattern: /(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)/g, sure: isIp4 },
  { what: 'IP address', mark: '[IP]', pattern: /(?<![\w:.])(?:[\da-f]{0,4}:){2,7}[\da-f]{0,4}(?![\w:])/gi, sure: isIp6 },
  {
    what: 'phone number', mark: '[PHONE]', sure: isPhone,
    pattern: /(?<![\w.+/-])(?:\+\d{1,3}[ .-]?|00[1-9]\d{0,2}[ .-]?)?(?:\(\d{1,5}\)[ .-]?)?\d{2,5}(?:[ ./-]?\d{2,5}){1,4}(?![\w/-]|\.\d)/g,
  },
  {
    what: 'street address', mark: '[ADDRESS]',
    // A number before a street (English), or behind one (German, Dutch).
    pattern: new RegExp(
      String.raw`\b\d{1,5}[a-z]? (?:\p{Lu}[\p{L}'.-]+ ){1,4}(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Way)\b\.?`
      + String.raw`|(?<!\p{L})\p{Lu}[\p{L}-]*(?:straße|strasse|str\.|weg|gasse|platz|allee|straat|laan) \d{1,4}[a-z]?\b`, 'gu',
    ),
  },
];

/** Texts with marks, and how often what was found. */
export interface Redacted<T> {
  readonly rows: readonly T[];
  readonly counts: Readonly<Record<string, number>>;
}

/**
 * Puts marks into every text of the rows, at any depth; keys, numbers and the column `id` stay. Names stay too: no rule finds them surely.
 * Card numbers are those whose check digit is right (Luhn, ISO/IEC 7812-1); phone numbers have 7 to 15 digits (ITU-T E.164), and a
 * leading +, 0 or bracket, or three groups or more.
 */
export function redactRows<T extends Readonly<Record<string, unknown>>>(rows: readonly T[]): Redacted<T> {
  const counts: Record<string, number> = {};
  const clean = (value: unknown): unknown => {
    if (typeof value === 'string') return redact(value, counts);
    if (Array.isArray(value)) return value.map(clean);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, clean(inner)]));
  };
  const inRow = ([key, value]: [string, unknown]): [string, unknown] => [key, key === 'id' ? value : clean(value)];
  return { rows: rows.map((row) => Object.fromEntries(Object.entries(row).map(inRow)) as T), counts };
}

function redact(text: string, counts: Record<string, number>): string {
  return KINDS.reduce((out, { what, mark, pattern, sure = () => true }) => out.replace(pattern, (found) => {
    if (!sure(found)) return found;
    counts[what] = (counts[what] ?? 0) + 1;
    return mark;
  }), text);
}

function isCard(found: string): boolean {
  const digits = [...found.replace(/\D/g, '')].map(Number).reverse();
  const sum = digits.reduce((all, digit, i) => all + (i % 2 === 0 ? digit : digit * 2 - (digit > 4 ? 9 : 0)), 0);
  return digits.length >= 13 && new Set(digits).size > 1 && sum % 10 === 0;
}

function isIp4(found: string): boolean {
  return found.split('.').every((part) => Number(part) <= 255 && String(Number(part)) === part);
}

function isIp6(found: string): boolean {
  const parts = found.split(':'), filled = parts.filter((part) => part !== '').length;
  const gaps = found.split('::').length - 1;
  // Times of the day look like short ones: 12:30:05.
  return gaps <= 1 && !found.includes(':::') && (gaps === 1 ? filled >= 2 && filled < 8 : parts.length === 8 && filled === 8);
}

function isPhone(found: string): boolean {
  const digits = found.replace(/\D/g, '').length;
  if (digits < 7 || digits > 15) return false;
  // Dates and years: 2026-01-31, 31.01.2026, 2024-2026.
  if (/^\d{4}[-./ ]\d{1,2}[-./ ]\d{1,2}$|^\d{1,2}[-./ ]\d{1,2}[-./ ]\d{4}$|^\d{4}[-./ ]\d{4}$/.test(found)) return false;
  return /^[+(0]/.test(found) || found.split(/[ ./-]/).length >= 3;
}
