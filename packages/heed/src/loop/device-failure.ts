import { DeviceFailed } from '@heed/tensor';
import { UserError } from '../errors.js';
import type { RunFolder } from '../run/folder.js';
import { checkpointSteps } from './checkpoints.js';

/**
 * The error of a run, with the way to go on where a GPU failed. What lay on the GPU is not read again: after a failure nobody knows what is
 * there. The newest checkpoint, and all else that the run keeps, was written before and is whole.
 */
export async function withWayOn(error: unknown, { dir, checkpointsDir }: Pick<RunFolder, 'dir' | 'checkpointsDir'>): Promise<unknown> {
  if (!(error instanceof DeviceFailed)) return error;
  const newest = (await checkpointSteps(checkpointsDir)).at(-1);
  const kept = newest === undefined ? 'No step is kept yet' : `The state after step ${newest} is kept`;
  return new UserError(error.message, [
    `${kept} in ${dir}: go on with --resume, on the CPU with --resume device=cpu.`,
    'Where the GPU lacks memory, start again with train.microBatch=1, train.checkpointing=full or precision=int4.',
  ], { cause: error });
}
