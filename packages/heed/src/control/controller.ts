/** A trained controller: which way of drawing tokens suits a prompt. */
import type { ActionOptions } from './actions.js';
import { type Encoder, encode } from './features.js';
import type { NetworkShape } from './network.js';
import { indexOfMost, probabilities } from './policy.js';
import type { Reading } from './readings.js';

export interface Controller {
  /** The actions by name, in the order of the network's outputs. */
  readonly actions: Readonly<Record<string, ActionOptions>>;
  readonly encoder: Encoder;
  readonly shape: NetworkShape;
  readonly parameters: Float64Array;
}

/** A choice, for whoever wants to know. */
export interface Decision {
  readonly action: string;
  /** Its probability under the policy. */
  readonly probability: number;
}

/** The likeliest action for a prompt. */
export function decide({ actions, encoder, shape, parameters }: Controller, reading: Reading, task: string | undefined): Decision {
  const p = probabilities(shape, parameters, encode(encoder, reading, task));
  const best = indexOfMost(p);
  return { action: Object.keys(actions)[best]!, probability: p[best]! };
}
