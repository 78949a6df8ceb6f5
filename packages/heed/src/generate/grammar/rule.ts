/** What texts a grammar allows, as bytes of UTF-8. Rules are values; a recursive one names itself through `lazy`. */
export type Rule =
  | { readonly kind: 'text'; readonly bytes: Uint8Array }
  | { readonly kind: 'set'; readonly has: readonly boolean[] }
  | { readonly kind: 'sequence'; readonly rules: readonly Rule[] }
  | { readonly kind: 'choice'; readonly rules: readonly Rule[] }
  | { readonly kind: 'repeat'; readonly rule: Rule; readonly least: number; readonly most: number }
  | { readonly kind: 'lazy'; readonly rule: () => Rule };

const utf8 = new TextEncoder();

export const text = (value: string): Rule => ({ kind: 'text', bytes: utf8.encode(value) });
export const sequence = (...rules: readonly Rule[]): Rule => ({ kind: 'sequence', rules });
/** One of the rules. Without any rule it matches no text. */
export const choice = (...rules: readonly Rule[]): Rule => (rules.length === 1 ? rules[0]! : { kind: 'choice', rules });
/** @param most Default: any number. */
export const repeat = (rule: Rule, least: number, most = Infinity): Rule => ({ kind: 'repeat', rule, least, most });
export const optional = (rule: Rule): Rule => repeat(rule, 0, 1);

/** A rule that is made when it is first reached, once. */
export function lazy(make: () => Rule): Rule {
  let made: Rule | undefined;
  return { kind: 'lazy', rule: () => (made ??= make()) };
}

/** One byte of these ranges, each a pair of the first and the last. */
export function bytes(...ranges: readonly (readonly [number, number])[]): Rule {
  return { kind: 'set', has: Array.from({ length: 256 }, (_, byte) => ranges.some(([first, last]) => byte >= first && byte <= last)) };
}

/** One ASCII character of these. */
export const oneOf = (characters: string): Rule => bytes(...[...characters].map((c) => [c.charCodeAt(0), c.charCodeAt(0)] as const));
