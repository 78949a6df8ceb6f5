import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startOf } from '../../src/generate/grammar/automaton.js';
import { constrain } from '../../src/generate/grammar/constraint.js';
import { OBJECT, VALUE } from '../../src/generate/grammar/json.js';
import { schemaRule } from '../../src/generate/grammar/json-schema.js';
import { type Rule, choice, lazy, optional, repeat, sequence, text } from '../../src/generate/grammar/rule.js';
import { createRandom } from '../../src/run/random.js';
import { createTokenizer } from '../../src/text/tokenizer.js';
import { toyFiles } from '../text/support.js';

const bytesOf = (value: string): Uint8Array => new TextEncoder().encode(value);

/** Whether a text is one of the grammar's. */
function allows(rule: Rule, value: string): boolean {
  let state: ReturnType<ReturnType<typeof startOf>['next']> = startOf(rule);
  for (const byte of bytesOf(value)) state = state?.next(byte);
  return state?.ends === true;
}

/** A text of the grammar, by random steps; after some of them it ends as soon as it may. */
function randomText(rule: Rule, seed: number): string {
  const random = createRandom('grammar', seed), written: number[] = [];
  for (let state = startOf(rule); ;) {
    const open = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => state.next(byte) !== undefined);
    const closing = open.filter((byte) => '"}],:'.includes(String.fromCharCode(byte)));
    if (state.ends && (open.length === 0 || written.length > 80 || random.next() < 0.2)) break;
    const from = written.length > 80 && closing.length > 0 && random.next() < 0.9 ? closing : open;
    const byte = from[Math.floor(random.next() * from.length)]!;
    written.push(byte);
    state = state.next(byte)!;
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(written));
}

describe('a grammar', () => {
  it('allows exactly the texts of its rules', () => {
    const rule = sequence(choice(text('a'), text('ab')), optional(text('c')), repeat(text('d'), 1, 2));
    const letters = ['', 'a', 'b', 'c', 'd'], all = new Set<string>();
    for (const a of letters) for (const b of letters) for (const c of letters) for (const d of letters) for (const e of letters)
      all.add(a + b + c + d + e);
    expect([...all].filter((one) => allows(rule, one)).sort()).toEqual(['abcd', 'abcdd', 'abd', 'abdd', 'acd', 'acdd', 'ad', 'add']);
  });

  it('may be recursive, and empty where it only names itself', () => {
    const nested: Rule = lazy(() => choice(text('x'), sequence(text('('), nested, text(')'))));
    expect(['x', '((x))', '((x)', ''].map((one) => allows(nested, one))).toEqual([true, true, false, false]);
    const nothing: Rule = lazy(() => nothing);
    expect(startOf(nothing)).toMatchObject({ ends: false, goesOn: false });
  });
});

describe('JSON', () => {
  it.each([
    '{"a": [1, -2.5e3, {"b": null}], "ü": "x\\n\\u00e9😀"}', '[]', '{}', '"\\ud7ff"', '{\n  "a": true\n}', '[\n    1,\n    2\n]',
  ])('%s is some', (value) => expect(allows(VALUE, value)).toBe(true));

  const none = ['{a: 1}', '[1,]', '01', '1.', '"\\ud800"', '"\u0007"', '{"a" 1}', 'nul', '', '+1', '.5', '"a', "'a'", 'NaN'];
  it.each(none)('%j is none', (value) => {
    expect(allows(VALUE, value)).toBe(false);
  });

  it('of its rules is read by JSON.parse', () => {
    for (let seed = 0; seed < 60; seed++) expect(JSON.parse(randomText(OBJECT, seed))).toBeTypeOf('object');
  });
});

const TREE = {
  type: 'object', properties: { value: { type: 'integer' }, children: { type: 'array', items: { $ref: '#/$defs/tree' }, maxItems: 2 } },
  required: ['value'], additionalProperties: false,
};
const SCHEMAS: Readonly<Record<string, object>> = {
  object: {
    type: 'object', additionalProperties: false, required: ['name', 'ok'],
    properties: {
      name: { type: 'string', minLength: 2, maxLength: 5 }, age: { type: ['integer', 'null'], minimum: 7, exclusiveMaximum: 131 },
      ok: { type: 'boolean' }, tags: { type: 'array', items: { enum: ['a', 'b"', 3] }, minItems: 1, maxItems: 3 },
    },
  },
  union: { anyOf: [{ type: 'string', maxLength: 2 }, { type: 'object', properties: { kind: { const: 'x' } }, required: ['kind'] }] },
  tuple: { type: 'array', prefixItems: [{ type: 'number' }, { type: 'string', maxLength: 3 }] },
  map: { type: 'object', propertyNames: { enum: ['p', 'q'] }, additionalProperties: { type: 'number', minimum: -0.5, maximum: 2 } },
  recursive: { $ref: '#/$defs/tree', $defs: { tree: TREE } },
  optionals: {
    type: 'object', properties: { a: { type: 'null' }, b: { type: 'null' }, c: { type: 'null' } }, additionalProperties: false,
  },
};

