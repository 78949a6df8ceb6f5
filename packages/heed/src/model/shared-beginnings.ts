/** Sequences that are worked on behind one common beginning of `length` tokens. */
export interface Together<T> {
  readonly items: readonly T[];
  readonly length: number;
}

/** What computing one more beginning costs beside its tokens, in tokens. */
const OVERHEAD = 32;

/**
 * Parts token sequences into groups that share a beginning, such that the fewest tokens are computed: each beginning once, and the
 * rest of each sequence. At least one token of each is left to the rest. Groups come in the order of their first items.
 */
export function shareBeginnings<T>(items: readonly T[], tokensOf: (item: T) => readonly number[]): Together<T>[] {
  interface Parted { readonly groups: readonly Together<T>[]; readonly cost: number }
  const part = (group: readonly T[], known: number): Parted => {
    const limit = Math.min(...group.map((item) => tokensOf(item).length - 1));
    const first = tokensOf(group[0]!);
    let length = known;
    while (length < limit && group.every((item) => tokensOf(item)[length] === first[length])) length++;
    const whole = {
      groups: [{ items: group, length }],
      cost: OVERHEAD + length + group.reduce((n, item) => n + tokensOf(item).length - length, 0),
    };
    const byNext = new Map<number, T[]>();
    for (const item of group) {
      const next = tokensOf(item)[length]!;
      byNext.set(next, [...(byNext.get(next) ?? []), item]);
    }
    // One next token only: the shortest sequence ends here, and longer beginnings would leave it nothing.
    if (byNext.size < 2) return whole;
    const parts = [...byNext.values()].map((some) => part(some, length));
    const cost = parts.reduce((n, p) => n + p.cost, 0);
    return cost < whole.cost ? { groups: parts.flatMap((p) => p.groups), cost } : whole;
  };
  return items.length === 0 ? [] : [...part(items, 0).groups];
}
