/**
 * Sizes of dimensions that may be unknown while a graph is traced: integer polynomials over named symbols, so that
 * `batch × length` can be reshaped, compared and later evaluated without tracing or compiling again.
 */
export class Size {
  private constructor(private readonly terms: ReadonlyMap<string, number>) {}

  /** A dimension known only when the graph runs, for example `sym('batch')`. */
  static symbol(name: string): Size {
    if (!/^[A-Za-z_]\w*$/.test(name)) throw new Error(`A symbol is a word, not ${JSON.stringify(name)}.`);
    return new Size(new Map([[name, 1]]));
  }

  static of(dim: Dim): Size {
    return dim instanceof Size ? dim : new Size(dim === 0 ? new Map() : new Map([['', dim]]));
  }

  plus(other: Dim): Dim {
    const sum = new Map(this.terms);
    for (const [monomial, factor] of Size.of(other).terms) add(sum, monomial, factor);
    return simplify(new Size(sum));
  }

  times(other: Dim): Dim {
    const product = new Map<string, number>();
    for (const [a, p] of this.terms) for (const [b, q] of Size.of(other).terms) add(product, join(a, b), p * q);
    return simplify(new Size(product));
  }

  /** The number this stands for once every symbol has one. Throws if a symbol is unbound. */
  evaluate(bindings: Readonly<Record<string, number>>): number {
    let total = 0;
    for (const [monomial, factor] of this.terms) {
      let value = factor;
      for (const name of monomial === '' ? [] : monomial.split('*')) {
        const bound = bindings[name];
        if (bound === undefined) throw new Error(`The size "${this}" needs a value for "${name}".`);
        value *= bound;
      }
      total += value;
    }
    return total;
  }

  /** The name, if this is one symbol and nothing else: such a dimension binds the symbol when the graph is fed. */
  get symbolName(): string | undefined {
    if (this.terms.size !== 1) return undefined;
    const [[monomial, factor]] = [...this.terms] as [[string, number]];
    return factor === 1 && monomial !== '' && !monomial.includes('*') ? monomial : undefined;
  }

  get constant(): number | undefined {
    if (this.terms.size === 0) return 0;
    return this.terms.size === 1 ? this.terms.get('') : undefined;
  }

  toString(): string {
    if (this.terms.size === 0) return '0';
    const show = ([monomial, factor]: [string, number]): string => {
      if (monomial === '') return `${factor}`;
      return factor === 1 ? monomial : `${factor}*${monomial}`;
    };
    return [...this.terms].sort(([a], [b]) => (a < b ? -1 : 1)).map(show).join(' + ');
  }
}

/** A dimension: a number, or a polynomial over symbols. Non-negative. */
export type Dim = number | Size;
export type Shape = readonly Dim[];

/**
 * A dimension known only when the graph runs. An input that has it as a whole dimension binds it.
 *
 * @throws Error where the name is no word of letters, digits and _
 */
export const sym = (name: string): Size => Size.symbol(name);
/** Sum of dimensions: a number where all are numbers or the symbols cancel. */
export const plus = (...dims: Dim[]): Dim =>
  dims.reduce((a, b) => (typeof a === 'number' && typeof b === 'number' ? a + b : Size.of(a).plus(b)), 0);
/** Product of dimensions, as `plus`; 1 of none. */
export const times = (...dims: Dim[]): Dim =>
  dims.reduce((a, b) => (typeof a === 'number' && typeof b === 'number' ? a * b : Size.of(a).times(b)), 1);
/** How many elements a shape has. */
export const numel = (shape: Shape): Dim => times(...shape);
/** Whether two dimensions are equal as polynomials, whatever the symbols stand for. */
export const sameDim = (a: Dim, b: Dim): boolean => a === b || String(a) === String(b);
export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((d, i) => sameDim(d, b[i]!));
/** The number that a dimension stands for once every symbol has one. @throws Error where a symbol has none */
export const evaluate = (dim: Dim, bindings: Readonly<Record<string, number>>): number =>
  typeof dim === 'number' ? dim : dim.evaluate(bindings);
export const showShape = (shape: Shape): string => `[${shape.join(', ')}]`;

function simplify(size: Size): Dim {
  return size.constant ?? size;
}

function add(terms: Map<string, number>, monomial: string, factor: number): void {
  const total = (terms.get(monomial) ?? 0) + factor;
  if (total === 0) terms.delete(monomial);
  else terms.set(monomial, total);
}

function join(a: string, b: string): string {
  return [...a.split('*'), ...b.split('*')].filter((s) => s !== '').sort().join('*');
}
