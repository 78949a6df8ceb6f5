/** Thrown by a job that people have to answer questions for first. Nothing has failed: the command says what to do and exits with 0. */
export class Waiting extends Error {
  override readonly name = 'Waiting';
}
