import { UserError } from '../errors.js';

/** A loss or gradient that is not a finite number. The state is that of before the step. */
export class NotFiniteError extends Error {
  constructor(readonly what: string, readonly rows: readonly string[]) {
    super(`${what} is not finite.`);
  }

  /** The error in words that a user can act on. */
  forUser(): UserError {
    return new UserError(`${this.what} is not a finite number. Rows: ${this.rows.join(', ')}.`, [
      'The state before this step is kept. Lower train.learningRate, set train.clip, or look at those rows with `heed inspect`.',
    ], { cause: this });
  }
}
