/** A trained controller: which way of drawing tokens suits a prompt, and the answer so far. */
import type { ActionOptions } from './actions.js';
import { type Encoder, encode, inputsOf } from './features.js';
import type { NetworkShape } from './network.js';
import { indexOfMost, probabilities } from './policy.js';
import type { Reading } from './readings.js';
import { type AnswerSoFar, encodeState, stateSize } from './state.js';

export interface Controller {
  /** The actions by name, in the order of the network's outputs. */
  readonly actions: Readonly<Record<string, ActionOptions>>;
  readonly encoder: Encoder;
  /** Tokens after which the controller chooses again; 0: it chooses once for each answer. */
  readonly segment: number;
  readonly shape: NetworkShape;
  readonly parameters: Float64Array;
}

/** A choice, for logs and tests. */
export interface Decision {
  readonly action: string;
  /** Its probability under the policy. */
  readonly probability: number;
}

/** How many numbers a controller's network takes. */
export const networkInputs = (encoder: Encoder, segment: number, actions: number): number =>
  (segment > 0 ? stateSize(actions) : 0) + inputsOf(encoder);

/** What the network of a controller takes: the state of the answer, where it chooses again, then the prompt. */
export const networkInput = (
  { actions, segment }: Pick<Controller, 'actions' | 'segment'>, prompt: readonly number[], sofar?: AnswerSoFar,
): number[] => (segment > 0 ? [...encodeState(sofar, segment, Object.keys(actions).length), ...prompt] : [...prompt]);

/** The likeliest action for a prompt, or for the rest of the answer to it. */
export function decide(controller: Controller, reading: Reading, task: string | undefined, sofar?: AnswerSoFar): Decision {
  const { actions, encoder, shape, parameters } = controller;
  const p = probabilities(shape, parameters, networkInput(controller, encode(encoder, reading, task), sofar));
  const best = indexOfMost(p);
  return { action: Object.keys(actions)[best]!, probability: p[best]! };
}
