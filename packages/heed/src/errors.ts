import { isAbsolute } from 'node:path';

import { distance } from 'fastest-levenshtein';

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

/** A row that is well formed and cannot be learnt from. The message says why; `data.junk: skip` leaves it out and lists it. */
export class UnfitError extends UserError {}

/** A response that the model's template cuts or rewrites: what would be learnt is not what the row says. */
export class ChangedResponseError extends UnfitError {}

/** For hints about a file that is not there: what a relative path starts from. None for an absolute path. */
export const relativeHints = (file: string): string[] =>
  (isAbsolute(file) ? [] : [`Paths are relative to the folder where the command is run: ${process.cwd()}`]);

/**
 * The candidate a mistyped word most likely meant, or undefined when none is near
 * (more than half of the word, or over 4 edits, would have to change).
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Math.min(4, Math.ceil(word.length / 2)) + 1;
  for (const candidate of candidates) {
    const edits = distance(word.toLowerCase(), candidate.toLowerCase());
    if (edits < least) [best, least] = [candidate, edits];
  }
  return best;
}
