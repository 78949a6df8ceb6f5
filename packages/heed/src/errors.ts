/**
 * An error the user can do something about: a bad file, option or row, a missing model.
 * The command line prints `message` and `hints` without a stack trace; anything else that is
 * thrown is a defect of Heed and is shown with its stack.
 */
export class UserError extends Error {
  override readonly name = 'UserError';

  /**
   * @param message What is wrong, with the file, line and value concerned.
   * @param hints Ways out, one sentence each; printed below the message.
   */
  constructor(
    message: string,
    readonly hints: readonly string[] = [],
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