describe('a schema', () => {
  it.each(Object.keys(SCHEMAS))('%s: every text is an instance, as zod reads the schema', (name) => {
    const schema = SCHEMAS[name]!, rule = schemaRule(schema);
    const checked = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);
    const texts = Array.from({ length: 60 }, (_, seed) => randomText(rule, seed));
    for (const one of texts) expect(checked.safeParse(JSON.parse(one)), one).toMatchObject({ success: true });
    expect(new Set(texts.map((one) => JSON.stringify(JSON.parse(one)))).size).toBeGreaterThan(3);
  });

  it('allows each choice of the properties that may be left out, in their order', () => {
    const rule = schemaRule(SCHEMAS['optionals']!);
    for (let bits = 0; bits < 8; bits++) {
      const keys = ['a', 'b', 'c'].filter((_, i) => bits & (1 << i));
      expect(allows(rule, `{${keys.map((key) => `"${key}":null`).join(',')}}`)).toBe(true);
    }
    const not = ['{"b":null,"a":null}', '{,"a":null}', '{"a":null,}', '{"d":null}', '{"a":null,"a":null}'];
    expect(not.filter((one) => allows(rule, one))).toEqual([]);
  });

  it.each([
    [-12, 105], [0, 9], [7, 7], [-1, 1], [98, 1003], [-250, -99], [0, 0],
  ])('whole numbers from %d to %d are those, and no others', (minimum, maximum) => {
    const rule = schemaRule({ type: 'integer', minimum, maximum }), around = Array.from({ length: 2600 }, (_, i) => i - 1300);
    expect(around.filter((n) => allows(rule, String(n)))).toEqual(around.filter((n) => n >= minimum && n <= maximum));
    expect(allows(rule, '-0') || allows(rule, '00')).toBe(false);
  });

  it('numbers keep to their bounds, those that are not allowed themselves too', () => {
    const between = schemaRule({ type: 'number', exclusiveMinimum: -2, maximum: 1.5 });
    const allowed = ['-1.5', '-1', '-0.25', '0', '0.75', '1'], not = ['-2', '-2.5', '-2.0', '1.75', '2', '1e9', '-1e9'];
    expect([...allowed, ...not].filter((one) => allows(between, one))).toEqual(allowed);
    expect(() => schemaRule({ type: 'number', minimum: 0.2, maximum: 0.8 })).toThrow('no number that can be written is between its bounds');
  });

  it.each<[object, string]>([
    [{ type: 'object', properties: { mail: { type: 'string', format: 'email' } } }, '.properties.mail: format is not supported'],
    [{ type: 'array', items: { type: 'string', pattern: '^a' } }, '.items: pattern is not supported'],
    [{ oneOf: [{ type: 'string' }] }, 'oneOf is not supported'],
    [{ anyOf: [{ type: 'string' }], minLength: 3 }, 'minLength beside anyOf is not supported'],
    [{ type: 'text' }, 'type is "text"'],
    [{ $ref: '#/$defs/gone' }, 'names nothing in the schema'],
    [{ type: 'object', properties: {}, required: ['a'] }, '"a" is required and not among its properties'],
    [{ $ref: '#/$defs/a', $defs: { a: { type: 'array', uniqueItems: true } } }, 'at #/$defs/a: uniqueItems is not supported'],
  ])('%j is refused by name', (schema, words) => {
    expect(() => schemaRule(schema)).toThrow(words);
  });
});

describe('the tokens that may come', () => {
  const [files, config] = toyFiles(['</s>'], { eos_token: '</s>' }) as [{ model: { vocab: Record<string, number> } }, object];
  for (const [i, token] of ['tr', 'true', '{"', '":', 'é', 'ax'].entries()) files.model.vocab[token === 'é' ? 'Ã©' : token] = 257 + i;
  const tokenizer = createTokenizer(files, config);

  it('are those whose bytes go on in the grammar, and the end where it may end', () => {
    const place = constrain(tokenizer, schemaRule({ anyOf: [{ type: 'boolean' }, { type: 'string', maxLength: 1 }] })).begin();
    const after = (ids: readonly number[]): string[] => {
      const logits = new Float32Array(300).fill(1);
      ids.reduce((at, id) => at.after(id), place).forbid(logits, [256]);
      return [...logits.keys()].filter((id) => logits[id] === 1).map((id) => (id === 256 ? 'END' : tokenizer.tokenText(id)));
    };
    const id = (token: string): number => tokenizer.tokenId(token)!;
    expect(after([]).sort()).toEqual(['"', '":', 'f', 't', 'tr', 'true']);
    expect(after([id('tr')])).toEqual(['u']);
    expect(after([id('true')])).toEqual(['END']);
    expect(after([id('"'), 'a'.charCodeAt(0)])).toEqual(['"']);
    // The first byte of a character alone: only what completes it may follow.
    expect(after([id('"'), 0xc3])).toEqual(Array.from({ length: 64 }, (_, i) => `\\x${(0x80 + i).toString(16).toUpperCase()}`));
    expect(after([id('"')])).toContain('é');
    expect(after([id('"')])).not.toContain('ax');
  });
});
