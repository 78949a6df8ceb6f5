/** The outputs of a program, by name. */
type Outputs = Readonly<Record<string, { readonly data: ArrayLike<number | bigint> }>>;

/** Adds up the outputs of all micro-batches by name. This is the one place where sums are divided by counts. */
export class Totals {
  private readonly values = new Map<string, number>();
  private readonly extremes = new Map<string, { readonly kind: 'least' | 'most'; readonly value: number }>();

  /** Adds a number to the total of that name; returns the new total. */
  add(name: string, value: number): number {
    const total = this.get(name) + value;
    this.values.set(name, total);
    return total;
  }

  /** Adds the scalars that a program returned. */
  addAll(outputs: Outputs): void {
    for (const [name, { data }] of Object.entries(outputs)) this.add(name, Number(data[0]));
  }

  /** Adds the sums of a loss's terms and metrics that a program returned, and keeps the extremes. */
  addSums(outputs: Outputs, terms: number, metrics: readonly string[]): void {
    for (let t = 0; t < terms; t++) this.add(`term:${t}`, Number(outputs[`term:${t}`]!.data[0]));
    for (const name of metrics) {
      const of = (kind: string): number | undefined => (outputs[`${kind}:${name}`] && Number(outputs[`${kind}:${name}`]!.data[0]));
      const [least, most] = [of('least'), of('most')];
      if (least !== undefined) this.keep(name, 'least', least);
      else if (most !== undefined) this.keep(name, 'most', most);
      else this.add(`metric:${name}`, of('metric')!);
    }
  }

  private keep(name: string, kind: 'least' | 'most', value: number): void {
    const known = this.extremes.get(name)?.value ?? value;
    this.extremes.set(name, { kind, value: kind === 'least' ? Math.min(known, value) : Math.max(known, value) });
  }

  /** Adds the totals of another. */
  merge(other: Totals): void {
    for (const [name, value] of other.values) this.add(name, value);
    for (const [name, { kind, value }] of other.extremes) this.keep(name, kind, value);
  }

  get(name: string): number {
    return this.values.get(name) ?? 0;
  }

  /** The loss: the sum of all terms, each divided by its count. */
  loss(terms: number): number {
    let loss = 0;
    for (let t = 0; t < terms; t++) loss += this.get(`term:${t}`) / this.get(`count:${t}`);
    return loss;
  }

  /** Metrics divided by their counts, and extremes. A metric with a count of 0 is left out. */
  metrics(names: readonly string[]): Record<string, number> {
    return Object.fromEntries(names.flatMap((name) => {
      const extreme = this.extremes.get(name);
      if (extreme !== undefined) return [[name, extreme.value]];
      const count = this.get(`metricCount:${name}`);
      return count === 0 ? [] : [[name, this.get(`metric:${name}`) / count]];
    }));
  }
}
