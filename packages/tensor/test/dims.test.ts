import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Dim, Size, evaluate, numel, plus, sameDim, sameShape, showShape, sym, times } from '../src/dims.js';

const names = ['n', 'm', 'batch', 'n2', 'T_max'] as const;
const bindings = fc.record(
  Object.fromEntries(names.map((name) => [name, fc.integer({ min: 0, max: 50 })])) as Record<(typeof names)[number], fc.Arbitrary<number>>,
);

/** A polynomial as a way to compute it, so that it can be built by Dim's arithmetic or by the numbers' own. */
type Expression = number | string | { readonly sum: readonly Expression[] } | { readonly product: readonly Expression[] };
const { expression } = fc.letrec<{ expression: Expression }>((tie) => ({
  expression: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.integer({ min: -4, max: 9 }),
    fc.constantFrom(...names),
    fc.record({ sum: fc.array(tie('expression'), { maxLength: 3 }) }),
    fc.record({ product: fc.array(tie('expression'), { maxLength: 3 }) }),
  ),
}));

function asDim(e: Expression): Dim {
  if (typeof e === 'number') return e;
  if (typeof e === 'string') return sym(e);
  return 'sum' in e ? plus(...e.sum.map(asDim)) : times(...e.product.map(asDim));
}

/** Exact: products of products leave the range of safe integers. */
function asNumber(e: Expression, at: Readonly<Record<string, number>>): bigint {
  if (typeof e === 'number') return BigInt(e);
  if (typeof e === 'string') return BigInt(at[e]!);
  return 'sum' in e ? e.sum.reduce((a, b) => a + asNumber(b, at), 0n) : e.product.reduce((a, b) => a * asNumber(b, at), 1n);
}

const safe = (n: bigint): boolean => n <= 2n ** 40n && n >= -(2n ** 40n);

describe('polynomials of sizes', () => {
  it('evaluate to what the numbers give', () => {
    fc.assert(fc.property(expression, bindings, (e, at) => {
      const expected = asNumber(e, at);
      fc.pre(safe(expected));
      expect(evaluate(asDim(e), at) + 0).toBe(Number(expected));
    }), { numRuns: 300 });
  });

  it('are commutative, associative and distributive', () => {
    fc.assert(fc.property(expression, expression, expression, (x, y, z) => {
      const [a, b, c] = [asDim(x), asDim(y), asDim(z)];
      const same = (p: Dim, q: Dim): void => expect(sameDim(p, q), `${p} and ${q}`).toBe(true);
      same(plus(a, b), plus(b, a));
      same(times(a, b), times(b, a));
      same(plus(a, plus(b, c)), plus(plus(a, b), c));
      same(times(a, times(b, c)), times(times(a, b), c));
      same(times(a, plus(b, c)), plus(times(a, b), times(a, c)));
      same(plus(a, times(-1, a)), 0);
      same(plus(a, 0), a);
      same(times(a, 1), a);
      same(times(a, 0), 0);
    }), { numRuns: 200 });
  });

  it('are numbers exactly where no symbol is left, and equal only where they agree everywhere', () => {
    fc.assert(fc.property(expression, expression, bindings, bindings, (x, y, p, q) => {
      const [a, b] = [asDim(x), asDim(y)];
      if (typeof a !== 'number') expect(String(a)).toMatch(/[a-zA-Z]/);
      fc.pre([p, q].every((at) => safe(asNumber(x, at)) && safe(asNumber(y, at))));
      if (sameDim(a, b)) for (const at of [p, q]) expect(evaluate(a, at) + 0).toBe(evaluate(b, at) + 0);
    }), { numRuns: 300 });
  });
});

it('names of dimensions: one symbol and nothing else', () => {
  expect(sym('n').symbolName).toBe('n');
  for (const d of [times(2, sym('n')), plus(sym('n'), 1), times(sym('n'), sym('m')), plus(sym('n'), sym('m'))])
    expect((d as Size).symbolName).toBeUndefined();
  expect((plus(sym('n'), sym('m'), times(-1, sym('m'))) as Size).symbolName).toBe('n');
  expect(Size.of(0).symbolName).toBeUndefined();
});

it('shapes', () => {
  const [n, m] = [sym('n'), sym('m')];
  expect(String(numel([n, 3, m, 2]))).toBe('6*m*n');
  expect(numel([])).toBe(1);
  expect(sameShape([n, 2], [sym('n'), 2])).toBe(true);
  expect(sameShape([n, 2], [n, 2, 1])).toBe(false);
  expect(sameShape([n], [m])).toBe(false);
  expect(showShape([plus(n, 1), 4])).toBe('[1 + n, 4]');
  expect(String(Size.of(0))).toBe('0');
});

it('refuses what is no symbol, and symbols without a value', () => {
  for (const name of ['', '2n', 'a b', 'n*m', 'größe']) expect(() => sym(name)).toThrow('A symbol is a word');
  expect(() => evaluate(plus(sym('n'), 2), { m: 3 })).toThrow('The size "2 + n" needs a value for "n".');
});
