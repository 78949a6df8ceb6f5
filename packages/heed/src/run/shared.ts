/**
 * What several runs have in common is found once: answers of the model without an adapter, and scores under references that nothing
 * changes. `run/shared-folder.ts` keeps it in files.
 */
export interface Shared {
  /**
   * What a run found before under the same key; else what `make` gives, which is then kept. It is JSON, and may hold `Float32Array`s:
   * what is taken from another run has the same bits as what `make` gave.
   *
   * @param what A word for it, such as "answers".
   * @param key All that it depends on, in parts that are JSON.
   */
  take<T>(what: string, key: Iterable<unknown>, make: () => Promise<T>): Promise<T>;
}
