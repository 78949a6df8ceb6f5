/** Rows that one prefill may have: products of this many rows already run at full speed. */
const ROWS = 512;
/** Padding that is worth it, as a share of the real rows. */
const WASTE = 0.25;

/** Groups of prompts of similar length, to be filled together. Short prompts gain from company; long ones go alone. */
export function prefillGroups<T>(items: readonly T[], lengthOf: (item: T) => number): T[][] {
  const groups: T[][] = [];
  let real = 0;
  for (const item of [...items].sort((a, b) => lengthOf(a) - lengthOf(b))) {
    const group = groups.at(-1);
    const length = lengthOf(item);
    const padded = group === undefined ? Infinity : length * (group.length + 1);
    if (padded <= ROWS && padded <= (real + length) * (1 + WASTE)) {
      group!.push(item);
      real += length;
    } else {
      groups.push([item]);
      real = length;
    }
  }
  return groups;
}
