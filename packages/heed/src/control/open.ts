import { type Engine, view } from '@heed/tensor';
import { UserError, nearest } from '../errors.js';
import type { Generator } from '../generate/generator.js';
import { type ControlledOptions, controlGenerator } from './controlled.js';
import { type Steered, loadController } from './file.js';
import { createPromptReader } from './readings.js';

export interface OpenControlledOptions extends Steered, Pick<ControlledOptions, 'task' | 'onDecision'> {
  readonly engine: Engine;
}

/**
 * Puts the controller of a folder before a generator of the same model and adapter.
 *
 * @param task One of the controller's tasks; may be left out where it knows only one.
 * @throws UserError as `loadController` does, and where the task is missing or unknown
 */
export async function openControlled(
  folder: string, generator: Generator, { engine, model, adapter, task, onDecision }: OpenControlledOptions,
): Promise<Generator> {
  const controller = await loadController(folder, { model, adapter });
  const { tasks } = controller.encoder;
  if (task === undefined && tasks.length > 1) {
    throw new UserError(`The controller in ${folder} knows several tasks: ${tasks.join(', ')}.`, ['Name one: --task NAME.']);
  }
  if (task !== undefined && !tasks.includes(task)) {
    const near = nearest(task, tasks);
    throw new UserError(`The controller in ${folder} knows no task ${task}; it knows ${tasks.join(', ')}.`, [
      near === undefined ? 'Name one of these.' : `Did you mean ${near}?`,
    ]);
  }
  const loaded = adapter && { plan: adapter.plan, parameters: view(await engine.upload(adapter.parameters)) };
  const reader = createPromptReader(engine, model, loaded);
  return controlGenerator(generator, { controller, reader, tokenizer: model.tokenizer, task, onDecision });
}
