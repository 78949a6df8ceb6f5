import { UserError } from '../../errors.js';

/** What is wrong with a model on disk, in a download or in a name: says what was read, where, and the way out. */
export class CheckpointError extends UserError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, [], options);
  }
}

/** The message of anything thrown. */
export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A file-system failure while writing weights, in words that a person can act on. */
export function writeFailure(path: string, error: unknown): CheckpointError {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOSPC')
    return new CheckpointError(
      `${path}: the disk is full; free some space, and go on with --resume where a run wrote it; or choose a folder on a larger disk `
        + '(run.dir=FOLDER; HEED_CACHE moves the cache)',
      { cause: error },
    );
  if (code === 'EACCES' || code === 'EROFS')
    return new CheckpointError(`${path}: may not be written (${code}); choose a folder that may (HEED_CACHE moves the cache)`, {
      cause: error,
    });
  return new CheckpointError(`${path}: could not be written: ${reason(error)}`, { cause: error });
}
