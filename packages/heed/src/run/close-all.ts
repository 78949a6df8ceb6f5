/**
 * Closes what a job opened, in this order. One that fails does not keep the others open.
 *
 * @throws the first failure, after all were tried
 */
export async function closeAll(...closers: readonly (() => unknown)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const close of closers) {
    try {
      await close();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
