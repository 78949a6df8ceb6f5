/** What a controller begins with: a fresh network at the prior, or an earlier controller that learns new tasks. */
import { isDeepStrictEqual } from 'node:util';
import { networkInputs } from '../../control/controller.js';
import { type Encoder, fitEncoder } from '../../control/features.js';
import { type Steered, loadController } from '../../control/file.js';
import { type Learner, startLearner } from '../../control/learner.js';
import { initialNetwork, widenInput } from '../../control/network.js';
import type { Reading } from '../../control/readings.js';
import { UserError } from '../../errors.js';
import type { ControlRecipe } from './recipe.js';

/** How prompts become numbers, and the network that learns, once the best fixed action is known. */
export interface ControlStart {
  readonly encoder: Encoder;
  learner(best: string): Learner;
}

/**
 * A fresh encoder and network, or with `learn.from` those of an earlier controller: tasks that it does not know get a tag whose weights
 * are 0, so that it begins with them as it would without a tag.
 *
 * @param readings Of the training prompts.
 * @throws UserError as `loadController` does, and where its actions are not those of the recipe
 */
export async function startControl(
  { tasks, actions, learn }: ControlRecipe, readings: readonly Reading[], steered: Steered,
): Promise<ControlStart> {
  const { from, components, hidden, prior, seed, segment = 0 } = learn;
  const [taskNames, names] = [Object.keys(tasks), Object.keys(actions)];
  if (from === undefined) {
    const encoder = fitEncoder(readings, components, taskNames);
    const shape = { inputs: networkInputs(encoder, segment, names.length), hidden, outputs: names.length };
    const spread = (best: string): number[] => names.map((name) => (name === best ? prior : (1 - prior) / (names.length - 1)));
    return { encoder, learner: (best) => startLearner(shape, initialNetwork(shape, spread(best), seed)) };
  }
  const earlier = await loadController(from, steered);
  if (!isDeepStrictEqual(Object.entries(earlier.actions), Object.entries(actions))) {
    throw new UserError(`learn.from: the controller in ${from} has other actions: ${Object.keys(earlier.actions).join(', ')}.`, [
      'Give the recipe the same actions, by the same names and in the same order.',
    ]);
  }
  if (earlier.segment !== segment) {
    throw new UserError(`learn.segment is ${segment}; the controller in ${from} has ${earlier.segment} (0: one choice for each answer).`);
  }
  const encoder = { ...earlier.encoder, tasks: [...new Set([...earlier.encoder.tasks, ...taskNames])] };
  const added = networkInputs(encoder, segment, names.length) - earlier.shape.inputs;
  const { shape, parameters } = widenInput(earlier.shape, earlier.parameters, added);
  return { encoder, learner: () => startLearner(shape, parameters) };
}
