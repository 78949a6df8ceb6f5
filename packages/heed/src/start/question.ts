/** Something that the log does not say and that only its owner knows. */
export interface Question {
  /** What the answer decides: `columns.prompt`, `values`, `comments`. */
  readonly about: string;
  /** The question, for people. */
  readonly text: string;
  readonly choices: readonly { readonly value: string; readonly says: string }[];
  /** The answer where the user is not asked. */
  readonly guess: string;
  /** The option of `heed start` that answers it with the guess. */
  readonly option: string;
}
