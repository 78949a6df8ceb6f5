/** What a run returned, by name. */
type Outputs = Readonly<Record<string, { readonly data: ArrayLike<number | bigint> }>>;

/** What programs gave for each micro-batch, added up by name: the one place where sums are divided by counts. */
export class Totals {
  private readonly values = new Map<string, number>();

  /** Adds a number to what the name holds; returns the new total. */
  add(name: string, value: number): number {
    const total = this.get(name) + value;
    this.values.set(name, total);
    return total;
  }

  /** Adds the scalars that a run returned. */
  addAll(outputs: Outputs): void {
    for (const [name, { data }] of Object.entries(outputs)) this.add(name, Number(data[0]));
  }

  /** Adds the sums of a loss's terms and metrics, of what a run returned. */
  addSums(outputs: Outputs, terms: number, metrics: readonly string[]): void {
    for (let t = 0; t < terms; t++) this.add(`term:${t}`, Number(outputs[`term:${t}`]!.data[0]));
    for (const name of metrics) this.add(`metric:${name}`, Number(outputs[`metric:${name}`]!.data[0]));
  }

  /** Adds all of another's totals. */
  merge(other: Totals): void {
    for (const [name, value] of other.values) this.add(name, value);
  }

  get(name: string): number {
    return this.values.get(name) ?? 0;
  }

  /** Each term over its own count, added up. */
  loss(terms: number): number {
    let loss = 0;
    for (let t = 0; t < terms; t++) loss += this.get(`term:${t}`) / this.get(`count:${t}`);
    return loss;
  }

  /** Metrics over their counts; those that nothing counted for are left out. */
  metrics(names: readonly string[]): Record<string, number> {
    return Object.fromEntries(names.flatMap((name) => {
      const count = this.get(`metricCount:${name}`);
      return count === 0 ? [] : [[name, this.get(`metric:${name}`) / count]];
    }));
  }
}
