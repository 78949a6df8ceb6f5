/** JSON as a grammar: a subset that every reader takes, in which no part can go on for ever without saying anything. */
import { type Rule, bytes, choice, lazy, oneOf, optional, repeat, sequence, text } from './rule.js';

const DIGIT = oneOf('0123456789');
const HEX = oneOf('0123456789abcdefABCDEF');
const REST = bytes([0x80, 0xbf]);

/** One character beyond ASCII, in UTF-8. */
const WIDE = choice(
  sequence(bytes([0xc2, 0xdf]), REST),
  sequence(bytes([0xe0, 0xe0]), bytes([0xa0, 0xbf]), REST),
  sequence(bytes([0xe1, 0xec], [0xee, 0xef]), REST, REST),
  sequence(bytes([0xed, 0xed]), bytes([0x80, 0x9f]), REST),
  sequence(bytes([0xf0, 0xf0]), bytes([0x90, 0xbf]), REST, REST),
  sequence(bytes([0xf1, 0xf3]), REST, REST, REST),
  sequence(bytes([0xf4, 0xf4]), bytes([0x80, 0x8f]), REST, REST),
);
/** `\n`, `\u00e9`; no half of a surrogate pair. */
const ESCAPE = sequence(text('\\'), choice(
  oneOf('"\\/bfnrt'),
  sequence(text('u'), choice(sequence(oneOf('0123456789abcefABCEF'), HEX), sequence(oneOf('dD'), oneOf('01234567'))), HEX, HEX),
));
const CHARACTER = choice(bytes([0x20, 0x21], [0x23, 0x5b], [0x5d, 0x7e]), WIDE, ESCAPE);

/** A string of so many characters. */
export const string = (least = 0, most = Infinity): Rule => sequence(text('"'), repeat(CHARACTER, least, most), text('"'));

const WHOLE = choice(text('0'), sequence(oneOf('123456789'), repeat(DIGIT, 0, 14)));
/** `.5`: up to 15 digits, which is what a double keeps. */
const FRACTION = sequence(text('.'), repeat(DIGIT, 1, 15));
export const INTEGER = sequence(optional(text('-')), WHOLE);
export const NUMBER = sequence(INTEGER, optional(FRACTION), optional(sequence(oneOf('eE'), optional(oneOf('+-')), repeat(DIGIT, 1, 2))));
export const BOOLEAN = choice(text('true'), text('false'));
export const NULL = text('null');

/** White space between the parts: none, a space, or a new line with its indentation. */
export const SPACE = optional(choice(text(' '), sequence(text('\n'), repeat(text(' '), 0, 24))));
const COMMA = sequence(text(','), SPACE);
const between = (open: string, inside: Rule, close: string): Rule => sequence(text(open), SPACE, inside, text(close));

/** `"key": value`. */
export const member = (key: Rule, value: Rule): Rule => sequence(key, text(':'), SPACE, value, SPACE);

/** Items in brackets, so many of them. */
export function list(item: Rule, open: string, close: string, least = 0, most = Infinity): Rule {
  const rest = (taken: number): Rule => repeat(sequence(COMMA, item), Math.max(0, least - taken), most - taken);
  const some = sequence(item, rest(1));
  if (most === 0) return between(open, sequence(), close);
  return between(open, least === 0 ? optional(some) : some, close);
}

export const array = (item: Rule, least?: number, most?: number): Rule => list(sequence(item, SPACE), '[', ']', least, most);
export const map = (key: Rule, value: Rule): Rule => list(member(key, value), '{', '}');

/** Exactly these items, in this order. */
export const tuple = (items: readonly Rule[]): Rule =>
  between('[', sequence(...items.flatMap((item, i) => [...(i === 0 ? [] : [COMMA]), item, SPACE])), ']');

/** A property of an object. */
export interface Property {
  readonly key: string;
  readonly value: Rule;
  readonly required: boolean;
}

/** Properties in this order; those that are not required may be left out. */
export function object(properties: readonly Property[]): Rule {
  const from = (at: number, first: boolean): Rule => {
    const property = properties[at];
    if (property === undefined) return sequence();
    const { key, value, required } = property;
    const taken = sequence(...(first ? [] : [COMMA]), member(text(JSON.stringify(key)), value), rest(at + 1, false));
    return required ? taken : choice(taken, rest(at + 1, first));
  };
  const known = new Map<string, Rule>();
  const rest = (at: number, first: boolean): Rule => {
    const name = `${at} ${first}`, rule = known.get(name) ?? lazy(() => from(at, first));
    known.set(name, rule);
    return rule;
  };
  return between('{', rest(0, true), '}');
}

export const VALUE: Rule = lazy(() => choice(string(), NUMBER, BOOLEAN, NULL, array(VALUE), OBJECT));
/** Any object. */
export const OBJECT: Rule = lazy(() => map(string(), VALUE));
