/** Thrown while one row is read; caught and collected by the reader of the file. */
export class RowFault extends Error {
  constructor(
    readonly column: string,
    readonly reason: string,
    readonly value: unknown,
    readonly junk = false,
  ) {
    super(`${column} ${reason}`);
  }
}
