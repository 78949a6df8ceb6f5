/** `controller.json`: a controller on disk, in a folder of its own or beside an adapter. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../errors.js';
import { fingerprint } from '../model/fingerprint.js';
import type { Model } from '../model/load.js';
import type { Adapter } from '../model/peft.js';
import { atomicWrite } from '../run/files.js';
import { ActionsOptions } from './actions.js';
import { type Controller, networkInputs } from './controller.js';
import { sizeOf } from './network.js';

export const CONTROLLER_FILE = 'controller.json';

const numbers = z.array(z.number());
const ControllerFile = z.strictObject({
  format: z.literal(1),
  /** The model's id, for people, and the fingerprint of its weights with adapter and template. */
  model: z.string(),
  weights: z.string(),
  actions: ActionsOptions,
  tasks: z.array(z.string()).min(1),
  components: z.strictObject({ mean: numbers, directions: z.array(numbers) }),
  shift: numbers,
  /** null: a number that was the same for all training prompts, and counts as 0. */
  scale: z.array(z.number().nullable()),
  segment: z.int().min(0),
  hidden: z.array(z.int().min(1)),
  parameters: numbers,
});

/** The language model that a controller steers: its hidden states mean nothing to another. */
export interface Steered {
  readonly model: Model;
  readonly adapter?: Adapter;
}

/** Writes `controller.json` into a folder. Numbers come back to the last bit. */
export async function saveController(folder: string, controller: Controller, { model, adapter }: Steered): Promise<void> {
  const { actions, encoder: { components, shift, scale, tasks }, segment, shape: { hidden }, parameters } = controller;
  const file: z.input<typeof ControllerFile> = {
    format: 1, model: model.checkpoint.id, weights: fingerprint(model, adapter), actions, tasks: [...tasks],
    components: { mean: [...components.mean], directions: components.directions.map((one) => [...one]) },
    shift: [...shift], scale: scale.map((x) => (x === Infinity ? null : x)), segment, hidden: [...hidden],
    parameters: Array.from(parameters),
  };
  await atomicWrite(join(folder, CONTROLLER_FILE), `${JSON.stringify(file)}\n`);
}

/** A controller on disk, and which weights it was trained with. */
export interface StoredController {
  readonly controller: Controller;
  /** The model's id, for people. */
  readonly model: string;
  /** Equal to `fingerprint` of the model, its template and its adapter. */
  readonly weights: string;
}

/** Reads the controller of a folder. @throws UserError where there is none, or it is damaged */
export async function readController(folder: string): Promise<StoredController> {
  const path = join(folder, CONTROLLER_FILE);
  const text = await readFile(path, 'utf8').catch(() => {
    throw new UserError(`There is no ${path}.`, ["Name the folder controller/ of a run of heed control."]);
  });
  const { success, data } = ControllerFile.safeParse(parsed(text));
  if (!success) throw new UserError(`${path} is no controller, or was damaged.`, ['Train it again: heed control RECIPE.']);
  const { actions, tasks, components, shift, segment, hidden, weights, model } = data;
  const encoder = { components, shift, scale: data.scale.map((x) => x ?? Infinity), tasks };
  const { length: outputs } = Object.keys(actions);
  const shape = { inputs: networkInputs(encoder, segment, outputs), hidden, outputs };
  if (data.parameters.length !== sizeOf(shape)) {
    throw new UserError(`${path} has ${data.parameters.length} parameters; expected ${sizeOf(shape)}.`, [
      'Train it again: heed control RECIPE.',
    ]);
  }
  return { controller: { actions, encoder, segment, shape, parameters: Float64Array.from(data.parameters) }, model, weights };
}

/**
 * Reads the controller of a folder, for a model.
 *
 * @throws UserError as `readController` does, and where it was trained with another model, adapter or template
 */
export async function loadController(folder: string, { model, adapter }: Steered): Promise<Controller> {
  const stored = await readController(folder);
  if (stored.weights === fingerprint(model, adapter)) return stored.controller;
  throw new UserError(
    `${join(folder, CONTROLLER_FILE)} was trained with other weights: ${stored.model}, and the adapter and template of its recipe.`,
    ['Give the --model, the --adapter and the --template that the recipe gave.'],
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
