/** How the bars that are on a terminal are taken away. */
export const clearing = new Set<() => void>();

/** Takes the bars away, so that a line can be written; they come back with their next update. */
export function clearBars(): void {
  for (const clear of clearing) clear();
}
