/**
 * Waits for what a user's module promised. Where nothing is left that could keep the promise, Node would end without a word and with exit
 * code 0; here that is an error.
 *
 * @param never The error of a promise that nothing can settle any more.
 */
export async function settled<T>(work: T | PromiseLike<T>, never: () => Error): Promise<T> {
  let fail: () => void = () => undefined;
  const forsaken = new Promise<never>((_, reject) => {
    fail = () => reject(never());
  });
  process.once('beforeExit', fail);
  try {
    return await Promise.race([work, forsaken]);
  } finally {
    process.off('beforeExit', fail);
  }
}
