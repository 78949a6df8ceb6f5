/** From readings to the numbers that go into the controller's network. */
import { type Components, principalComponents, project } from './pca.js';
import type { Reading } from './readings.js';

/** How a prompt becomes numbers. It is fitted once, on training prompts, and then stays. */
export interface Encoder {
  /** Principal components of the last hidden state. */
  readonly components: Components;
  /** Mean and standard deviation of each number over the training prompts. */
  readonly shift: readonly number[];
  readonly scale: readonly number[];
  /** The tasks that the controller knows, in the order of their tags. With a single one there is no tag. */
  readonly tasks: readonly string[];
}

/** The coordinates of the hidden state, entropy, top-1 probability, margin to the second, and log tokens of the prompt. */
const numbersOf = (components: Components, { hidden, entropy, top1, margin, tokens }: Reading): number[] => [
  ...project(components, hidden), entropy, top1, margin, Math.log(tokens),
];

/**
 * Fits an encoder to the readings of training prompts: principal components of the hidden states, and what standardises every number. A
 * number that is the same for all prompts stays 0.
 *
 * @param count Most components.
 */
export function fitEncoder(readings: readonly Reading[], count: number, tasks: readonly string[]): Encoder {
  const components = principalComponents(readings.map(({ hidden }) => hidden), count);
  const rows = readings.map((reading) => numbersOf(components, reading));
  const shift = rows[0]!.map((_, j) => rows.reduce((sum, row) => sum + row[j]!, 0) / rows.length);
  const scale = shift.map((m, j) => {
    const deviation = Math.sqrt(rows.reduce((sum, row) => sum + (row[j]! - m) ** 2, 0) / rows.length);
    return deviation > 1e-9 * Math.max(1, Math.abs(m)) ? deviation : Infinity;
  });
  return { components, shift, scale, tasks };
}

/** How many numbers `encode` gives. */
export const inputsOf = ({ shift, tasks }: Encoder): number => shift.length + tagsOf(tasks).length;

const tagsOf = (tasks: readonly string[]): readonly string[] => (tasks.length > 1 ? tasks : []);

/**
 * A prompt of a task as the network sees it: standardised numbers within ±5, and a 1 for the task among zeros. A task that the controller
 * does not know has no 1.
 */
export function encode({ components, shift, scale, tasks }: Encoder, reading: Reading, task: string | undefined): number[] {
  const numbers = numbersOf(components, reading).map((x, j) => Math.max(-5, Math.min(5, (x - shift[j]!) / scale[j]!)));
  return [...numbers, ...tagsOf(tasks).map((one) => Number(one === task))];
}
