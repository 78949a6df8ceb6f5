import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { repeatedKey } from '../../src/data/repeated-key.js';

describe('a key that an object has twice', () => {
  it('is found in no JSON that was written from a value, whatever its strings hold', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => {
      expect(repeatedKey(JSON.stringify(value))).toBeUndefined();
      expect(repeatedKey(JSON.stringify(value, null, 2))).toBeUndefined();
    }));
  });

  it('is found wherever it stands, also where it is spelt differently', () => {
    const key = fc.string({ minLength: 1 });
    fc.assert(fc.property(key, fc.jsonValue(), fc.jsonValue(), (name, one, other) => {
      const [plain, a, b] = [name, one, other].map((x) => JSON.stringify(x)) as [string, string, string];
      const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
      const spelt = `"${name.split('').map(escaped).join('')}"`;
      expect(repeatedKey(`[${a},{"z":{${plain}:${a},${spelt} : ${b}}}]`)).toBe(name);
    }));
  });

  it('is not one that stands in two objects, in a value, or behind an escaped quotation mark', () => {
    expect(repeatedKey('[{"a":1},{"a":"a"},{"b":"\\"a\\": 1, \\"a\\": \\\\","a":{"a":1}}]')).toBeUndefined();
  });
});
