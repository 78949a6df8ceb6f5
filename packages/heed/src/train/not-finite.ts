/** The loss or the gradient is not a number; the state is as it was before the step. */
export class NotFiniteError extends Error {
  constructor(readonly what: string, readonly rows: readonly string[]) {
    super(`${what} is not finite.`);
  }
}
