/** `--controller` and `--task`, for verbs that let a model write. */
import type { Command } from 'commander';
import type { Engine } from '@heed/tensor';

import { UserError } from '../errors.js';
import type { Decision } from '../control/controller.js';
import type { Generator } from '../generate/generator.js';
import type { AdaptedModel } from './model-flags.js';

export interface ControllerFlags {
  readonly controller?: string;
  readonly task?: string;
}

/** Adds --controller and --task. */
export const controllerFlags = (command: Command): Command =>
  command
    .option('--controller <folder>', "a controller, as a run of heed control wrote it: it sets temperature, filters and masks")
    .option('--task <name>', 'which of its tasks the prompts are of, where it knows several');

/** Flags of sampling that a controller decides in place of the user. */
const DECIDED: Readonly<Record<string, string>> = {
  temperature: '--temperature', topK: '--top-k', topP: '--top-p', minP: '--min-p', repetitionPenalty: '--repetition-penalty',
};

/** @throws UserError where flags are given that the controller would override, or a task without a controller */
export function checkControllerFlags({ controller, task }: ControllerFlags, command: Command): void {
  if (controller === undefined) {
    if (task !== undefined) throw new UserError('--task names a task of a controller.', ['Name the controller: --controller FOLDER.']);
    return;
  }
  const given = Object.keys(DECIDED).filter((name) => command.getOptionValueSource(name) === 'cli');
  if (given.length > 0) {
    throw new UserError(`The controller sets what ${given.map((name) => DECIDED[name]).join(', ')} would set.`, [
      'Leave these flags out, or --controller.',
    ]);
  }
}

/** The generator under the controller that the flags name; the generator itself where they name none. */
export async function underController(
  { controller: folder, task }: ControllerFlags, generator: Generator, engine: Engine, { model, adapter }: AdaptedModel,
  onDecision?: (row: number, decision: Decision) => void,
): Promise<Generator> {
  if (folder === undefined) return generator;
  const { openControlled } = await import('../control/open.js');
  return openControlled(folder, generator, { engine, model, adapter, task, onDecision });
}
